#include "daemon/media/transport/peer_sources.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmr::media {
namespace {

constexpr int64_t kSecond = 1'000'000;  // µs
constexpr unsigned kMost = 32;

void append(std::vector<uint8_t>& bytes, uint32_t number) {
    for (const unsigned shift : {24, 16, 8, 0}) {
        bytes.push_back(static_cast<uint8_t>(number >> shift));
    }
}

std::vector<uint8_t> operator+(std::vector<uint8_t> left, const std::vector<uint8_t>& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

std::vector<uint8_t> receiver_report(uint32_t ssrc) {
    std::vector<uint8_t> packet{0x80, 201, 0, 1};
    append(packet, ssrc);
    return packet;
}

// A chunk of each with a CNAME of one byte.
std::vector<uint8_t> description(const std::vector<uint32_t>& ssrcs) {
    std::vector<uint8_t> packet{static_cast<uint8_t>(0x80 | ssrcs.size()), 202, 0,
                                static_cast<uint8_t>(2 * ssrcs.size())};
    for (const uint32_t ssrc : ssrcs) {
        append(packet, ssrc);
        packet.insert(packet.end(), {1, 1, 'x', 0});
    }
    return packet;
}

std::vector<uint8_t> rtp(const std::vector<uint32_t>& contributors) {
    std::vector<uint8_t> packet{static_cast<uint8_t>(0x80 | contributors.size()), 96, 0, 1, 0, 0, 0, 2};
    append(packet, 7);
    for (const uint32_t ssrc : contributors) {
        append(packet, ssrc);
    }
    packet.insert(packet.end(), {'p', 'a', 'y'});
    return packet;
}

void fill(PeerSources& sources, int64_t now_us) {
    for (uint32_t ssrc = 0; ssrc < kMost; ssrc++) {
        EXPECT_TRUE(sources.admit(ssrc, now_us));
    }
}

TEST(PeerSourcesTest, OneTooManyWaitsUntilAnotherWasQuietForLong) {
    PeerSources sources;
    fill(sources, 0);
    EXPECT_FALSE(sources.admit(100, kSecond));
    for (uint32_t ssrc = 1; ssrc < kMost; ssrc++) {
        EXPECT_TRUE(sources.admit(ssrc, 20 * kSecond));
    }
    EXPECT_TRUE(sources.admit(100, 31 * kSecond)) << "0 was quiet";
    EXPECT_FALSE(sources.admit(0, 32 * kSecond));
    EXPECT_TRUE(sources.admit(1, 33 * kSecond));
}

TEST(PeerSourcesTest, ReportsOfOthersAreCutOutOfACompound) {
    PeerSources sources;
    fill(sources, 0);
    const auto known = receiver_report(1) + description({1, 2});
    EXPECT_EQ(sources.admitted(known, 0), known);
    EXPECT_EQ(sources.admitted(receiver_report(100) + known + receiver_report(101), 0), known);
    EXPECT_EQ(sources.admitted(receiver_report(3) + description({1, 100}), 0), receiver_report(3));
    EXPECT_TRUE(sources.admitted(description({100}), 0).empty());
}

TEST(PeerSourcesTest, ADescriptionIsReadChunkByChunk) {
    PeerSources sources;
    std::vector<uint32_t> many;
    for (uint32_t ssrc = 0; ssrc < 31; ssrc++) {
        many.push_back(ssrc);
    }
    EXPECT_FALSE(sources.admitted(description(many), 0).empty());
    EXPECT_TRUE(sources.admit(100, 0));
    EXPECT_FALSE(sources.admit(101, 0));
    EXPECT_TRUE(sources.admit(30, 0));
}

TEST(PeerSourcesTest, ADescriptionThatIsCutShortIsReadAsFarAsItGoes) {
    for (const std::vector<uint8_t>& packet :
         {std::vector<uint8_t>{0x82, 202, 0, 2, 0, 0, 0, 9, 1, 200, 'x', 'y'}, {0x82, 202, 0, 0}}) {
        EXPECT_EQ(PeerSources().admitted(packet, 0), packet);
    }
}

TEST(PeerSourcesTest, ContributorsAreSourcesToo) {
    PeerSources sources;
    EXPECT_TRUE(sources.admit_contributors(rtp({1, 2, 3}), 0));
    fill(sources, 0);
    EXPECT_TRUE(sources.admit_contributors(rtp({1, 2, 3}), 0));
    EXPECT_FALSE(sources.admit_contributors(rtp({1, 100}), 0));
    EXPECT_EQ(without_contributors(rtp({1, 100})), rtp({}));
}

}  // namespace
}  // namespace vmr::media
