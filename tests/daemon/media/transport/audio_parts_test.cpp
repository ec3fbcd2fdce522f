// What AudioRtp is made of, without threads or time.
#include <gtest/gtest.h>

#include <array>

#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtcp_writer.hpp"
#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_router.hpp"
#include "daemon/media/transport/send_line.hpp"
#include "daemon/media/transport/stream_choice.hpp"
#include "daemon/media/transport/telephone_events.hpp"
#include "srtp/receive_counts.hpp"

namespace vmr::media {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;  // ns

std::vector<uint8_t> packet(uint16_t sequence, uint32_t timestamp, uint32_t ssrc, size_t payload = 20) {
    std::vector<uint8_t> bytes(12 + payload, 0x55);
    bytes[0] = 0x80;
    bytes[1] = 0;
    put16(bytes, 2, sequence);
    put32(bytes, 4, timestamp);
    put32(bytes, 8, ssrc);
    return bytes;
}

class SendLineTest : public testing::Test {
protected:
    SendLineTest() {
        line_.set({.ssrc = 7, .payload_type = 9, .clock_rate = 8000, .mid = "", .mid_extension = 0});
    }
    Bytes write(Bytes bytes, uint64_t running_time) {
        return Bytes(out_).first(line_.write(bytes, running_time, out_));
    }
    SendLine line_{100, 5000};
    std::array<uint8_t, 1500> out_{};
};

TEST_F(SendLineTest, IsOneStreamWhoeverMakesIt) {
    Bytes sent = write(packet(60000, 1, 1), 0);
    EXPECT_EQ(read16(sent, 2), 100);
    EXPECT_EQ(read32(sent, 4), 5000U);
    EXPECT_EQ(read32(sent, 8), 7U);
    EXPECT_EQ(sent[1], 9);
    sent = write(packet(60001, 161, 1), 20 * kMillisecond);
    EXPECT_EQ(read32(sent, 4), 5160U);

    line_.note_new_source();
    sent = write(packet(3, 0xFFFFFFF0, 2), 60 * kMillisecond);
    EXPECT_EQ(read16(sent, 2), 102);
    EXPECT_EQ(read32(sent, 4), 5480U) << "the time between the two has passed in the stream too";
    EXPECT_EQ(read32(sent, 8), 7U);
    sent = write(packet(4, 0xFFFFFFF0 + 160, 2), 80 * kMillisecond);
    EXPECT_EQ(read32(sent, 4), 5640U);
    EXPECT_EQ(line_.counts().packets, 4U);
    EXPECT_EQ(line_.counts().bytes, 80U);
    EXPECT_EQ(line_.timestamp_at(100 * kMillisecond), 5800U);
}

// RFC 3711 section 3.3.1: a first packet beyond 2^15 could be one of before a roll-over.
TEST_F(SendLineTest, AnotherSsrcIsAnotherStream) {
    SendLine line{0xFFFE, 5000};
    line.set({.ssrc = 7, .payload_type = 9, .clock_rate = 8000, .mid = "", .mid_extension = 0});
    const auto sequence = [&] {
        line.write(packet(1, 0, 1), 0, out_);
        return read16(out_, 2);
    };
    EXPECT_EQ(sequence(), 0x7FFE);
    EXPECT_EQ(sequence(), 0x7FFF);
    EXPECT_EQ(sequence(), 0x8000);
    line.set({.ssrc = 7, .payload_type = 8, .clock_rate = 8000, .mid = "", .mid_extension = 0});
    EXPECT_EQ(sequence(), 0x8001);
    line.set({.ssrc = 8, .payload_type = 8, .clock_rate = 8000, .mid = "", .mid_extension = 0});
    EXPECT_LT(sequence(), 0x8000);
    EXPECT_EQ(read32(out_, 8), 8U);
    EXPECT_EQ(line.counts().packets, 5U);
    EXPECT_EQ(line.counts_of_ssrc().packets, 1U);
}

TEST_F(SendLineTest, NeverRepeatsATimestampWhenTheSourceChanges) {
    write(packet(1, 0, 1), 20 * kMillisecond);
    line_.note_new_source();
    const Bytes sent = write(packet(1, 0, 2), 20 * kMillisecond);
    EXPECT_GT(read32(sent, 4), 5000U);
}

TEST_F(SendLineTest, WritesTheMidAndTheSourcesPayloadOnly) {
    line_.set({.ssrc = 7, .payload_type = 111, .clock_rate = 48000, .mid = "audio1", .mid_extension = 3});
    auto original = packet(1, 0, 1, 8 + 4);
    original[0] |= 0x30;  // an extension, and padding
    put16(original, 12, 0xBEDE);
    put16(original, 14, 1);
    put32(original, 16, 0x10410000);
    original.back() = 2;
    const Bytes sent = write(original, 0);
    const auto header = parse_rtp(sent);
    ASSERT_TRUE(header);
    EXPECT_EQ(find_extension(*header, 3), "audio1");
    EXPECT_TRUE(find_extension(*header, 1).empty());
    EXPECT_EQ(sent.size(), 12U + 4U + 8U + 2U);
    EXPECT_EQ(sent[0], 0x90);
}

TEST_F(SendLineTest, RefusesWhatIsNotRtpOrDoesNotFit) {
    EXPECT_TRUE(write(std::vector<uint8_t>(11, 0x80), 0).empty());
    EXPECT_TRUE(write(packet(1, 0, 1, 0), 0).empty());
    EXPECT_TRUE(write(packet(1, 0, 1, 1490), 0).empty());
    auto padded = packet(1, 0, 1, 4);
    padded[0] |= 0x20;
    padded.back() = 200;
    EXPECT_TRUE(write(padded, 0).empty());
    EXPECT_EQ(line_.counts().packets, 0U);
}

TEST(TelephoneEventsTest, ReportsEachKeyOnceThoughItsPacketsAreMany) {
    TelephoneEvents events;
    const std::array<uint8_t, 4> five{5, 0x0A, 0, 160}, end{5, 0x8A, 3, 32}, hash{11, 10, 0, 160};
    EXPECT_EQ(events.read(1, 1000, five, 0), '5');
    EXPECT_EQ(events.read(1, 1000, five, 20'000), std::nullopt);
    for (int copy = 0; copy < 3; ++copy) {
        EXPECT_EQ(events.read(1, 1000, end, 100'000), std::nullopt);
    }
    EXPECT_EQ(events.read(1, 2000, five, 200'000), '5') << "the same key again";
    EXPECT_EQ(events.read(1, 3000, hash, 300'000), '#');
    EXPECT_EQ(events.read(1, 2000, five, 310'000), std::nullopt) << "late";
    EXPECT_EQ(events.read(2, 10, hash, 400'000), '#') << "another stream has its own time";
}

TEST(TelephoneEventsTest, IgnoresNonsenseAndFloods) {
    TelephoneEvents events;
    EXPECT_EQ(events.read(1, 1, std::array<uint8_t, 3>{1, 2, 3}, 0), std::nullopt);
    EXPECT_EQ(events.read(1, 1, std::array<uint8_t, 4>{16, 0, 0, 0}, 0), std::nullopt) << "flash is no key";
    int keys = 0;
    for (uint32_t i = 1; i <= 1000; ++i) {
        keys += events.read(1, i, std::array<uint8_t, 4>{1, 0, 0, 0}, 500'000) ? 1 : 0;
    }
    EXPECT_EQ(keys, 25);
}

TEST(StreamChoiceTest, TheNewestStreamIsHeardAndAnOldOneOnlyWhenItStops) {
    using Verdict = StreamChoice::Verdict;
    StreamChoice choice;
    EXPECT_EQ(choice.choose(1, 0, 0), Verdict::changed);
    EXPECT_EQ(choice.choose(1, 0, 20'000), Verdict::same);
    EXPECT_EQ(choice.choose(2, 0, 40'000), Verdict::refused) << "too soon after the last change";
    EXPECT_EQ(choice.choose(2, 0, 140'000), Verdict::changed);
    EXPECT_EQ(choice.choose(1, 0, 400'000), Verdict::refused);
    EXPECT_EQ(choice.choose(2, 0, 420'000), Verdict::same);
    EXPECT_EQ(choice.choose(1, 0, 1'000'000), Verdict::changed) << "the other one is silent";
    EXPECT_EQ(choice.choose(1, 8, 1'200'000), Verdict::changed) << "another codec";
}

TEST(StreamChoiceTest, TwoStreamsAtOnceMakeFewChanges) {
    StreamChoice choice;
    int changes = 0;
    for (int64_t tick = 0; tick < 500; ++tick) {
        for (const uint32_t ssrc : {1U, 2U, 3U}) {
            changes += choice.choose(ssrc, 0, tick * 20'000) == StreamChoice::Verdict::changed ? 1 : 0;
        }
    }
    EXPECT_EQ(changes, 3);
}

TEST(RtcpWriterTest, WritesWhatAPeerReads) {
    const SenderInfo sender{
        .ntp = ntp_time(1'700'000'000'500'000), .timestamp = 77, .packets = 5, .bytes = 800};
    const ReportBlock block{.ssrc = 0xABCD,
                            .fraction_lost = 64,
                            .lost = -2,
                            .highest = 70000,
                            .jitter = 12,
                            .last_report = ntp_middle(1'700'000'000'000'000),
                            .delay = 32768};
    const auto compound = write_report(7, "a-cname", sender, block);
    ASSERT_TRUE(is_rtcp(compound));
    EXPECT_EQ(compound[1], 200);
    EXPECT_EQ(compound.size() % 4, 0U);
    EXPECT_NE(std::string(compound.begin(), compound.end()).find("a-cname"), std::string::npos);

    RtcpReports reports;
    reports.read(compound, ntp_middle(1'700'000'000'600'000));
    const auto report = reports.of(0xABCD);
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(report->fraction_lost, 0.25);
    EXPECT_EQ(report->lost_packets, -2);
    EXPECT_EQ(report->jitter, 12U);
    EXPECT_NEAR(report->round_trip_ms.value_or(0), 100, 1);

    const PeerRtcp peer = read_peer_rtcp(compound);
    ASSERT_EQ(peer.senders.size(), 1U);
    EXPECT_EQ(peer.senders[0].ssrc, 7U);
    EXPECT_EQ(peer.senders[0].ntp_middle, ntp_middle(1'700'000'000'500'000));
    EXPECT_TRUE(peer.byes.empty());
}

TEST(RtcpWriterTest, ListenersReportAndEverybodySaysGoodbye) {
    const auto empty = write_report(7, "c", std::nullopt, std::nullopt);
    ASSERT_TRUE(is_rtcp(empty));
    EXPECT_EQ(empty[1], 201);
    const auto bye = write_bye(7, "c");
    ASSERT_TRUE(is_rtcp(bye));
    EXPECT_EQ(read_peer_rtcp(bye).byes, std::vector<uint32_t>{7});
    EXPECT_TRUE(is_rtcp(write_report(7, std::string(1000, 'x'), std::nullopt, std::nullopt)));
}

TEST(RtcpWriterTest, ReportsComeEveryFiveSecondsOrSo) {
    EXPECT_NEAR(static_cast<double>(report_interval(0)), 2.05e6, 1e4);
    EXPECT_NEAR(static_cast<double>(report_interval(1)), 6.16e6, 1e4);
}

TEST(RtcpWriterTest, ReadsPiecesOfPacketsWithoutHarm) {
    const auto whole = write_bye(7, "somebody");
    for (size_t size = 0; size < whole.size(); ++size) {
        read_peer_rtcp(Bytes(whole).first(size));
    }
    for (int seed = 0; seed < 1000; ++seed) {
        std::vector<uint8_t> noise(static_cast<size_t>(seed % 80));
        for (size_t i = 0; i < noise.size(); ++i) {
            noise[i] = static_cast<uint8_t>(seed * 31 + static_cast<int>(i) * 17);
        }
        if (noise.size() > 4) {
            noise[0] = 0x9F;
            noise[1] = static_cast<uint8_t>(200 + seed % 4);
        }
        read_peer_rtcp(noise);
    }
}

class ReceiveCountsTest : public testing::Test {
protected:
    void add(uint16_t sequence, uint32_t ssrc = 1) {
        counts_.add({0, sequence, sequence * 160U, ssrc, 12}, sequence * 20'000'000LL, 8000);
    }
    ReceiveCounts counts_;
};

TEST_F(ReceiveCountsTest, CountsLossInAllAndSinceTheLastReport) {
    for (const uint16_t sequence : {10, 11, 13, 12, 15}) {
        add(sequence);
    }
    EXPECT_EQ(counts_.lost(), 1);
    ReceiveCounts::Report report = counts_.take_report();
    EXPECT_EQ(report.highest, 15U);
    EXPECT_EQ(report.lost, 1);
    EXPECT_EQ(report.fraction_lost, 256 / 6);
    add(16);
    report = counts_.take_report();
    EXPECT_EQ(report.fraction_lost, 0);
    EXPECT_EQ(report.lost, 1);
}

TEST_F(ReceiveCountsTest, GoesRoundAndForgivesARestart) {
    for (const uint16_t sequence : {65534, 65535, 0, 1}) {
        add(sequence);
    }
    EXPECT_EQ(counts_.lost(), 0);
    EXPECT_EQ(counts_.take_report().highest, 65537U);
    add(40000);
    EXPECT_EQ(counts_.lost(), 0) << "one packet from elsewhere is no loss";
    add(40001);
    add(40002);
    EXPECT_EQ(counts_.lost(), 0);
    EXPECT_EQ(counts_.highest(), 40002);
}

TEST_F(ReceiveCountsTest, LossOfAnEarlierStreamIsKept) {
    add(1);
    add(3);
    add(7, 2);
    add(8, 2);
    EXPECT_EQ(counts_.lost(), 1);
    EXPECT_EQ(counts_.take_report().lost, 0);
}

}  // namespace
}  // namespace vmr::media
