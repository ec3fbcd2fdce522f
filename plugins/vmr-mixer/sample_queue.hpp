// What one participant sent and the mixer has not yet played: bounded, and slightly elastic.
#pragma once
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "mix_kernel.hpp"

namespace vmr::mixer {

// Not thread-safe. push() comes from the sender's thread, pull() from the mixing clock; the two
// clocks drift, so pull() may take a sample more or less than a block (at most 0.2 %, by
// interpolation) to hold the depth where it was. An empty queue plays silence and fills up
// again first, so a sender that stalls costs nobody else anything.
class SampleQueue {
public:
    static constexpr std::size_t kCapacity = 4800;  // 100 ms; older samples are dropped
    static constexpr std::size_t kPrefill = 1440;   // 30 ms before the first block is played

    SampleQueue();
    void push(std::span<const std::int16_t> samples);
    // Fills `out`, one tick; false: there was nothing to play and `out` is silence.
    bool pull(std::span<std::int16_t> out);
    void clear();

    std::size_t depth() const { return size_; }
    std::uint64_t dropped() const { return dropped_; }      // samples
    std::uint64_t underruns() const { return underruns_; }  // times the queue ran dry

private:
    std::int16_t at(std::size_t offset) const { return ring_[(head_ + offset) % kCapacity]; }
    void discard(std::size_t count);
    void pull_straight(std::span<std::int16_t> out);
    void pull_stretched(std::span<std::int16_t> out, std::size_t take);
    void play_tail(std::span<std::int16_t> out);
    void adapt();

    std::vector<std::int16_t> ring_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
    bool playing_ = false;
    bool fade_in_ = false;
    int correction_ = 0;  // samples taken more (+) or less (-) than a block, each pull
    std::size_t window_min_ = kCapacity;
    int window_pulls_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t underruns_ = 0;
};

}  // namespace vmr::mixer
