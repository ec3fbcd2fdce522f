// The parsed model: attributes one by one.
#include "support.hpp"

namespace vmr::sdp::test {
namespace {

const std::string kHead = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

Media audio(const std::string& attributes, const std::string& session = "") {
    const auto session_text = kHead + session + "m=audio 4000 RTP/SAVP 0 96\r\n" + attributes;
    const auto parsed_session = parsed(session_text);
    return parsed_session.media.empty() ? Media{} : parsed_session.media[0];
}

std::string inline_key(std::size_t base64_chars) {
    return "inline:" + std::string(base64_chars, 'A');
}

TEST(ParseCrypto, AllSuitesAndSpellings) {
    const std::tuple<const char*, std::size_t, CryptoSuite> suites[] = {
        {"AES_CM_128_HMAC_SHA1_80", 40, CryptoSuite::aes_cm_128_hmac_sha1_80},
        {"AES_CM_128_HMAC_SHA1_32", 40, CryptoSuite::aes_cm_128_hmac_sha1_32},
        {"AES_256_CM_HMAC_SHA1_80", 62, CryptoSuite::aes_256_cm_hmac_sha1_80},
        {"AES_CM_256_HMAC_SHA1_32", 62, CryptoSuite::aes_256_cm_hmac_sha1_32},
        {"AEAD_AES_128_GCM", 38, CryptoSuite::aead_aes_128_gcm},
        {"AEAD_AES_256_GCM", 59, CryptoSuite::aead_aes_256_gcm},
    };
    for (const auto& [name, size, suite] : suites) {
        const auto media = audio(std::string("a=crypto:7 ") + name + ' ' + inline_key(size) + "\r\n");
        ASSERT_EQ(media.cryptos.size(), 1U);
        EXPECT_TRUE(media.cryptos[0].usable) << name;
        EXPECT_EQ(media.cryptos[0].suite, suite);
        EXPECT_EQ(media.cryptos[0].tag, 7U);
        EXPECT_EQ(media.cryptos[0].key.key.size(), info(suite).key_salt_size);
    }
}

TEST(ParseCrypto, KeyAndSessionParameters) {
    const auto line = [](const std::string& rest) {
        const auto media = audio("a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + inline_key(40) + rest + "\r\n");
        return media.cryptos.at(0);
    };
    EXPECT_EQ(line("|2^31").key.lifetime, std::uint64_t{1} << 31);
    EXPECT_EQ(line("|1000000").key.lifetime, 1000000U);
    EXPECT_EQ(line("|2^20|1:4").key.mki, (std::vector<std::uint8_t>{0, 0, 0, 1}));
    EXPECT_EQ(line("|258:2").key.mki, (std::vector<std::uint8_t>{1, 2}));
    EXPECT_EQ(line("|18446744073709551615:8").key.mki, std::vector<std::uint8_t>(8, 0xff));
    std::vector<std::uint8_t> longest(128);
    longest[126] = longest[127] = 1;
    EXPECT_EQ(line("|257:128").key.mki, longest);
    EXPECT_TRUE(line(" WSH=64 -EXTRA KDR=0").usable);
    for (const char* bad :
         {"|2^49", "|0", "|999:1", "|1:0", "|72057594037927936:7", "|18446744073709551616:16", "|1:129",
          "|2^31|x:4", " UNENCRYPTED_SRTP", " UNENCRYPTED_SRTCP", " UNAUTHENTICATED_SRTP", " KDR=1",
          " FROBNICATE", "A", ";inline:AAAA"}) {
        EXPECT_FALSE(line(bad).usable) << bad;
    }
}

TEST(ParseCrypto, BrokenLinesAreSkipped) {
    const auto media = audio(
        "a=crypto:-1 AES_CM_128_HMAC_SHA1_80 x\r\na=crypto:\r\na=crypto\r\n"
        "a=crypto:2 F8_128_HMAC_SHA1_80 " +
        inline_key(40) +
        "\r\n"
        "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:!!!!\r\n");
    EXPECT_EQ(media.cryptos.size(), 2U);
    for (const auto& crypto : media.cryptos) {
        EXPECT_FALSE(crypto.usable);
    }
}

TEST(ParseInheritance, SessionLevelUnlessTheMLineSaysItself) {
    const std::string print = "sha-256 " + replaced(std::string(32, 'x'), "x", "AB:");
    const auto session =
        "a=inactive\r\na=setup:active\r\na=fingerprint:" + print.substr(0, print.size() - 1) + "\r\n";
    const auto inherited = audio("", session);
    EXPECT_EQ(inherited.direction, Direction::inactive);
    EXPECT_EQ(inherited.setup, Setup::active);
    EXPECT_EQ(inherited.fingerprints.size(), 1U);
    EXPECT_EQ(inherited.connection.address, "192.0.2.1");
    const auto own =
        audio("c=IN IP6 2001:db8::1\r\na=recvonly\r\na=setup:passive\r\na=fingerprint:sha-1 AB\r\n", session);
    EXPECT_EQ(own.direction, Direction::recvonly);
    EXPECT_EQ(own.setup, Setup::passive);
    EXPECT_TRUE(own.fingerprints.empty()) << "an unusable one still hides the session's";
    EXPECT_TRUE(own.connection.ipv6);
}

TEST(ParseMedia, SmallAttributes) {
    const auto media = audio(
        "b=AS:64\r\nb=TIAS:64000\r\na=mid:a1 \r\na=label:x\r\na=content:foo,Slides\r\na=ptime:30.0\r\n"
        "a=maxptime:60\r\na=rtcp:4005 IN IP4 192.0.2.8\r\na=extmap:5/sendonly urn:x\r\n"
        "a=fmtp:96 A=1; b = 2 ;c\r\na=rtpmap:96 OPUS/48000/2\r\na=rtcp-fb:* nack\r\n"
        "a=rtcp-fb:96 nack pli\r\na=ice-options:ice2 trickle\r\na=ssrc:7 cname:me\r\n");
    EXPECT_EQ(media.bandwidth.as_kbps, 64U);
    EXPECT_EQ(media.bandwidth.tias_bps, 64000U);
    EXPECT_EQ(media.mid, "a1");
    EXPECT_EQ(media.content, "slides");
    EXPECT_EQ(media.ptime, 30U);
    EXPECT_EQ(media.rtcp_port, 4005);
    EXPECT_EQ(media.rtcp_address, "192.0.2.8");
    EXPECT_EQ(media.extmaps.at(0).direction, Direction::sendonly);
    const auto* format = media.format(96);
    ASSERT_TRUE(format);
    EXPECT_EQ(format->encoding, "opus");
    EXPECT_EQ(*find(format->fmtp, "a"), "1");
    EXPECT_EQ(*find(format->fmtp, "b"), "2");
    EXPECT_TRUE(find(format->fmtp, "c"));
    EXPECT_TRUE(format->feedback.nack && format->feedback.nack_pli);
    EXPECT_FALSE(media.format(0)->feedback.nack_pli);
    EXPECT_TRUE(media.ice.trickle);
    EXPECT_EQ(media.ssrcs.at(0).cname, "me");
}

TEST(ParseCandidate, AllKindsAndBack) {
    for (const char* text :
         {"candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host",
          "candidate:2 2 udp 1694498815 198.51.100.1 5000 typ srflx raddr 10.0.0.1 rport 4000",
          "candidate:3 1 tcp 1518214911 2001:db8::1 9 typ host tcptype active",
          "candidate:4 1 udp 1 a-b.local 4000 typ host"}) {
        const auto candidate = parse_candidate(text);
        ASSERT_TRUE(candidate.ok()) << text;
        EXPECT_EQ(to_string(*candidate), text);
    }
    EXPECT_TRUE(parse_candidate("a=candidate:1 1 UDP 1 192.0.2.1 4000 typ host generation 0 ufrag x").ok());
    for (const char* bad :
         {"", "candidate:", "1 0 udp 1 192.0.2.1 4000 typ host", "1 1 udp -1 192.0.2.1 1 typ host",
          "1 1 udp 1 192.0.2.1 70000 typ host", "1 1 sctp 1 192.0.2.1 1 typ host",
          "1 1 udp 1 192.0.2.1 1 typ evil", "1 1 udp 1 192.0.2.1 1 host",
          "1 1 udp 1 192.0.2.1 1 typ host\r\na=x", "1 1 udp 4294967296 192.0.2.1 1 typ host"}) {
        EXPECT_FALSE(parse_candidate(bad).ok()) << bad;
    }
}

}  // namespace
}  // namespace vmr::sdp::test
