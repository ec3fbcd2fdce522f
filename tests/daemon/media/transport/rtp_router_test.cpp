// Which media of a bundle a packet belongs to, and the RTCP reader beside it.
#include "daemon/media/transport/rtp_router.hpp"

#include <gtest/gtest.h>

#include "daemon/media/transport/rtcp_reports.hpp"

namespace vmr::media {
namespace {

class RtpRouterTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void SetUp() override {
        add(0, {111}, {});
        add(1, {96}, {{97, 96}});
        add(2, {96}, {{97, 96}});  // content: the same payload types as the camera
    }
    void add(unsigned index, const std::vector<uint8_t>& payloads, std::map<uint8_t, uint8_t> rtx) {
        MediaParams media;
        media.index = index;
        media.mid = std::to_string(index);
        media.mid_extmap = 4;
        for (const uint8_t payload : payloads) {
            media.receive_caps[payload] = rtp_caps({"video", "VP8", payload, 90000});
        }
        media.rtx = std::move(rtx);
        media.remote_ssrcs = {100 + index};
        router.set_media(media);
    }
    std::optional<unsigned> route(uint8_t pt, uint32_t ssrc, const std::string& extension = "") {
        std::string packet{char(extension.empty() ? 0x80 : 0x90),
                           char(pt),
                           0,
                           1,
                           0,
                           0,
                           0,
                           0,
                           char(ssrc >> 24),
                           char(ssrc >> 16),
                           char(ssrc >> 8),
                           char(ssrc)};
        packet += extension;
        const auto header = parse_rtp({reinterpret_cast<const uint8_t*>(packet.data()), packet.size()});
        return header ? router.route(*header) : std::nullopt;
    }
    static std::string one_byte_mid(char mid) { return {'\xBE', '\xDE', 0, 1, 0x40, mid, 0, 0}; }
    static std::string two_byte_mid(char mid) { return {0x10, 0, 0, 1, 4, 1, mid, 0}; }

    RtpRouter router;
};

TEST_F(RtpRouterTest, MidDecidesAndIsRemembered) {
    EXPECT_EQ(route(96, 7, one_byte_mid('2')), 2u);
    EXPECT_EQ(route(96, 7), 2u);
    EXPECT_EQ(route(96, 7, two_byte_mid('1')), 1u);  // the latest MID counts
    EXPECT_EQ(route(96, 7), 1u);
}

TEST_F(RtpRouterTest, SignalledSsrcComesNext) {
    EXPECT_EQ(route(96, 101), 1u);
    EXPECT_EQ(route(96, 102), 2u);
}

TEST_F(RtpRouterTest, PayloadTypeDecidesOnlyWhenUnique) {
    EXPECT_EQ(route(111, 9), 0u);
    EXPECT_EQ(route(96, 10), std::nullopt);
    EXPECT_EQ(route(50, 11), std::nullopt);
}

TEST_F(RtpRouterTest, PayloadTypeMustBelongToTheMedia) {
    EXPECT_EQ(route(111, 12, one_byte_mid('1')), std::nullopt);
    EXPECT_EQ(route(111, 101), std::nullopt);
}

TEST_F(RtpRouterTest, RetransmissionsAreRoutedButNoMediaOfTheirOwn) {
    EXPECT_EQ(route(97, 13, one_byte_mid('1')), 1u);
    EXPECT_EQ(router.media_of(13), std::nullopt);
    const CapsPtr caps = router.caps_of(97);
    ASSERT_TRUE(caps);
    EXPECT_STREQ(gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "encoding-name"), "RTX");
}

TEST_F(RtpRouterTest, MalformedPacketsAreRefused) {
    EXPECT_EQ(route(111, 9, std::string("\xBE\xDE\xFF\xFF", 4)), std::nullopt);
    EXPECT_EQ(route(111, 9, std::string("\xBE", 1)), std::nullopt);
    EXPECT_EQ(route(96, 20, std::string("\xBE\xDE\x00\x01\x4F\x31\x00\x00", 8)), std::nullopt);
    for (size_t size = 0; size < 12; size++) {
        EXPECT_FALSE(parse_rtp(Bytes(reinterpret_cast<const uint8_t*>("\x80\x6F\0\0\0\0\0\0\0\0\0"), size)));
    }
}

TEST_F(RtpRouterTest, RemembersABoundedNumberOfSsrcs) {
    for (uint32_t ssrc = 1000; ssrc < 2000; ssrc++) {
        EXPECT_EQ(route(111, ssrc), 0u);
    }
    EXPECT_EQ(router.media_of(1000), std::nullopt);
    EXPECT_EQ(router.media_of(1999), 0u);
}

TEST(RtcpReportsTest, ReadsBlocksOfEachSsrc) {
    const uint32_t now = ntp_middle(1'700'000'000'500'000);
    const uint32_t last = now - 65536;  // sent 1 s ago, held for 0.75 s: 250 ms round trip
    std::vector<uint8_t> packet{0x82, 201, 0, 13, 0, 0, 0, 1};
    const auto put32 = [&](uint32_t value) {
        for (const int shift : {24, 16, 8, 0}) {
            packet.push_back(static_cast<uint8_t>(value >> shift));
        }
    };
    put32(55), put32(64u << 24 | 0xFFFFFE), put32(0), put32(90), put32(last), put32(49152);
    put32(66), put32(3), put32(0), put32(0), put32(0), put32(0);
    EXPECT_TRUE(is_rtcp(packet));
    RtcpReports reports;
    reports.read(packet, now);
    const auto report = reports.of(55);
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(report->fraction_lost, 0.25);
    EXPECT_EQ(report->lost_packets, -2);
    EXPECT_EQ(report->jitter, 90u);
    EXPECT_NEAR(*report->round_trip_ms, 250, 1);
    EXPECT_EQ(reports.of(66)->lost_packets, 3);
    EXPECT_FALSE(reports.of(66)->round_trip_ms);
    packet.pop_back();
    EXPECT_FALSE(is_rtcp(packet));
    reports.read(packet, now);
}

TEST(RtpExtensions, OneIsBlankedAndTheOthersStay) {
    std::vector<uint8_t> one_byte{0x90, 96, 0, 1,    0, 0, 0,    0,   0, 0, 0, 1, 0xBE,
                                  0xDE, 0,  2, 0x51, 7, 8, 0x40, 'm', 0, 0, 0, 9};
    blank_extension(one_byte, 5);
    auto header = parse_rtp(one_byte);
    ASSERT_TRUE(header);
    EXPECT_EQ(find_extension(*header, 5), "");
    EXPECT_EQ(find_extension(*header, 4), "m");
    EXPECT_EQ(one_byte.back(), 9);
    std::vector<uint8_t> two_bytes{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0,   1,
                                   0x10, 0,  0, 2, 5, 2, 7, 8, 4, 1, 'm', 0};
    blank_extension(two_bytes, 5);
    header = parse_rtp(two_bytes);
    EXPECT_EQ(find_extension(*header, 5), "");
    EXPECT_EQ(find_extension(*header, 4), "m");
    const auto before = two_bytes;
    blank_extension(two_bytes, 9);
    EXPECT_EQ(two_bytes, before);
}

}  // namespace
}  // namespace vmr::media
