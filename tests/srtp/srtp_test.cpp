// Published vectors of SRTP, and what a hostile or unlucky network does with it.
#include "srtp/srtp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace vmr::srtp;

namespace {

using Octets = std::vector<std::uint8_t>;

Octets hex(const std::string& text) {
    Octets octets;
    std::string digits;
    for (const char c : text) {
        if (c != ' ') {
            digits += c;
        }
    }
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        octets.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return octets;
}

Octets packet(std::uint16_t sequence, std::uint32_t ssrc = 0xcafebabe, std::size_t payload = 160) {
    Octets octets = hex("800f0000decafbad00000000");
    octets[2] = static_cast<std::uint8_t>(sequence >> 8);
    octets[3] = static_cast<std::uint8_t>(sequence);
    for (int i = 0; i < 4; ++i) {
        octets[static_cast<std::size_t>(8 + i)] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
    }
    octets.resize(12 + payload, 0xab);
    return octets;
}

Octets report(std::uint32_t ssrc = 0xcafebabe) {
    Octets octets = hex("81c8000b00000000");
    for (int i = 0; i < 4; ++i) {
        octets[static_cast<std::size_t>(4 + i)] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
    }
    octets.resize(48, 0x5a);
    return octets;
}

Octets master_of(Suite suite) {
    Octets master(info_of(suite).key_bytes + info_of(suite).salt_bytes);
    std::uint8_t value = 7;
    for (std::uint8_t& octet : master) {
        octet = value = static_cast<std::uint8_t>(value * 13 + 5);
    }
    return master;
}

struct Ends {
    explicit Ends(Suite suite)
        : sender(Sender::make(suite, master_of(suite))), receiver(Receiver::make(suite, master_of(suite))) {}

    Octets protect(Octets octets) const {
        std::size_t size = octets.size();
        octets.resize(size + kMaxTrailer);
        EXPECT_EQ(sender->protect_rtp(octets, size), Outcome::ok);
        octets.resize(size);
        return octets;
    }
    Octets protect_rtcp(Octets octets) const {
        std::size_t size = octets.size();
        octets.resize(size + kMaxTrailer);
        EXPECT_EQ(sender->protect_rtcp(octets, size), Outcome::ok);
        octets.resize(size);
        return octets;
    }
    Outcome unprotect(Octets octets, Octets* plain = nullptr) const {
        std::size_t size = octets.size();
        const Outcome result = receiver->unprotect_rtp(octets, size);
        octets.resize(size);
        if (plain != nullptr) {
            *plain = octets;
        }
        return result;
    }
    Outcome unprotect_rtcp(Octets octets, Octets* plain = nullptr) const {
        std::size_t size = octets.size();
        const Outcome result = receiver->unprotect_rtcp(octets, size);
        octets.resize(size);
        if (plain != nullptr) {
            *plain = octets;
        }
        return result;
    }

    mutable std::optional<Sender> sender;
    mutable std::optional<Receiver> receiver;
};

Octets derived(const char* key, const char* salt, std::uint8_t label, std::size_t size) {
    Octets out(size);
    EXPECT_TRUE(derive_key(hex(key), hex(salt), label, out));
    return out;
}

Octets protected_with(Suite suite, const char* master) {
    auto sender = Sender::make(suite, hex(master));
    Octets octets = hex("800f1234decafbadcafebabe abababababababababababababababab");
    std::size_t size = octets.size();
    octets.resize(size + kMaxTrailer);
    EXPECT_EQ(sender->protect_rtp(octets, size), Outcome::ok);
    octets.resize(size);
    return octets;
}

}  // namespace

// RFC 3711 appendix B.3.
TEST(SrtpVectors, KeyDerivation128) {
    const char* key = "E1F97A0D3E018BE0D64FA32C06DE4139";
    const char* salt = "0EC675AD498AFEEBB6960B3AABE6";
    EXPECT_EQ(derived(key, salt, 0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    EXPECT_EQ(derived(key, salt, 2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    EXPECT_EQ(derived(key, salt, 1, 20), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

// RFC 6188 section 7.4.
TEST(SrtpVectors, KeyDerivation256) {
    const char* key = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
    const char* salt = "3b04803de51ee7c96423ab5b78d2";
    EXPECT_EQ(derived(key, salt, 0, 32),
              hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
    EXPECT_EQ(derived(key, salt, 2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    EXPECT_EQ(derived(key, salt, 1, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

// The packets of libsrtp's own test.
TEST(SrtpVectors, WholePacketAesCm) {
    EXPECT_EQ(protected_with(Suite::aes_cm_128_hmac_sha1_80,
                             "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"),
              hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb"));
    EXPECT_EQ(protected_with(Suite::aes_256_cm_hmac_sha1_80,
                             "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
                             "3b04803de51ee7c96423ab5b78d2"),
              hex("800f1234decafbadcafebabe f1d9de17ff251ff1aa007774b0b4b40d a08d9d9a5b3a55d8873b"));
}

// RFC 7714 section 16.1: session keys, ROC 0.
TEST(SrtpVectors, GcmRtp) {
    const Octets head = hex("8040f17b8041f8d35501a0b2");
    const Octets plain =
        hex("47616c6c696120657374206f6d6e697320646976697361"
            "20696e207061727465732074726573");
    const std::string key = "000102030405060708090a0b0c0d0e0f";
    struct Case {
        Suite suite;
        std::string key, cipher, tag;
    };
    for (const Case& each :
         {Case{Suite::aead_aes_128_gcm, key,
               "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833",
               "899d7f27beb16a9152cf765ee4390cce"},
          Case{Suite::aead_aes_256_gcm, key + "101112131415161718191a1b1c1d1e1f",
               "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b",
               "7aa3db36dfffd6b0f9bb7878d7a76c13"}}) {
        SessionKeys keys;
        const Octets raw = hex(each.key);
        std::copy(raw.begin(), raw.end(), keys.key.begin());
        const Octets salt = hex("517569642070726f2071756f");
        std::copy(salt.begin(), salt.end(), keys.salt.begin());
        const Cipher seal(each.suite, keys);
        Octets data = plain;
        std::array<std::uint8_t, 16> tag{};
        ASSERT_TRUE(seal.seal(0x5501a0b2, 0xf17b, head, {}, data, tag));
        EXPECT_EQ(data, hex(each.cipher));
        EXPECT_EQ(Octets(tag.begin(), tag.end()), hex(each.tag));
        const Cipher open(each.suite, keys);
        ASSERT_TRUE(open.open(0x5501a0b2, 0xf17b, head, {}, data, tag));
        EXPECT_EQ(data, plain);
        tag[3] ^= 1;
        EXPECT_FALSE(open.open(0x5501a0b2, 0xf17b, head, {}, data, tag));
    }
}

// RFC 7714 section 17.1: SRTCP with AEAD_AES_128_GCM, SRTCP index 0x5d4.
TEST(SrtpVectors, GcmRtcp) {
    SessionKeys keys;
    const Octets raw = hex("000102030405060708090a0b0c0d0e0f");
    std::copy(raw.begin(), raw.end(), keys.key.begin());
    const Octets salt = hex("517569642070726f2071756f");
    std::copy(salt.begin(), salt.end(), keys.salt.begin());
    const Cipher seal(Suite::aead_aes_128_gcm, keys);
    Octets data =
        hex("4e545031 4e545032 52545020 0000042a 0000e930 4c756e61"
            "deadbeef deadbeef deadbeef deadbeef deadbeef");
    std::array<std::uint8_t, 16> tag{};
    ASSERT_TRUE(seal.seal(0x4d617273, 0x5d4, hex("81c8000d4d617273"), hex("800005d4"), data, tag));
    EXPECT_EQ(data, hex("63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d"
                        "c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b"));
    EXPECT_EQ(Octets(tag.begin(), tag.end()), hex("c84aa45896cf4d2fc5abf87245d9eade"));
}

class SrtpSuites : public testing::TestWithParam<Suite> {
protected:
    Ends ends_{GetParam()};
};

TEST_P(SrtpSuites, WhatIsProtectedComesBack) {
    for (const std::size_t payload : {0u, 1u, 15u, 16u, 160u, 1400u}) {
        const Octets plain = packet(static_cast<std::uint16_t>(payload), 1, payload);
        const Octets sent = ends_.protect(plain);
        EXPECT_EQ(sent.size(), plain.size() + info_of(GetParam()).rtp_tag_bytes);
        Octets back;
        EXPECT_EQ(ends_.unprotect(sent, &back), Outcome::ok);
        EXPECT_EQ(back, plain);
    }
}

TEST_P(SrtpSuites, HeaderWithCsrcsAndExtensionStaysReadable) {
    Octets plain = hex("92600001 00000001 00000002 0000000a 0000000b bede0001 10aa0000 01020304");
    const Octets sent = ends_.protect(plain);
    EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 28, sent.begin()));
    Octets back;
    EXPECT_EQ(ends_.unprotect(sent, &back), Outcome::ok);
    EXPECT_EQ(back, plain);
}

TEST_P(SrtpSuites, RtcpComesBackOnce) {
    const Octets plain = report();
    const Octets sent = ends_.protect_rtcp(plain);
    Octets back;
    EXPECT_EQ(ends_.unprotect_rtcp(sent, &back), Outcome::ok);
    EXPECT_EQ(back, plain);
    EXPECT_EQ(ends_.unprotect_rtcp(sent), Outcome::replayed);
    for (std::size_t bit = 0; bit < sent.size() * 8; bit += 7) {
        Octets damaged = ends_.protect_rtcp(plain);
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        EXPECT_NE(ends_.unprotect_rtcp(damaged), Outcome::ok) << bit;
    }
}

TEST_P(SrtpSuites, OneChangedBitIsRefused) {
    const Octets sent = ends_.protect(packet(10));
    for (std::size_t bit = 0; bit < sent.size() * 8; ++bit) {
        Octets damaged = sent;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        EXPECT_NE(ends_.unprotect(damaged), Outcome::ok) << bit;
    }
    EXPECT_EQ(ends_.unprotect(sent), Outcome::ok);
}

TEST_P(SrtpSuites, EachTruncationIsRefused) {
    const Octets sent = ends_.protect(packet(10));
    for (std::size_t size = 0; size < sent.size(); ++size) {
        EXPECT_NE(ends_.unprotect(Octets(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(size))),
                  Outcome::ok);
    }
}

TEST_P(SrtpSuites, GarbageIsRefused) {
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i) {
        Octets noise(random() % 200);
        for (std::uint8_t& octet : noise) {
            octet = static_cast<std::uint8_t>(random());
        }
        if (noise.size() > 1) {
            noise[0] = static_cast<std::uint8_t>(0x80 | (noise[0] & 0x3f));
        }
        EXPECT_NE(ends_.unprotect(noise), Outcome::ok);
        EXPECT_NE(ends_.unprotect_rtcp(noise), Outcome::ok);
    }
}

TEST_P(SrtpSuites, ReplaysAreRefusedAndReorderingIsNot) {
    std::vector<Octets> sent;
    for (std::uint16_t sequence = 100; sequence < 300; ++sequence) {
        sent.push_back(ends_.protect(packet(sequence)));
    }
    std::shuffle(sent.begin(), sent.end(), std::mt19937(2));
    for (const Octets& each : sent) {
        EXPECT_EQ(ends_.unprotect(each), Outcome::ok);
    }
    for (const Octets& each : sent) {
        EXPECT_EQ(ends_.unprotect(each), Outcome::replayed);
    }
}

TEST_P(SrtpSuites, SequenceNumbersRollOver) {
    for (std::uint32_t i = 0; i < 3 * 65536; i += 97) {
        Octets plain = packet(static_cast<std::uint16_t>(i));
        Octets back;
        ASSERT_EQ(ends_.unprotect(ends_.protect(plain), &back), Outcome::ok) << i;
        ASSERT_EQ(back, plain);
    }
}

TEST_P(SrtpSuites, ALatePacketFromBeforeTheRollOverIsUnderstood) {
    EXPECT_EQ(ends_.unprotect(ends_.protect(packet(65000))), Outcome::ok);
    const Octets late = ends_.protect(packet(65535));
    EXPECT_EQ(ends_.unprotect(ends_.protect(packet(0))), Outcome::ok);
    EXPECT_EQ(ends_.unprotect(late), Outcome::ok);
    EXPECT_EQ(ends_.unprotect(late), Outcome::replayed);
}

TEST_P(SrtpSuites, NoIndexIsEncryptedTwice) {
    ends_.protect(packet(5));
    Octets again = packet(5);
    again[20] = 1;
    std::size_t size = again.size();
    again.resize(size + kMaxTrailer);
    EXPECT_EQ(ends_.sender->protect_rtp(again, size), Outcome::replayed);
}

// RFC 3711 section 3.3.1 and RFC 4568 section 6.4: both are met, and which it is only the packets tell.
TEST_P(SrtpSuites, AfterANewKeyRollOversGoOnOrBeginAgain) {
    const auto rolled_over = [](const Ends& ends) {
        ends.protect(packet(65535));
        return ends.protect(packet(0));
    };
    EXPECT_EQ(ends_.unprotect(ends_.protect(packet(65535))), Outcome::ok);
    EXPECT_EQ(ends_.unprotect(ends_.protect(packet(0))), Outcome::ok);
    Octets master = master_of(GetParam());
    master[3] ^= 1;
    for (const bool goes_on : {true, false}) {
        Ends next(GetParam());
        next.sender = Sender::make(GetParam(), master);
        next.receiver = Receiver::make(GetParam(), master);
        next.receiver->follow(*ends_.receiver);
        Octets plain = packet(1), back;
        if (goes_on) {
            rolled_over(next);
        }
        const Octets sent = next.protect(plain);
        Octets forged = sent;
        forged.back() ^= 1;
        EXPECT_EQ(next.unprotect(forged), Outcome::unauthenticated);
        EXPECT_EQ(next.unprotect(sent, &back), Outcome::ok) << goes_on;
        EXPECT_EQ(back, plain);
        EXPECT_EQ(next.unprotect(sent), Outcome::replayed);
        EXPECT_EQ(next.unprotect(next.protect(packet(1, 5))), Outcome::ok) << "an SSRC that was not there";
        // A key that nothing came under hands on what it knew.
        Ends third(GetParam()), unused(GetParam());
        unused.receiver->follow(*ends_.receiver);
        third.receiver->follow(*unused.receiver);
        rolled_over(third);
        EXPECT_EQ(third.unprotect(third.protect(packet(2))), Outcome::ok);
    }
}

TEST_P(SrtpSuites, AnotherKeyIsRefused) {
    Octets master = master_of(GetParam());
    master[3] ^= 1;
    auto stranger = Receiver::make(GetParam(), master);
    Octets sent = ends_.protect(packet(1));
    std::size_t size = sent.size();
    EXPECT_EQ(stranger->unprotect_rtp(sent, size), Outcome::unauthenticated);
}

// RFC 3711 section 3.1: before the tag; RFC 7714 section 8.2: after it.
TEST_P(SrtpSuites, AKeyIdentifierOfEachLengthIsCarriedAndTakenOff) {
    const bool gcm = info_of(GetParam()).gcm;
    const std::size_t tag = info_of(GetParam()).rtp_tag_bytes;
    for (std::size_t size = 1; size <= kMaxMki; ++size) {
        Octets bytes(size);
        std::generate(bytes.begin(), bytes.end(), [value = 0xf1]() mutable { return value++; });
        Ends ends(GetParam());
        ends.sender->set_mki(*Mki::make(bytes));
        const Octets sent = ends.protect(packet(1)), report_sent = ends.protect_rtcp(report());
        EXPECT_EQ(ends.unprotect(sent), Outcome::unauthenticated) << "nothing was said of an identifier";
        EXPECT_EQ(ends.unprotect_rtcp(report_sent), Outcome::unauthenticated);
        ASSERT_EQ(sent.size(), packet(1).size() + tag + size);
        const auto at = sent.end() - static_cast<std::ptrdiff_t>(gcm ? size : size + tag);
        EXPECT_EQ(Octets(at, at + static_cast<std::ptrdiff_t>(size)), bytes);
        ends.receiver->set_mki(*Mki::make(bytes));
        Octets plain;
        EXPECT_EQ(ends.unprotect(sent, &plain), Outcome::ok);
        EXPECT_EQ(plain, packet(1));
        EXPECT_EQ(ends.unprotect_rtcp(report_sent, &plain), Outcome::ok);
        EXPECT_EQ(plain, report());
        Octets other = ends.protect(packet(2));
        other[other.size() - (gcm ? size : size + tag)] ^= 1;
        EXPECT_EQ(ends.unprotect(other), Outcome::unauthenticated) << "of another key";
        for (std::size_t length = 0; length < sent.size(); ++length) {
            EXPECT_NE(
                ends.unprotect(Octets(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(length))),
                Outcome::ok);
        }
    }
    EXPECT_FALSE(Mki::make(Octets(kMaxMki + 1)));
}

TEST_P(SrtpSuites, AnIdentifierNeedsItsRoom) {
    Ends ends(GetParam());
    ends.sender->set_mki(*Mki::make(hex("01")));
    Octets octets = packet(1);
    std::size_t size = octets.size();
    octets.resize(size + info_of(GetParam()).rtp_tag_bytes);
    EXPECT_EQ(ends.sender->protect_rtp(octets, size), Outcome::malformed);
}

TEST_P(SrtpSuites, StreamsAreBounded) {
    for (std::uint32_t ssrc = 0; ssrc < Streams::kMaxStreams; ++ssrc) {
        EXPECT_EQ(ends_.unprotect(ends_.protect(packet(1, ssrc))), Outcome::ok);
    }
    Octets more = packet(1, Streams::kMaxStreams);
    std::size_t size = more.size();
    more.resize(size + kMaxTrailer);
    EXPECT_EQ(ends_.sender->protect_rtp(more, size), Outcome::exhausted);
}

TEST_P(SrtpSuites, ForgedSsrcsTakeNoRoom) {
    for (std::uint32_t ssrc = 0; ssrc < 4 * Streams::kMaxStreams; ++ssrc) {
        Octets forged = packet(1, ssrc);
        forged.resize(forged.size() + kMaxTrailer, 0x55);
        EXPECT_EQ(ends_.unprotect(forged), Outcome::unauthenticated);
        Octets report_of = report(ssrc);
        report_of.resize(report_of.size() + kMaxTrailer, 0xd5);
        EXPECT_EQ(ends_.unprotect_rtcp(report_of), Outcome::unauthenticated);
    }
    EXPECT_EQ(ends_.unprotect(ends_.protect(packet(1))), Outcome::ok);
    EXPECT_EQ(ends_.unprotect_rtcp(ends_.protect_rtcp(report())), Outcome::ok);
}

TEST_P(SrtpSuites, AWrongKeyLengthIsRefused) {
    Octets master = master_of(GetParam());
    master.pop_back();
    EXPECT_FALSE(Sender::make(GetParam(), master));
    EXPECT_FALSE(Receiver::make(GetParam(), master));
    EXPECT_FALSE(Sender::make(Suite::none, {}));
}

INSTANTIATE_TEST_SUITE_P(Rfc, SrtpSuites,
                         testing::Values(Suite::aes_cm_128_hmac_sha1_80, Suite::aes_cm_128_hmac_sha1_32,
                                         Suite::aes_256_cm_hmac_sha1_80, Suite::aes_256_cm_hmac_sha1_32,
                                         Suite::aead_aes_128_gcm, Suite::aead_aes_256_gcm));

TEST(ReplayWindow, AJumpForgetsWhatIsTooOld) {
    ReplayWindow window;
    window.add(5);
    window.add(5 + ReplayWindow::kSize);
    EXPECT_FALSE(window.is_new(5));
    EXPECT_TRUE(window.is_new(6));
    window.add(10'000'000);
    EXPECT_FALSE(window.is_new(10'000'000));
    EXPECT_TRUE(window.is_new(10'000'000 - 1));
    EXPECT_FALSE(window.is_new(10'000'000 - ReplayWindow::kSize));
}

TEST(ReplayWindow, TheFirstAndTheLastRoundAreNotLeft) {
    ReplayWindow window;
    window.add(3);
    EXPECT_EQ(window.index_of(65535), std::nullopt);
    ReplayWindow last;
    last.add(0xffff'ffff'ffffull);
    EXPECT_EQ(last.index_of(2), std::nullopt);
}
