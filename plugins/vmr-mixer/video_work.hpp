// What a room's streams and decoders have done so far.
#pragma once
#include <atomic>
#include <cstdint>

namespace vmr::mixer {

// Written by many threads.
struct VideoWork {
    std::atomic<std::uint64_t> encodes{0};
    std::atomic<std::uint64_t> keyframes{0};  // made
    std::atomic<std::uint64_t> skipped{0};    // pictures that an encoder had no time for
    std::atomic<std::uint64_t> replays{0};    // viewers who began with a recent keyframe
    std::atomic<std::uint64_t> decodes{0};
    std::atomic<std::uint64_t> undecoded{0};  // frames of senders whom nobody sees
};

}  // namespace vmr::mixer
