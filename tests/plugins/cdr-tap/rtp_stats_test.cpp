#include "plugins/cdr-tap/rtp_stats.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>

#include "plugins/cdr-tap/report.hpp"

using namespace vmr::cdr_tap;

namespace {

const PayloadFormat kPcmu{"PCMU", 8000};
constexpr std::uint64_t kPacketTime = 20'000'000;  // ns

StreamSnapshot run(std::initializer_list<int> sequence) {
    StreamStats stats(1);
    std::uint64_t arrival = 0;
    for (const int number : sequence) {
        const auto sequence_number = static_cast<std::uint16_t>(number);
        stats.update({false, 0, sequence_number, static_cast<std::uint32_t>(number) * 160U, 1}, 172, arrival,
                     kPcmu);
        arrival += kPacketTime;
    }
    return stats.snapshot();
}

std::vector<std::uint8_t> report_block_packet(std::uint32_t lsr, std::uint32_t dlsr) {
    auto put32 = [](std::vector<std::uint8_t>& to, std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            to.push_back(static_cast<std::uint8_t>(value >> shift));
        }
    };
    std::vector<std::uint8_t> packet{0x81, 201, 0, 7};
    put32(packet, 0x1111);                  // reporter
    put32(packet, 0x2222);                  // reported
    put32(packet, 64U << 24 | 0x00fffffe);  // a quarter lost; -2 in all
    put32(packet, 0);
    put32(packet, 160);  // jitter, 20 ms at 8 kHz
    put32(packet, lsr);
    put32(packet, dlsr);
    return packet;
}

}  // namespace

TEST(ParseRtp, ReadsTheHeaderAndRefusesFragments) {
    const std::vector<std::uint8_t> packet{0x80, 0x88, 0x12, 0x34, 0, 0, 0, 7, 0, 0, 0, 9};
    const auto header = parse_rtp(packet);
    ASSERT_TRUE(header);
    EXPECT_TRUE(header->marker);
    EXPECT_EQ(header->payload_type, 8);
    EXPECT_EQ(header->sequence, 0x1234);
    EXPECT_EQ(header->timestamp, 7U);
    EXPECT_EQ(header->ssrc, 9U);
    for (std::size_t length = 0; length < packet.size(); ++length) {
        EXPECT_FALSE(parse_rtp(vmr::Bytes(packet).first(length))) << length;
    }
    auto extended = packet;
    extended[0] = 0x9f;  // says that 15 CSRCs and an extension follow
    EXPECT_FALSE(parse_rtp(extended));
}

TEST(StreamStats, NothingWrong) {
    const auto stats = run({1, 2, 3, 4, 5});
    EXPECT_EQ(stats.packets, 5U);
    EXPECT_EQ(stats.lost, 0);
    EXPECT_EQ(stats.reordered, 0U);
    EXPECT_EQ(stats.duplicates, 0U);
    EXPECT_DOUBLE_EQ(stats.jitter_ms, 0);
}

TEST(StreamStats, LossReorderingAndDuplicatesAreTold) {
    EXPECT_EQ(run({1, 2, 5, 6}).lost, 2);
    const auto reordered = run({1, 3, 2, 4});
    EXPECT_EQ(reordered.lost, 0);
    EXPECT_EQ(reordered.reordered, 1U);
    const auto repeated = run({1, 2, 2, 3, 1});
    EXPECT_EQ(repeated.lost, 0);
    EXPECT_EQ(repeated.duplicates, 2U);
    EXPECT_EQ(repeated.reordered, 0U);
}

TEST(StreamStats, SequenceNumbersWrap) {
    const auto stats = run({65533, 65534, 65535, 0, 1, 3});
    EXPECT_EQ(stats.lost, 1);
    EXPECT_EQ(stats.restarts, 0U);
}

TEST(StreamStats, AJumpIsARestartOnlyWhenTwoPacketsAgree) {
    const auto once = run({1, 2, 20000, 3, 4});
    EXPECT_EQ(once.lost, 0);
    EXPECT_EQ(once.restarts, 0U);
    const auto twice = run({1, 3, 20000, 20001, 20002});
    EXPECT_EQ(twice.restarts, 1U);
    EXPECT_EQ(twice.lost, 1);  // from before the restart
}

TEST(StreamStats, JitterIsThatOfAppendixA8) {
    StreamStats stats(1);
    double expected = 0;
    std::int64_t last_transit = 0;
    for (int i = 0; i < 50; ++i) {
        const std::uint64_t arrival =
            static_cast<std::uint64_t>(i) * kPacketTime + (i % 2 == 0 ? 0U : 5'000'000U);
        const auto timestamp = static_cast<std::uint32_t>(i * 160);
        stats.update({false, 0, static_cast<std::uint16_t>(i), timestamp, 1}, 172, arrival, kPcmu);
        const auto transit = static_cast<std::int64_t>(arrival / 125'000) - timestamp;
        if (i > 0) {
            expected += (std::abs(static_cast<double>(transit - last_transit)) - expected) / 16;
        }
        last_transit = transit;
    }
    EXPECT_NEAR(stats.snapshot().jitter_ms, expected / 8, 1e-9);
    EXPECT_GT(stats.snapshot().jitter_ms, 4.0);
}

TEST(TapStats, StreamsAreBoundedAndTotalsKept) {
    TapStats tap;
    for (std::uint32_t ssrc = 0; ssrc < 100; ++ssrc) {
        tap.add_rtp({false, 0, 1, 0, ssrc}, 10, ssrc, kPcmu);
    }
    const auto snapshot = tap.snapshot();
    EXPECT_EQ(snapshot.streams.size(), TapStats::kMaxStreams);
    EXPECT_EQ(snapshot.packets, 100U);
    EXPECT_EQ(snapshot.bytes, 1000U);
    EXPECT_EQ(snapshot.ssrc_changes, 99U);
}

TEST(TapStats, ReceiverReportsGiveRemoteLossAndRoundTrip) {
    TapStats tap;
    tap.add_rtp({false, 0, 1, 0, 5}, 10, 0, kPcmu);
    // A = 100.5 s, LSR = 100.0 s, DLSR = 0.3 s → 200 ms
    const std::uint64_t arrival = (100ULL << 32) + (1ULL << 31);
    const auto packet = report_block_packet(100U << 16, static_cast<std::uint32_t>(0.3 * 65536));
    ASSERT_TRUE(looks_like_rtcp(packet));
    tap.add_rtcp(packet, arrival);
    const auto remote = tap.snapshot().remote;
    ASSERT_TRUE(remote.valid);
    EXPECT_EQ(remote.ssrc, 0x2222U);
    EXPECT_DOUBLE_EQ(remote.fraction_lost, 0.25);
    EXPECT_EQ(remote.lost, -2);
    EXPECT_DOUBLE_EQ(remote.jitter_ms, 20);
    EXPECT_NEAR(remote.round_trip_ms, 200, 0.1);
}

TEST(TapStats, TruncatedRtcpIsMalformedAndHarmless) {
    const auto packet = report_block_packet(1, 1);
    for (std::size_t length = 0; length < packet.size(); ++length) {
        TapStats tap;
        tap.add_rtcp(vmr::Bytes(packet).first(length), 0);
        EXPECT_FALSE(tap.snapshot().remote.valid) << length;
    }
}

TEST(RateMeter, TellsTheLastSecondsRateAndForgets) {
    RateMeter rate;
    std::uint64_t now = 0;
    for (int i = 0; i < 100; ++i, now += kPacketTime) {
        rate.add(200, now);
    }
    EXPECT_NEAR(static_cast<double>(rate.bits_per_second(now)), 80'000, 4000);
    EXPECT_LT(rate.bits_per_second(now + 60'000'000'000), 2000U);
}

TEST(Report, IsOneJsonLine) {
    Report report;
    report.tap = "a \"tap\"\n";
    report.media_type = "application/x-rtp";
    report.rtp = true;
    report.final = true;
    report.packets.streams.emplace_back().format = kPcmu;
    const std::string line = to_json(report);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_NE(line.find(R"("tap":"a \"tap\"\u000a")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("codec":"PCMU")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("time":"1970-01-01T00:00:00.000Z")"), std::string::npos) << line;
}
