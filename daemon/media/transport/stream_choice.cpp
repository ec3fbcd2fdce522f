#include "daemon/media/transport/stream_choice.hpp"

#include <algorithm>

namespace vmr::media {
namespace {

// A change has its price (chains are built anew): two streams at once must not make one of each packet.
constexpr int64_t kShortestStay = 100'000;  // µs
// A stream that was left is taken again when the one that took its place is silent so long.
constexpr int64_t kSilence = 500'000;  // µs

}  // namespace

StreamChoice::Verdict StreamChoice::choose(uint32_t ssrc, uint8_t payload_type, int64_t now) {
    const Stream stream{ssrc, payload_type};
    if (current_ == stream) {
        heard_at_ = now;
        return Verdict::same;
    }
    if (current_) {
        const bool silent = now - heard_at_ > kSilence;
        const bool returns = ssrc != current_->ssrc && was_left(ssrc);
        if (!silent && (returns || now - changed_at_ < kShortestStay)) {
            return Verdict::refused;
        }
        if (ssrc != current_->ssrc) {
            leave(current_->ssrc);
        }
    }
    current_ = stream;
    changed_at_ = heard_at_ = now;
    return Verdict::changed;
}

bool StreamChoice::was_left(uint32_t ssrc) const {
    return std::ranges::find(left_, ssrc) != left_.end();
}

void StreamChoice::leave(uint32_t ssrc) {
    left_[next_left_] = ssrc;
    next_left_ = (next_left_ + 1) % left_.size();
}

}  // namespace vmr::media
