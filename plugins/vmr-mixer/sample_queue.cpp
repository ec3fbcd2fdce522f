#include "sample_queue.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr std::size_t kFade = 96;        // 2 ms at each end of a gap
constexpr int kWindow = 50;              // pulls: the depth is judged once in one second or half
constexpr std::size_t kTooDeep = 1440;   // 30 ms that were never needed within the window
constexpr std::size_t kTooShallow = 96;  // 2 ms: the next late packet would run it dry
constexpr int kCorrection = 2;           // samples a block: 0.2 %, inaudible

}  // namespace

SampleQueue::SampleQueue() : ring_(kCapacity) {}

void SampleQueue::push(std::span<const std::int16_t> samples) {
    if (samples.size() > kCapacity) {
        dropped_ += samples.size() - kCapacity;
        samples = samples.last(kCapacity);
    }
    if (size_ + samples.size() > kCapacity) {
        const std::size_t excess = size_ + samples.size() - kCapacity;
        dropped_ += excess;
        discard(excess);
        fade_in_ = true;
    }
    for (const std::int16_t sample : samples) {
        ring_[(head_ + size_) % kCapacity] = sample;
        ++size_;
    }
}

bool SampleQueue::pull(std::span<std::int16_t> out) {
    if (!playing_ && size_ < kPrefill) {
        std::fill(out.begin(), out.end(), std::int16_t{0});
        return false;
    }
    if (!playing_) {
        playing_ = true;
        fade_in_ = true;
        window_pulls_ = 0;
        window_min_ = kCapacity;
        correction_ = 0;
    }
    const std::size_t block = out.size();
    const std::size_t take = block + static_cast<std::size_t>(correction_ + kCorrection) - kCorrection;
    if (size_ < take + 1) {
        if (size_ >= block) {
            pull_straight(out);
        } else {
            play_tail(out);
            return true;
        }
    } else if (correction_ != 0) {
        pull_stretched(out, take);
    } else {
        pull_straight(out);
    }
    if (fade_in_) {
        fade_in_ = false;
        for (std::size_t i = 0; i < kFade; ++i) {
            out[i] = static_cast<std::int16_t>(out[i] * static_cast<int>(i) / static_cast<int>(kFade));
        }
    }
    adapt();
    return true;
}

void SampleQueue::clear() {
    size_ = 0;
    playing_ = false;
}

void SampleQueue::discard(std::size_t count) {
    count = std::min(count, size_);
    head_ = (head_ + count) % kCapacity;
    size_ -= count;
}

void SampleQueue::pull_straight(std::span<std::int16_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = at(i);
    }
    discard(out.size());
}

// `take` samples become one block; sample `take` is the next block's first and only looked at.
void SampleQueue::pull_stretched(std::span<std::int16_t> out, std::size_t take) {
    const float step = static_cast<float>(take) / static_cast<float>(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const float position = static_cast<float>(i) * step;
        const auto whole = static_cast<std::size_t>(position);
        const float part = position - static_cast<float>(whole);
        const float value = static_cast<float>(at(whole)) * (1.0F - part) +
                            static_cast<float>(at(std::min(whole + 1, size_ - 1))) * part;
        out[i] = static_cast<std::int16_t>(std::lrintf(value));
    }
    discard(take);
}

void SampleQueue::play_tail(std::span<std::int16_t> out) {
    const std::size_t count = size_;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t left = count - i;
        const int gain = static_cast<int>(std::min(left, kFade));
        out[i] = static_cast<std::int16_t>(at(i) * gain / static_cast<int>(kFade));
    }
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(count), out.end(), std::int16_t{0});
    clear();
    ++underruns_;
}

void SampleQueue::adapt() {
    window_min_ = std::min(window_min_, size_);
    if (++window_pulls_ < kWindow) {
        return;
    }
    if (window_min_ > kTooDeep) {
        correction_ = kCorrection;
    } else if (window_min_ < kTooShallow) {
        correction_ = -kCorrection;
    } else {
        correction_ = 0;
    }
    window_pulls_ = 0;
    window_min_ = kCapacity;
}

}  // namespace vmr::mixer
