#include "jitter_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vmr::mixer {
namespace {

constexpr std::int64_t kFirstSequence = 1 << 16;  // so that older ones stay positive
constexpr std::int64_t kHysteresisUs = 4'000;     // of the hold: less is not worth a change
constexpr std::int64_t kUnheardHysteresisUs = 1'000;
constexpr std::int64_t kTooOldUs = 120'000;      // beyond the hold: leave packets out, heard or not
constexpr std::int64_t kTimeJumpUs = 5'000'000;  // the sender's clock began anew
constexpr std::int64_t kOverdueUs = 10'000;      // a tick that is so late was not given the processor
constexpr std::int64_t kAfterStallUs = 20'000;   // for the others to be woken as well
constexpr int kConcealMs = 100;                  // then a leg has stalled
constexpr double kLossMemory = 1.0 / 256.0;      // of a packet
constexpr double kLossy = 0.015,
                 kClean = 0.005;            // share of packets: where FEC begins and ends to be worth a delay
constexpr std::size_t kPayloadRoom = 256;   // bytes: most packets fit, so that few memories grow later
constexpr std::size_t kSparePayloads = 24;  // what a stall of 300 ms brings, and what is being played
constexpr int kFecPatience = 250;           // packets; FEC comes with speech only

}  // namespace

JitterBuffer::JitterBuffer(int clock_rate, Limits limits)
    : clock_rate_(clock_rate),
      limits_{limits.shortest_ms, std::max(limits.shortest_ms, limits.longest_ms)},
      estimator_(limits_.longest_ms * std::int64_t{1000}) {
    spare_payloads_.reserve(kSlots);
    while (spare_payloads_.size() < kSparePayloads) {
        spare_payloads_.emplace_back().reserve(kPayloadRoom);
    }
}

void JitterBuffer::restart(const RtpView& view) {
    for (Slot& slot : slots_) {
        if (slot.sequence >= 0) {
            discard(slot);
        }
    }
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
    loss_ = 0.0;
    fec_patience_ = 0;
    hold_fec_ = false;
    spare_count_ = 0;
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
    packet_duration_ = packet.duration;
    note_fec(packet.fec);
    estimator_.on_packet_arrived(arrival_us, media_us, to_us(packet.duration), excused(arrival_us));
    if (sequence < play_sequence_) {
        ++counters_.late;
        return;
    }
    store(packet, sequence, timestamp);
}

void JitterBuffer::store(const Packet& packet, std::int64_t sequence, std::int64_t timestamp) {
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
    place.level = packet.view.level;
    make_room(place.payload, packet.view.payload.size());
    place.payload.assign(packet.view.payload.begin(), packet.view.payload.end());
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
    if (slot.payload.capacity() > 0) {
        spare_payloads_.push_back(std::move(slot.payload));
    }
}

// The memory that was let go last: it is the likeliest to be in a cache still.
void JitterBuffer::make_room(std::vector<std::uint8_t>& payload, std::size_t size) {
    if (payload.capacity() >= size) {
        return;
    }
    std::vector<std::uint8_t> old;
    old.swap(payload);
    if (!spare_payloads_.empty()) {
        payload = std::move(spare_payloads_.back());
        spare_payloads_.pop_back();
    }
    if (old.capacity() > 0) {
        spare_payloads_.push_back(std::move(old));
    }
    payload.reserve(std::max(kPayloadRoom, size));
}

void JitterBuffer::note_fec(bool carried) {
    fec_patience_ = carried ? kFecPatience : std::max(0, fec_patience_ - 1);
    hold_fec_ = fec_patience_ > 0 && loss_ > (hold_fec_ ? kClean : kLossy);
}

void JitterBuffer::note_loss(bool lost) {
    loss_ += ((lost ? 1.0 : 0.0) - loss_) * kLossMemory;
}

void JitterBuffer::begin_tick(std::int64_t due_us, std::int64_t now_us) {
    tick_span_us_ = due_us - std::exchange(tick_us_, due_us);
    if (now_us - due_us > kOverdueUs) {
        stall_end_us_ = now_us;
    }
}

// All packets come late where it was us who did not run.
bool JitterBuffer::excused(std::int64_t arrival_us) const {
    const bool overdue = tick_span_us_ > 0 && arrival_us - tick_us_ > tick_span_us_ + kOverdueUs;
    return overdue || (stall_end_us_ > 0 && arrival_us <= stall_end_us_ + kAfterStallUs);
}

std::int64_t JitterBuffer::hold_us() const {
    const std::int64_t packet = to_us(packet_duration_);
    const std::int64_t hold = estimator_.spread_us() + (hold_fec_ ? packet : 0);
    const auto least = std::max<std::int64_t>(0, limits_.shortest_ms * std::int64_t{1000} - packet);
    const auto most = std::max<std::int64_t>(least, limits_.longest_ms * std::int64_t{1000} - packet);
    return std::clamp(hold, least, most);
}

std::int64_t JitterBuffer::waited_us(std::int64_t timestamp, std::int64_t now_us) const {
    return now_us - estimator_.expected_arrival_us(to_us(timestamp));
}

// Sound in the packets that have waited for the hold already or, negative, in those that are played before
// they have. `beyond_us`: how much longer than the hold the next one has waited.
std::int64_t JitterBuffer::packets_us(std::int64_t beyond_us) const {
    const std::int64_t packet = to_us(last_duration_);
    const std::int64_t whole = beyond_us >= 0 ? beyond_us / packet : -((packet - 1 - beyond_us) / packet);
    return packet * (1 + whole);
}

int JitterBuffer::spare(std::int64_t now_us, int ahead, int span, bool heard) {
    if (!playing_ || expanded_ > 0 || last_duration_ == 0) {
        return 0;
    }
    const std::int64_t beyond = waited_us(play_timestamp_, now_us) - hold_us();
    const std::int64_t rest = to_us(ahead - span);
    std::shift_right(spares_.begin(), spares_.end(), 1);
    spares_.front() = {packets_us(beyond - (heard ? kHysteresisUs : kUnheardHysteresisUs)) + rest,
                       packets_us(beyond) + rest};
    spare_count_ = std::min(spare_count_ + 1, kWindow);
    if (spare_count_ < kWindow) {
        return 0;
    }
    const auto easier = [](const Spare& a, const Spare& b) { return a.easy_us < b.easy_us; };
    const auto stricter = [](const Spare& a, const Spare& b) { return a.strict_us < b.strict_us; };
    const std::int64_t easy = std::min_element(spares_.begin(), spares_.end(), easier)->easy_us;
    if (easy > 0) {
        return to_clock(easy);
    }
    const auto half = spares_.begin() + kWindow / 2;
    const std::int64_t strict = std::max(std::min_element(spares_.begin(), half, stricter)->strict_us,
                                         std::min_element(half, spares_.end(), stricter)->strict_us);
    return to_clock(std::min<std::int64_t>(strict, 0));
}

void JitterBuffer::left_out(int clock) {
    for (Spare& spare : spares_) {
        spare.easy_us -= to_us(clock);
        spare.strict_us -= to_us(clock);
    }
}

// The packet that is due, or nothing yet. An onset is played whole, unless it is far too old.
JitterBuffer::Slot* JitterBuffer::begin_playing(std::int64_t now_us) {
    Slot* next = first();
    if (next == nullptr || waited_us(next->timestamp, now_us) < hold_us()) {
        return nullptr;
    }
    play_sequence_ = next->sequence;
    play_timestamp_ = next->timestamp;
    expanded_ = 0;
    spare_count_ = 0;
    playing_ = true;
    return next;
}

JitterBuffer::Slot* JitterBuffer::skip_old(Slot* next, std::int64_t now_us) {
    while (count_ > 1 && waited_us(next->timestamp, now_us) > hold_us() + kTooOldUs) {
        play_sequence_ = next->sequence + 1;
        discard(*next);
        ++counters_.skipped;
        spare_count_ = 0;
        next = first();
        play_timestamp_ = next->timestamp;
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
        note_loss(true);
        // Should it still come, it is too late: its time has passed.
        play_sequence_ = recoverable ? next->sequence : std::min(play_sequence_ + 1, next->sequence - 1);
    }
    ++counters_.lost;
    out.kind = recoverable ? Kind::recoverable : Kind::lost;
    out.duration = missing;
    if (recoverable) {
        make_room(out.payload, next->payload.size());
        out.payload.assign(next->payload.begin(), next->payload.end());
    }
    return true;
}

void JitterBuffer::play(Slot& slot, std::int64_t now_us, Frame& out) {
    out.kind = Kind::packet;
    out.duration = slot.duration;
    out.level = slot.level;
    out.payload.swap(slot.payload);
    out.fresh = std::exchange(fresh_, false);
    delay_us_ = waited_us(slot.timestamp, now_us) + to_us(slot.duration);
    if (expanded_ > 0) {  // what was put in for a packet that came after all is delay
        left_out(static_cast<int>(slot.timestamp - play_timestamp_) - expanded_);
    }
    for (; play_sequence_ < slot.sequence; ++play_sequence_) {
        note_loss(true);
    }
    note_loss(false);
    play_sequence_ = slot.sequence + 1;
    play_timestamp_ = slot.timestamp + slot.duration;
    expanded_ = 0;
    last_duration_ = slot.duration;
    last_pause_ = slot.pause;
    ++counters_.played;
    discard(slot);
}

bool JitterBuffer::holds_next() {
    const Slot* next = playing_ ? first() : nullptr;
    return next != nullptr && next->timestamp <= play_timestamp_;
}

void JitterBuffer::pull(std::int64_t now_us, Frame& out) {
    out.kind = Kind::idle;
    out.fresh = false;
    out.level.reset();
    Slot* next = playing_ ? first() : begin_playing(now_us);
    if (!playing_) {
        return;
    }
    if (next != nullptr) {
        next = skip_old(next, now_us);
    }
    if (conceal(next, out)) {
        return;
    }
    if (!playing_) {
        next = begin_playing(now_us);
    }
    if (next != nullptr && playing_) {
        play(*next, now_us, out);
    }
}

}  // namespace vmr::mixer
