#include "jitter_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vmr::mixer {
namespace {

constexpr std::int64_t kFirstSequence = 1 << 16;  // so that older ones stay positive
constexpr std::int64_t kDueEarlyUs = 5'000;
constexpr std::int64_t kTolerateUs = 10'000;     // of delay over or under the target
constexpr std::int64_t kHurryUs = 40'000;        // over the target: play clearly faster
constexpr std::int64_t kTooOldUs = 120'000;      // over the target: leave frames out, heard or not
constexpr std::int64_t kTimeJumpUs = 5'000'000;  // the sender's clock began anew
constexpr int kConcealMs = 100;                  // then a leg has stalled
constexpr std::uint8_t kQuietLevel = 60;         // -dBov

}  // namespace

JitterBuffer::JitterBuffer(int clock_rate, DelayEstimator::Limits limits)
    : clock_rate_(clock_rate), estimator_(limits) {}

void JitterBuffer::restart(const RtpView& view) {
    for (Slot& slot : slots_) {
        slot.sequence = -1;
    }
    count_ = 0;
    estimator_.reset();
    started_ = true;
    playing_ = false;
    fresh_ = true;
    probation_.reset();
    ssrc_ = view.ssrc;
    highest_ = kFirstSequence + view.sequence;
    highest_timestamp_ = (std::int64_t{1} << 32) + view.timestamp;
    play_sequence_ = highest_;
    play_timestamp_ = highest_timestamp_;
    expanded_ = 0;
    last_pause_ = false;
}

// False: not to be believed (yet).
bool JitterBuffer::follow_sequence(const RtpView& view, std::int64_t& extended) {
    if (!started_ || view.ssrc != ssrc_) {
        restart(view);
    }
    const auto step = static_cast<std::int16_t>(view.sequence - static_cast<std::uint16_t>(highest_));
    if (std::abs(step) >= kSlots) {
        if (probation_ != view.sequence) {
            probation_ = static_cast<std::uint16_t>(view.sequence + 1);
            return false;
        }
        restart(view);
        extended = highest_;
        return true;
    }
    probation_.reset();
    extended = highest_ + step;
    return true;
}

void JitterBuffer::push(const Packet& packet, std::int64_t arrival_us) {
    const RtpView& view = packet.view;
    std::int64_t sequence = 0;
    if (!follow_sequence(view, sequence)) {
        return;
    }
    const auto moved =
        static_cast<std::int32_t>(view.timestamp - static_cast<std::uint32_t>(highest_timestamp_));
    const std::int64_t timestamp = highest_timestamp_ + moved;
    const std::int64_t media_us = to_us(timestamp);
    if (estimator_.known() && std::abs(arrival_us - estimator_.expected_arrival_us(media_us)) > kTimeJumpUs) {
        restart(view);
        push(packet, arrival_us);
        return;
    }
    const bool late = sequence < play_sequence_;
    estimator_.on_packet_arrived(arrival_us, media_us, late);
    if (late) {
        ++counters_.late;
        return;
    }
    for (; sequence - play_sequence_ >= kSlots; ++play_sequence_) {
        Slot& oldest = slot(play_sequence_);
        if (oldest.sequence == play_sequence_) {
            discard(oldest);
            ++counters_.overflows;
        }
        playing_ = false;
    }
    Slot& place = slot(sequence);
    if (place.sequence == sequence) {
        ++counters_.duplicates;
        return;
    }
    place.sequence = sequence;
    place.timestamp = timestamp;
    place.duration = packet.duration;
    place.pause = packet.pause;
    place.level = view.level;
    place.payload.assign(view.payload.begin(), view.payload.end());
    ++count_;
    if (sequence > highest_) {
        highest_ = sequence;
        highest_timestamp_ = timestamp;
    }
}

JitterBuffer::Slot* JitterBuffer::first() {
    if (count_ == 0) {
        return nullptr;
    }
    for (std::int64_t sequence = play_sequence_; sequence <= highest_; ++sequence) {
        if (Slot& found = slot(sequence); found.sequence == sequence) {
            return &found;
        }
    }
    return nullptr;
}

void JitterBuffer::discard(Slot& slot) {
    slot.sequence = -1;
    --count_;
}

std::int64_t JitterBuffer::delay_of(const Slot& slot, std::int64_t play_us) const {
    return play_us - estimator_.expected_arrival_us(to_us(slot.timestamp));
}

// The packet that is due, or nothing yet. What is older than the target allows is left out.
JitterBuffer::Slot* JitterBuffer::begin_playing(std::int64_t play_us) {
    Slot* next = first();
    while (next != nullptr && count_ > 1 &&
           delay_of(*next, play_us) > estimator_.target_us() + to_us(next->duration) + kDueEarlyUs) {
        play_sequence_ = next->sequence + 1;
        discard(*next);
        ++counters_.skipped;
        next = first();
    }
    if (next == nullptr || delay_of(*next, play_us) + kDueEarlyUs < estimator_.target_us()) {
        return nullptr;
    }
    play_sequence_ = next->sequence;
    play_timestamp_ = next->timestamp;
    expanded_ = 0;
    playing_ = true;
    return next;
}

// Brings a delay that is too long down: whole frames where nobody hears it.
JitterBuffer::Slot* JitterBuffer::shorten(Slot* next, std::int64_t play_us, bool quiet) {
    while (count_ > 1) {
        const std::int64_t excess = delay_of(*next, play_us) - estimator_.target_us();
        const bool unheard = quiet || next->level.value_or(0) >= kQuietLevel;
        if (excess < (unheard ? to_us(next->duration) : kTooOldUs)) {
            break;
        }
        play_sequence_ = next->sequence + 1;
        play_timestamp_ = next->timestamp + next->duration;
        discard(*next);
        ++counters_.skipped;
        next = first();
    }
    return next;
}

// Fills what is missing before `next` (null: nothing has come). False: nothing is missing.
bool JitterBuffer::conceal(const Slot* next, Frame& out) {
    const int most = clock_rate_ * kConcealMs / 1000;
    int missing = last_duration_;
    bool recoverable = false;
    if (next == nullptr) {
        if (last_pause_ || expanded_ >= most || last_duration_ == 0) {
            playing_ = false;
            return false;
        }
        expanded_ += missing;
    } else {
        const std::int64_t gap = next->timestamp - play_timestamp_ - expanded_;
        if (gap <= 0) {
            return false;
        }
        if (next->sequence == play_sequence_ || gap > most) {
            playing_ = false;  // a pause of the sender, or too much for concealment
            return false;
        }
        missing = static_cast<int>(std::min<std::int64_t>(gap, missing > 0 ? missing : next->duration));
        recoverable = gap == missing;
        play_timestamp_ += missing;
    }
    ++counters_.lost;
    out.kind = recoverable ? Kind::recoverable : Kind::lost;
    out.duration = missing;
    if (recoverable) {
        out.payload.assign(next->payload.begin(), next->payload.end());
    }
    return true;
}

void JitterBuffer::play(Slot& slot, Frame& out) {
    out.kind = Kind::packet;
    out.duration = slot.duration;
    out.level = slot.level;
    out.payload.swap(slot.payload);
    out.fresh = std::exchange(fresh_, false);
    play_sequence_ = slot.sequence + 1;
    play_timestamp_ = slot.timestamp + slot.duration;
    expanded_ = 0;
    last_duration_ = slot.duration;
    last_pause_ = slot.pause;
    ++counters_.played;
    discard(slot);
}

void JitterBuffer::pull(std::int64_t play_us, bool quiet, Frame& out) {
    out.kind = Kind::idle;
    out.fresh = false;
    out.level.reset();
    stretch_ = 0;
    Slot* next = playing_ ? first() : begin_playing(play_us);
    if (!playing_) {
        return;
    }
    if (conceal(next, out)) {
        return;
    }
    if (!playing_) {
        next = begin_playing(play_us);
    }
    if (next == nullptr || !playing_) {
        return;
    }
    next = shorten(next, play_us, quiet);
    delay_us_ = delay_of(*next, play_us);
    const std::int64_t excess = delay_us_ - estimator_.target_us();
    const std::int64_t short_of = std::max(to_us(next->duration), kTolerateUs);
    if ((quiet || next->level.value_or(0) >= kQuietLevel) && excess <= -short_of) {
        return;  // one more frame of silence
    }
    if (excess > kTolerateUs) {
        stretch_ = excess > kHurryUs ? 2 : 1;
    } else if (excess < -kTolerateUs) {
        stretch_ = excess < -kHurryUs ? -2 : -1;
    }
    play(*next, out);
}

}  // namespace vmr::mixer
