#include "gop_cache.hpp"

#include <gtest/gtest.h>

namespace vmr::mixer {
namespace {

constexpr GstClockTime kPeriod = 40 * GST_MSECOND;

class GopCacheTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void add(bool key, std::size_t bytes = 100) {
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes, nullptr);
        GST_BUFFER_PTS(buffer) = now_;
        now_ += kPeriod;
        if (!key) {
            GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        }
        cache_.add(BufferPtr::adopt(buffer));
    }
    GopCache cache_;
    GstClockTime now_ = GST_SECOND;
};

TEST_F(GopCacheTest, ReplaysFromTheKeyframeOnInRisingTimes) {
    add(false);
    EXPECT_TRUE(cache_.replay(0, now_).empty());
    add(true);
    add(false);
    add(false);
    const GstClockTime seen = now_ - kPeriod;
    const auto frames = cache_.replay(seen, now_);
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_TRUE(is_keyframe(frames[0]));
    GstClockTime last = seen;
    for (const BufferPtr& frame : frames) {
        EXPECT_GT(GST_BUFFER_PTS(frame.get()), last);
        last = GST_BUFFER_PTS(frame.get());
    }
    EXPECT_LT(last, now_);
}

TEST_F(GopCacheTest, KeepsHalfASecond) {
    add(true);
    for (int i = 0; i < 11; ++i) {
        add(false);
    }
    EXPECT_EQ(cache_.replay(0, now_).size(), 12U);
    add(false);
    add(false);
    EXPECT_TRUE(cache_.replay(0, now_).empty());
    add(true);
    EXPECT_EQ(cache_.replay(0, now_).size(), 1U);
}

TEST_F(GopCacheTest, KeepsNotTooManyBytes) {
    add(true, 400 * 1024);
    EXPECT_EQ(cache_.replay(0, now_).size(), 1U);
    add(false, 400 * 1024);
    EXPECT_TRUE(cache_.replay(0, now_).empty());
}

TEST_F(GopCacheTest, WhoHasSeenLaterPicturesGetsNone) {
    add(true);
    EXPECT_TRUE(cache_.replay(now_, now_).empty());
    EXPECT_TRUE(cache_.replay(now_ + GST_SECOND, now_).empty());
}

}  // namespace
}  // namespace vmr::mixer
