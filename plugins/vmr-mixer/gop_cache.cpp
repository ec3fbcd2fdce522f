#include "gop_cache.hpp"

#include <algorithm>

namespace vmr::mixer {
namespace {

constexpr GstClockTime kLongest = 500 * GST_MSECOND;  // as long as keyframe requests are held back
constexpr std::size_t kMostFrames = 31;
constexpr std::size_t kMostBytes = 512 * 1024;
constexpr GstClockTime kStep = GST_MSECOND;
constexpr GstClockTime kLeastStep = 25 * GST_USECOND;  // two ticks of RTP's 90 kHz

}  // namespace

bool is_keyframe(const BufferPtr& frame) {
    return !GST_BUFFER_FLAG_IS_SET(frame.get(), GST_BUFFER_FLAG_DELTA_UNIT);
}

void GopCache::clear() {
    frames_.clear();
    bytes_ = 0;
}

void GopCache::add(const BufferPtr& frame) {
    if (is_keyframe(frame)) {
        clear();
    } else if (frames_.empty()) {
        return;
    }
    frames_.push_back(frame);
    bytes_ += gst_buffer_get_size(frame.get());
    const GstClockTime age = GST_BUFFER_PTS(frame.get()) - GST_BUFFER_PTS(frames_.front().get());
    if (frames_.size() > kMostFrames || bytes_ > kMostBytes || age >= kLongest) {
        clear();
    }
}

std::vector<BufferPtr> GopCache::replay(GstClockTime after, GstClockTime before) const {
    std::vector<BufferPtr> frames;
    if (frames_.empty() || before <= after) {
        return frames;
    }
    const GstClockTime step = std::min(kStep, (before - after) / (frames_.size() + 1));
    if (step < kLeastStep) {
        return frames;
    }
    GstClockTime time = before - step * frames_.size();
    for (const BufferPtr& kept : frames_) {
        GstBuffer* frame = gst_buffer_copy(kept.get());  // the header; the bytes are shared
        GST_BUFFER_PTS(frame) = time;
        GST_BUFFER_DTS(frame) = time;
        time += step;
        frames.push_back(BufferPtr::adopt(frame));
    }
    return frames;
}

}  // namespace vmr::mixer
