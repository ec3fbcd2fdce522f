#include "daemon/media/transport/rtcp_bitrate.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

constexpr uint32_t kPeer = 0x0A0B0C0D, kOurs = 0x11223344, kTheirs = 0x55667788, kOther = 0x99AABBCC;

// As rtpsession writes it: header, SSRC of the sender, SSRC of the media (0), FCI.
std::vector<uint8_t> on_wire(const FeedbackPacket& packet, uint32_t sender) {
    const size_t words = 2 + packet.fci.size() / 4;
    std::vector<uint8_t> bytes{static_cast<uint8_t>(0x80 | packet.format), packet.type,
                               static_cast<uint8_t>(words >> 8), static_cast<uint8_t>(words)};
    for (const uint32_t ssrc : {sender, 0u}) {
        for (const unsigned shift : {24, 16, 8, 0}) {
            bytes.push_back(static_cast<uint8_t>(ssrc >> shift));
        }
    }
    bytes.insert(bytes.end(), packet.fci.begin(), packet.fci.end());
    return bytes;
}

std::vector<uint8_t> compound(const std::vector<FeedbackPacket>& packets, uint32_t sender) {
    std::vector<uint8_t> all{0x80, 201, 0, 1, 1, 2, 3, 4};  // an empty RR
    for (const FeedbackPacket& packet : packets) {
        const auto bytes = on_wire(packet, sender);
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
}

TEST(RtcpBitrateTest, WhatOneAsksTheOtherReads) {
    for (const uint32_t bitrate : {1u, 150'000u, 262'143u, 2'500'000u, 4'000'000'000u}) {
        for (const bool remb : {true, false}) {
            RtcpBitrate asking, asked;
            EXPECT_TRUE(asking.ask({{kOurs, {bitrate, remb, !remb}}}, 0));
            EXPECT_FALSE(asked.limit_of(kOurs));
            EXPECT_EQ(asked.read(compound(asking.take_due(0), kPeer)), !remb) << "TMMBR is answered";
            ASSERT_TRUE(asked.limit_of(kOurs));
            EXPECT_LE(*asked.limit_of(kOurs), bitrate);
            EXPECT_GE(*asked.limit_of(kOurs), bitrate - bitrate / 100'000 - bitrate / 1000);
            EXPECT_FALSE(asked.limit_of(kOther));
        }
    }
}

TEST(RtcpBitrateTest, RembAsTheDraftWritesIt) {
    RtcpBitrate asked;
    // draft-alvestrand-rmcat-remb-03 section 2.2: two SSRCs, exponent 1, mantissa 100000
    FeedbackPacket packet{206, 15, {'R', 'E', 'M', 'B', 2, 1 << 2 | 1, 0x86, 0xA0}};
    for (const uint32_t ssrc : {kOurs, kTheirs}) {
        for (const unsigned shift : {24, 16, 8, 0}) {
            packet.fci.push_back(static_cast<uint8_t>(ssrc >> shift));
        }
    }
    EXPECT_FALSE(asked.read(compound({packet}, kPeer)));
    EXPECT_EQ(asked.limit_of(kOurs), 200'000u);
    EXPECT_EQ(asked.limit_of(kTheirs), 200'000u);
}

TEST(RtcpBitrateTest, OneRembSpeaksForThePath) {
    RtcpBitrate asking, asked;
    asking.ask({{kOurs, {150'000, true, false}}, {kTheirs, {700'000, true, false}}}, 50'000);
    const auto due = asking.take_due(0);
    ASSERT_EQ(due.size(), 1u);
    asked.read(compound(due, kPeer));
    EXPECT_NEAR(asked.limit_of(kOurs).value_or(0), 900'000, 10);
    EXPECT_NEAR(asked.limit_of(kTheirs).value_or(0), 900'000, 10);
}

TEST(RtcpBitrateTest, WhatHoldsIsRepeatedSlowlyAndTmmbrUntilItIsConfirmed) {
    RtcpBitrate asking, asked;
    const std::map<uint32_t, BitrateWish> wish{{kOurs, {700'000, true, true}}};
    EXPECT_TRUE(asking.ask(wish, 0));
    EXPECT_EQ(asking.take_due(0).size(), 2u);
    EXPECT_FALSE(asking.ask(wish, 0));
    EXPECT_TRUE(asking.take_due(1'000'000).empty());
    const auto again = asking.take_due(6'000'000);
    ASSERT_EQ(again.size(), 2u);
    EXPECT_TRUE(asked.read(compound(again, kPeer)));
    const auto answer = asked.take_due(0);
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_TRUE(asked.take_due(0).empty()) << "answered once";
    EXPECT_FALSE(asking.read(compound(answer, kOurs)));
    EXPECT_EQ(asking.take_due(12'000'000).size(), 1u) << "REMB alone, which nobody confirms";
    EXPECT_TRUE(asking.ask({{kOurs, {150'000, true, true}}}, 0));
    EXPECT_EQ(asking.take_due(12'100'000).size(), 2u);
    EXPECT_TRUE(asking.ask({}, 0));
    EXPECT_TRUE(asking.take_due(30'000'000).empty());
}

TEST(RtcpBitrateTest, TheSmallerOfTwoHolds) {
    RtcpBitrate low, high, asked;
    low.ask({{kOurs, {300'000, false, true}}}, 0);
    high.ask({{kOurs, {700'000, true, false}}}, 0);
    asked.read(compound(low.take_due(0), kPeer));
    asked.read(compound(high.take_due(0), kPeer));
    EXPECT_NEAR(asked.limit_of(kOurs).value_or(0), 300'000, 3);
}

TEST(RtcpBitrateTest, WhatIsCutOrSenselessHarmsNobody) {
    RtcpBitrate asking, asked;
    asking.ask({{kOurs, {700'000, true, true}}}, 0);
    const auto whole = compound(asking.take_due(0), kPeer);
    for (size_t size = 0; size < whole.size(); ++size) {
        asked.read(Bytes(whole).first(size));
    }
    auto lying = whole;
    lying[8 + 12 + 4] = 255;  // more SSRCs than there are
    asked.read(lying);
    // More SSRCs than a transport has are not remembered, and answered only so far.
    for (uint32_t i = 0; i < 1000; ++i) {
        FeedbackPacket packet{
            205, 3, {0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i), 4, 0, 2, 0}};
        asked.read(compound({packet}, kPeer));
    }
    EXPECT_FALSE(asked.limit_of(999));
    EXPECT_LE(asked.take_due(0).at(0).fci.size(), 64u * 8);
}

}  // namespace
}  // namespace vmr::media
