// When a peer goes back to a stream of pictures that it left: rtpbin announces each SSRC and payload type
// only once. Any thread.
#pragma once
#include <atomic>
#include <cstdint>

namespace vmr::media {

class PictureReturn {
public:
    static constexpr std::int64_t kSilence = 500'000;  // µs; as of sound, see stream_choice.cpp

    // A packet of the stream that is taken. `now` in µs of any steady clock.
    void note_taken(std::int64_t now) { taken_at_ = now; }
    // A packet of one that is not. Whether that is to be taken now: what was has fallen silent.
    bool returns(std::int64_t now) {
        std::int64_t before = announced_at_;
        return now - taken_at_ > kSilence && now - before > kSilence &&
               announced_at_.compare_exchange_strong(before, now);
    }

private:
    std::atomic<std::int64_t> taken_at_ = 0, announced_at_ = 0;
};

}  // namespace vmr::media
