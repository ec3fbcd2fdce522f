// What a call is protected and reached by may change while it lasts (RFC 3264 section 8): what was left is
// gone, and what is agreed on holds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/loopback.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

std::string lines_with(const std::string& text, const std::string& begin) {
    std::string found;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find("\r\n", at), text.size());
        if (text.compare(at, begin.size(), begin) == 0) {
            found += text.substr(at, end - at) + "\n";
        }
        at = end + 2;
    }
    return found;
}

std::size_t open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

const std::string kHead = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
const std::string kPlain = kHead + "m=audio 40000 RTP/AVP 8\r\n";

std::string protected_by(const std::string& suite, std::size_t key_size) {
    return kHead + "m=audio 40000 RTP/SAVP 8\r\na=crypto:1 " + suite +
           " inline:" + std::string((key_size * 4 + 2) / 3, 'A') + std::string((3 - key_size % 3) % 3, '=') +
           "\r\n";
}

// Sends PCMU from 127.0.0.`host`.
class Sender {
public:
    explicit Sender(const char* address) : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        port = test::bind_to(socket_, address);
    }
    ~Sender() { close(socket_); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void send(std::uint16_t to, std::uint8_t ssrc) {
        std::array<char, 172> packet{'\x80', 0, 0, static_cast<char>(++sequence_)};
        packet[7] = static_cast<char>(sequence_ * 160);
        packet[11] = static_cast<char>(ssrc);
        test::send_to_loopback(socket_, to, packet.data(), packet.size());
    }
    void send_report(std::uint16_t to) {
        std::array<char, 8> packet{'\x80', '\xC9', 0, 1, 0, 0, 0, 9};
        test::send_to_loopback(socket_, to, packet.data(), packet.size());
    }
    bool received() const {
        char byte = 0;
        return recv(socket_, &byte, 1, MSG_DONTWAIT) >= 0;
    }
    // Of the packet that came last; 0: none did.
    std::uint32_t ssrc_heard() {
        std::array<std::uint8_t, 2048> packet{};
        while (recv(socket_, packet.data(), packet.size(), MSG_DONTWAIT) >= 12) {
            heard_ = packet;
        }
        return read32(heard_, 8);
    }
    std::uint16_t port = 0;

private:
    int socket_;
    std::uint8_t sequence_ = 0;
    std::array<std::uint8_t, 2048> heard_{};
};

class Reoffers : public TwoRooms {
protected:
    std::unique_ptr<Session> session(const char* name, sdp::Encryption encryption) {
        sdp::Policy policy;
        policy.encryption = encryption;
        policy.ice = false;
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling("TLSv1.3 TLS_AES_256_GCM_SHA384");
        return made;
    }
    void put_into_room(Session& far) {
        far_room_->attach("far-leg", far.bin(), "Far");
        far.set_on_changed([this] { far_room_->refresh("far-leg"); });
    }
    static std::string answered(Session& session, const std::string& offer) {
        const SdpResult answer = session.answer(offer);
        EXPECT_TRUE(answer.ok()) << answer.problem().text;
        return answer.ok() ? answer.sdp() : "";
    }
    static std::uint64_t sound(const Session& session) {
        for (const auto& one : session.stats()) {
            if (one.slot == Slot::audio) {
                return one.rtp.received_packets;
            }
        }
        return 0;
    }
};

// A call that is moved to another device, which wants other protection: sound goes to and comes from where it
// was agreed on.
TEST_F(Reoffers, TheProtectionChangesAndSoundWithIt) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    put_into_room(*far);
    for (const auto encryption : {sdp::Encryption::off, sdp::Encryption::required, sdp::Encryption::off}) {
        auto near = session("near-leg", encryption);
        near_room_->attach("near-leg", near->bin(), "Near");
        near->set_on_changed([this] { near_room_->refresh("near-leg"); });
        const std::string answer = answered(*far, near->offer().sdp());
        ASSERT_TRUE(near->accept_answer(answer).ok());
        const bool plain = encryption == sdp::Encryption::off;
        EXPECT_EQ(far->crypto_receipt().key_exchange, plain ? "none" : "SDES");
        const std::uint64_t before = sound(*far);
        EXPECT_TRUE(run_until([&] { return sound(*near) > 10 && sound(*far) > before + 10; }))
            << sound(*near) << ' ' << sound(*far) - before;
        near_room_->detach("near-leg");
    }
    far_room_->detach("far-leg");
}

// The next server of a call that the first one did not take may be of the other family.
TEST_F(Reoffers, AnOfferToAnotherPeerHasAnAddressThatItReaches) {
    const auto near = session("near", sdp::Encryption::best_effort);
    EXPECT_NE(near->offer().sdp().find("c=IN IP4 127.0.0.1\r\n"), std::string::npos);
    near->discard_offer();
    near->set_peer_address("::1");
    const std::string six = near->offer().sdp();
    EXPECT_NE(six.find("c=IN IP6 ::1\r\n"), std::string::npos) << six;
    EXPECT_EQ(six.find("IP4 127.0.0.1"), std::string::npos) << six;
    const auto far = session("far", sdp::Encryption::best_effort);
    const SdpResult answer = far->answer(six);
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    EXPECT_NE(answer.sdp().find("c=IN IP6 ::1\r\n"), std::string::npos) << answer.sdp();
    EXPECT_TRUE(near->accept_answer(answer.sdp()).ok());
}

TEST_F(Reoffers, WhatWasLeftIsClosed) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    const std::string keyed = protected_by("AES_CM_128_HMAC_SHA1_80", 30);
    answered(*far, kPlain);
    answered(*far, keyed);
    const std::size_t files = open_files();
    for (int i = 0; i < 10; ++i) {
        answered(*far, kPlain);
        answered(*far, keyed);
    }
    EXPECT_TRUE(run_until([&] { return open_files() <= files; })) << open_files() << " of " << files;
}

TEST_F(Reoffers, ALineThatComesBackIsProtectedAsItIsAgreedOnThen) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    const std::string video = "a=rtpmap:97 VP8/90000\r\n";
    answered(*far, kPlain + "m=video 40002 RTP/AVP 97\r\n" + video);
    answered(*far, kPlain + "m=video 0 RTP/AVP 97\r\n" + video);
    const std::string keyed = protected_by("AES_CM_128_HMAC_SHA1_80", 30);
    answered(*far, kPlain + "m=video 40002 RTP/SAVP 97\r\n" + lines_with(keyed, "a=crypto") + video);
    EXPECT_EQ(far->crypto_receipt().key_exchange, "none");  // the sound's: the weakest
    answered(*far, keyed + "m=video 40002 RTP/SAVP 97\r\n" + lines_with(keyed, "a=crypto") + video);
    EXPECT_EQ(far->crypto_receipt().key_exchange, "SDES");
}

// RFC 3264 section 8
TEST_F(Reoffers, LinesAreNeverTakenAway) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    answered(*far, kPlain + "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n");
    const SdpResult answer = far->answer(kPlain);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.problem().kind, MediaProblem::Kind::malformed);
    far->follow_network(1'000'000);
}

// Its indices would begin again: the same key stream twice.
TEST_F(Reoffers, AKeyThatWasLeftDoesNotComeAgain) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    const auto key = [&](const std::string& offer) { return lines_with(answered(*far, offer), "a=crypto"); };
    const std::string gcm = protected_by("AEAD_AES_256_GCM", 44),
                      counter = protected_by("AES_CM_128_HMAC_SHA1_80", 30);
    const std::string first = key(gcm);
    EXPECT_EQ(key(gcm), first);
    const std::string other = key(counter);
    EXPECT_NE(key(gcm), first);
    EXPECT_NE(key(counter), other);
}

// Another endpoint counts our roll-overs from 0 (RFC 4568 section 6.4), and who was there before it is not to
// hear what follows.
TEST_F(Reoffers, WhoBringsANewKeyGetsANewOneAndANewStream) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    put_into_room(*far);
    Sender sound_in("127.0.0.1"), picture_in("127.0.0.1");
    const std::string key(40, 'B'), other(40, 'C');
    const auto offer = [&](const std::string& remote) {
        const std::string crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + remote + "\r\n";
        return kHead + "m=audio " + std::to_string(sound_in.port) + " RTP/SAVP 8\r\n" + crypto + "m=video " +
               std::to_string(picture_in.port) + " RTP/SAVP 97\r\na=rtpmap:97 VP8/90000\r\n" + crypto;
    };
    const auto heard = [&](Sender& socket, std::uint32_t before) {
        run_until([&] { return socket.ssrc_heard() != before; });
        return socket.ssrc_heard();
    };
    const std::string first = answered(*far, offer(key));
    const std::uint32_t sound = heard(sound_in, 0), picture = heard(picture_in, 0);
    ASSERT_TRUE(sound != 0 && picture != 0);
    EXPECT_EQ(lines_with(answered(*far, offer(key)), "a=crypto"), lines_with(first, "a=crypto"));
    const std::string second = answered(*far, offer(other));
    EXPECT_NE(lines_with(second, "a=crypto"), lines_with(first, "a=crypto"));
    EXPECT_EQ(lines_with(second, "m="), lines_with(first, "m=")) << "the sockets stay";
    EXPECT_NE(heard(sound_in, sound), sound);
    EXPECT_NE(heard(picture_in, picture), picture);
    far_room_->detach("far-leg");
}

TEST_F(Reoffers, WhomWeHoldStaysOnHoldWhateverTheyOffer) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    answered(*far, kPlain);
    far->set_hold(sdp::Direction::sendonly);
    EXPECT_NE(answered(*far, kPlain).find("a=sendonly"), std::string::npos);
    EXPECT_NE(answered(*far, kPlain + "a=sendonly\r\n").find("a=inactive"), std::string::npos);
    far->set_hold(std::nullopt);
    EXPECT_NE(answered(*far, kPlain).find("a=sendrecv"), std::string::npos);
}

// We offered keys, the peer wants none (RFC 8643): without them only the signalled address is believed.
TEST_F(Reoffers, PlainSoundIsTakenFromTheSignalledAddressAlone) {
    auto near = session("near-leg", sdp::Encryption::best_effort);
    near_room_->attach("near-leg", near->bin(), "Near");
    near->set_on_changed([this] { near_room_->refresh("near-leg"); });
    const std::string offer = near->offer().sdp();
    ASSERT_NE(offer.find("a=crypto"), std::string::npos);
    Sender peer("127.0.0.1"), stranger("127.0.0.9");
    const auto port = static_cast<std::uint16_t>(std::stoul(offer.substr(offer.find("m=audio ") + 8)));
    ASSERT_TRUE(near->accept_answer(kHead + "m=audio " + std::to_string(peer.port) +
                                    " RTP/AVP 0\r\nm=video 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 97\r\n")
                    .ok());
    for (int i = 0; i < 20; ++i) {
        stranger.send(port, 66);
    }
    bool heard = false;
    EXPECT_TRUE(run_until([&] {
        peer.send(port, 7);
        heard = heard || peer.received();
        return heard && sound(*near) > 5;
    }));
    EXPECT_FALSE(stranger.received());
    near_room_->detach("near-leg");
}

std::uint16_t port_in(const std::string& sdp, const std::string& line) {
    const std::string found = lines_with(sdp, line);
    return found.empty() ? std::uint16_t{0}
                         : static_cast<std::uint16_t>(std::stoul(found.substr(line.size())));
}

std::string plain_at(const Sender& sound, const std::string& attributes) {
    return kHead + "m=audio " + std::to_string(sound.port) + " RTP/AVP 8\r\n" + attributes;
}

// RFC 3605
TEST_F(Reoffers, ReportsGoWhereThePeerWantsThem) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    put_into_room(*far);
    Sender sound("127.0.0.1"), reports("127.0.0.3");
    answered(*far, plain_at(sound, "a=rtcp:" + std::to_string(reports.port) + " IN IP4 127.0.0.3\r\n"));
    bool reported = false;
    EXPECT_TRUE(run_until([&] { return reported = reported || reports.received(); }));
    far_room_->detach("far-leg");
}

// RFC 5761 section 5.1.1
TEST_F(Reoffers, ReportsGetAPortOfTheirOwnWhenThePeerMuxesNoMore) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    put_into_room(*far);
    Sender sound("127.0.0.1"), reports("127.0.0.1");
    const std::string own_port = "a=rtcp:" + std::to_string(reports.port) + "\r\n";
    const std::string muxed = answered(*far, plain_at(sound, "a=rtcp-mux\r\n"));
    ASSERT_NE(muxed.find("a=rtcp-mux"), std::string::npos);
    const std::string split = answered(*far, plain_at(sound, own_port));
    const std::uint16_t port = port_in(split, "m=audio "), rtcp_port = port_in(split, "a=rtcp:");
    EXPECT_EQ(rtcp_port, port + 1);
    bool reported = false;
    EXPECT_TRUE(run_until([&] { return reported = reported || reports.received(); }));
    far_room_->detach("far-leg");
}

// To an offer of ours, when there is one socket: what comes first may be a report.
TEST_F(Reoffers, ReportsDoNotTellWhereSoundGoes) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    put_into_room(*far);
    Sender first("127.0.0.1"), sound("127.0.0.1"), reports("127.0.0.1");
    const std::uint16_t port = port_in(answered(*far, plain_at(first, "a=rtcp-mux\r\n")), "m=audio ");
    ASSERT_TRUE(far->offer().ok());
    ASSERT_TRUE(far->accept_answer(plain_at(sound, "a=rtcp:" + std::to_string(reports.port) + "\r\n")).ok());
    bool reported = false, heard = false;
    EXPECT_TRUE(run_until([&] {
        reports.send_report(port);
        return reported = reported || reports.received();
    }));
    while (sound.received()) {
    }
    EXPECT_TRUE(run_until([&] { return heard = heard || sound.received(); }));
    far_room_->detach("far-leg");
}

// RFC 7587 section 6.1
TEST_F(Reoffers, OpusKeepsToWhatThePeerTakesNow) {
    auto far = session("far-leg", sdp::Encryption::off);
    put_into_room(*far);
    Sender sound("127.0.0.1");
    const auto bitrate_under = [&](const std::string& limit) {
        answered(*far, kHead + "m=audio " + std::to_string(sound.port) + " RTP/AVP 96\r\n" + limit +
                           "a=rtpmap:96 opus/48000/2\r\n");
        int bitrate = 0;
        GstIterator* all =
            gst_bin_iterate_all_by_element_factory_name(GST_BIN(far->bin().element()), "opusenc");
        GValue item = G_VALUE_INIT;
        if (gst_iterator_next(all, &item) == GST_ITERATOR_OK) {
            g_object_get(g_value_get_object(&item), "bitrate", &bitrate, nullptr);
            g_value_unset(&item);
        }
        gst_iterator_free(all);
        return bitrate;
    };
    EXPECT_EQ(bitrate_under(""), 48000);
    EXPECT_EQ(bitrate_under("b=AS:32\r\n"), 16000);
    EXPECT_EQ(far->bin().max_bitrate(Slot::audio), 16000U) << "of the room's encoders";
    EXPECT_EQ(bitrate_under("a=fmtp:96 maxaveragebitrate=10000\r\n"), 10000);
    EXPECT_EQ(bitrate_under(""), 48000);
    while (sound.received()) {
    }
    bool heard = false;
    EXPECT_TRUE(run_until([&] { return heard = heard || sound.received(); }));
    far_room_->detach("far-leg");
}

TEST_F(Reoffers, HoldByAddressIsHoldInEitherIpVersion) {
    auto far = session("far-leg", sdp::Encryption::best_effort);
    const std::uint16_t port = port_in(answered(*far, kPlain), "m=audio ");
    std::string held = kPlain;
    held.replace(held.find("c=IN IP4 127.0.0.1"), 18, "c=IN IP6 ::");
    const std::string answer = answered(*far, held);
    EXPECT_EQ(port_in(answer, "m=audio "), port);
    EXPECT_NE(answer.find("a=recvonly"), std::string::npos);
    EXPECT_EQ(port_in(answered(*far, kPlain), "m=audio "), port);
}

TEST_F(Reoffers, TheIpVersionChanges) {
    std::string to_ip6 = kPlain;
    to_ip6.replace(to_ip6.find("c=IN IP4 127.0.0.1"), 18, "c=IN IP6 ::1");
    auto far = session("far-leg", sdp::Encryption::best_effort);
    const std::uint16_t port = port_in(answered(*far, kPlain), "m=audio ");
    EXPECT_NE(port_in(answered(*far, to_ip6), "m=audio "), port);
    answered(*far, kPlain);

    // Where there is but one, the call stays as it was (RFC 3261 section 14.1).
    environment_.udp.local_address = "127.0.0.1";
    auto near = session("near-leg", sdp::Encryption::best_effort);
    const std::string keyed = protected_by("AES_CM_128_HMAC_SHA1_80", 30);
    const std::string first = answered(*near, keyed);
    std::string moved = keyed;
    moved.replace(moved.find("c=IN IP4 127.0.0.1"), 18, "c=IN IP6 ::1");
    moved.replace(moved.find("inline:A"), 8, "inline:B");
    const SdpResult refused = near->answer(moved);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.problem().kind, MediaProblem::Kind::not_acceptable);
    EXPECT_EQ(lines_with(answered(*near, keyed), "a=crypto"), lines_with(first, "a=crypto"));
    environment_.udp.local_address = "0.0.0.0";
}

}  // namespace
}  // namespace vmr::media
