#include "share_groups.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

TEST(ShareGroups, ListenersShareAndTalkersDoNot) {
    const AudioFormat opus{AudioCodec::opus, 48000, 48000, false};
    const AudioFormat mulaw{AudioCodec::mulaw, 8000, 0, false};
    const std::vector<Listener> listeners{{0, opus}, {1, opus}, {2, opus}, {3, mulaw}, {4, mulaw}};
    const std::vector<unsigned> in_sum{0};
    ShareGroups groups;
    share_groups(listeners, in_sum, groups);
    EXPECT_EQ(groups.streams.size(), 3U);  // all but 0 in Opus; everybody in Opus; everybody in mu-law
    EXPECT_NE(groups.members[0], groups.members[1]);
    EXPECT_EQ(groups.members[1], groups.members[2]);
    EXPECT_EQ(groups.members[3], groups.members[4]);
    EXPECT_EQ(groups.streams[groups.members[0]].mix, 0);
    EXPECT_EQ(groups.streams[groups.members[3]].mix, kCommonMix);
}

TEST(ShareGroups, BitrateSeparates) {
    const std::vector<Listener> listeners{{0, {AudioCodec::opus, 48000, 24000}},
                                          {1, {AudioCodec::opus, 48000, 48000}}};
    ShareGroups groups;
    share_groups(listeners, {}, groups);
    EXPECT_EQ(groups.streams.size(), 2U);
}

}  // namespace
}  // namespace vmr::mixer
