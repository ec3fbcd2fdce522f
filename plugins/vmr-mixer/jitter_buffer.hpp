// A leg's received packets until they are played: ordered, bounded, and no later than need be.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "delay_estimator.hpp"
#include "rtp_packet.hpp"

namespace vmr::mixer {

// Pure and passive: no thread, no timer, no lock; the mixer's tick pulls. Durations are in units of
// the RTP clock, times in µs on any clock that both sides share.
//
// What is missing is told apart: a gap in the sequence numbers is loss, a jump of the timestamp
// without one is a pause of the sender (DTX). A packet that is not there when its turn comes is
// concealed, and played when it still comes: the delay grows by that. The delay follows
// DelayEstimator: frames are left out or silence added while the leg is quiet, and stretch() asks
// for a slightly faster or slower play otherwise.
class JitterBuffer {
public:
    struct Packet {
        RtpView view;
        int duration = 0;    // RTP clock
        bool pause = false;  // DTX or comfort noise: nothing need follow
    };
    enum class Kind {
        packet,
        recoverable,  // lost; `payload` is the next packet, which may carry it (in-band FEC)
        lost,
        idle,  // nothing to be played: before the start, in a pause, after a stall
    };
    struct Frame {
        Kind kind = Kind::idle;
        std::vector<std::uint8_t> payload;
        int duration = 0;                   // RTP clock; not of idle
        bool fresh = false;                 // another stream than before: a decoder knows nothing of it
        std::optional<std::uint8_t> level;  // -dBov
    };
    struct Counters {
        std::uint64_t played = 0, lost = 0, late = 0, duplicates = 0, skipped = 0, overflows = 0;
    };

    JitterBuffer(int clock_rate, DelayEstimator::Limits limits);

    void push(const Packet& packet, std::int64_t arrival_us);
    // What is heard from `play_us` on. `quiet`: nobody would notice a frame more or less.
    void pull(std::int64_t play_us, bool quiet, Frame& out);
    // -2 (slower) to 2 (faster), as of the last pull.
    int stretch() const { return stretch_; }

    std::size_t depth() const { return count_; }  // packets
    std::int64_t target_us() const { return estimator_.target_us(); }
    double jitter_us() const { return estimator_.jitter_us(); }
    // From arrival (of the fastest packets) to being played, as of the last packet.
    std::int64_t delay_us() const { return delay_us_; }
    const Counters& counters() const { return counters_; }

private:
    static constexpr std::int64_t kSlots = 128;
    struct Slot {
        std::int64_t sequence = -1;  // -1: empty
        std::int64_t timestamp = 0;
        int duration = 0;
        bool pause = false;
        std::optional<std::uint8_t> level;
        std::vector<std::uint8_t> payload;
    };

    bool follow_sequence(const RtpView& view, std::int64_t& extended);
    void restart(const RtpView& view);
    Slot& slot(std::int64_t sequence) { return slots_[static_cast<std::size_t>(sequence % kSlots)]; }
    Slot* first();
    void discard(Slot& slot);
    std::int64_t to_us(std::int64_t clock) const { return clock * 1'000'000 / clock_rate_; }
    std::int64_t delay_of(const Slot& slot, std::int64_t play_us) const;
    Slot* begin_playing(std::int64_t play_us);
    Slot* shorten(Slot* next, std::int64_t play_us, bool quiet);
    bool conceal(const Slot* next, Frame& out);
    void play(Slot& slot, Frame& out);

    int clock_rate_;
    DelayEstimator estimator_;
    std::array<Slot, kSlots> slots_;
    std::size_t count_ = 0;
    bool started_ = false;  // a first packet has come
    bool playing_ = false;
    bool fresh_ = true;
    std::uint32_t ssrc_ = 0;
    std::int64_t highest_ = 0;                // extended sequence number
    std::int64_t highest_timestamp_ = 0;      // extended
    std::optional<std::uint16_t> probation_;  // next after a jump too large to believe
    std::int64_t play_sequence_ = 0;          // next to be played
    std::int64_t play_timestamp_ = 0;
    int expanded_ = 0;  // RTP clock, concealed since the last packet
    int last_duration_ = 0;
    bool last_pause_ = false;
    int stretch_ = 0;
    std::int64_t delay_us_ = 0;
    Counters counters_;
};

}  // namespace vmr::mixer
