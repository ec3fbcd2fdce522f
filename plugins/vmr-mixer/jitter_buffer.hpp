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
// concealed, and played when it still comes: the delay grows by that.
//
// Delay is the age of a packet's first sample, as if it had been sent the moment it was spoken: one that
// is played when it comes is as old as it is long. A packet is held beyond that for as long as nearly
// all the others are late by (DelayEstimator), and for one packet more where what is lost can be
// had from the next one (FEC). spare() says what of the sound lies there without need.
class JitterBuffer {
public:
    struct Limits {
        int shortest_ms = 20;
        int longest_ms = 200;
    };
    struct Packet {
        RtpView view;
        int duration = 0;    // RTP clock
        bool pause = false;  // DTX or comfort noise: nothing need follow
        bool fec = false;    // carries the packet before it
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

    JitterBuffer(int clock_rate, Limits limits);

    void push(const Packet& packet, std::int64_t arrival_us);
    // The tick was due at `due_us` and runs at `now_us`: what comes meanwhile is not late by itself.
    void begin_tick(std::int64_t due_us, std::int64_t now_us);
    // With `ahead` pulled but not yet played, how much of the sound a tick of `span` at `now_us` may leave
    // out, or should add where it is negative: what held for the last ticks. RTP clock. What is `heard` is
    // not changed for little.
    int spare(std::int64_t now_us, int ahead, int span, bool heard);
    void left_out(int clock);  // what was made of it
    // What is next, in a tick at `now_us`.
    void pull(std::int64_t now_us, Frame& out);

    bool holds_next();                            // pull() would give a packet, not conceal one
    std::size_t depth() const { return count_; }  // packets
    std::int64_t target_us() const { return hold_us() + to_us(packet_duration_); }
    double jitter_us() const { return estimator_.jitter_us(); }
    // As of the last packet.
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
    // Of the last ticks, newest first. Packets longer than a tick make it go up and down.
    struct Spare {
        std::int64_t easy_us = 0;    // were packets held a little longer
        std::int64_t strict_us = 0;  // held as long as they are
    };
    static constexpr std::size_t kWindow = 12;  // ticks: two packets of 120 ms in ticks of 20

    bool follow_sequence(const RtpView& view, std::int64_t& extended);
    void restart(const RtpView& view);
    bool excused(std::int64_t arrival_us) const;
    void note_loss(bool lost);
    void note_fec(bool carried);
    void store(const Packet& packet, std::int64_t sequence, std::int64_t timestamp);
    Slot& slot(std::int64_t sequence) { return slots_[static_cast<std::size_t>(sequence % kSlots)]; }
    Slot* first();
    void discard(Slot& slot);
    void make_room(std::vector<std::uint8_t>& payload, std::size_t size);
    std::int64_t to_us(std::int64_t clock) const { return clock * 1'000'000 / clock_rate_; }
    int to_clock(std::int64_t us) const { return static_cast<int>(us * clock_rate_ / 1'000'000); }
    std::int64_t hold_us() const;  // how long a packet waits
    std::int64_t waited_us(std::int64_t timestamp, std::int64_t now_us) const;
    std::int64_t packets_us(std::int64_t beyond_us) const;
    Slot* begin_playing(std::int64_t now_us);
    Slot* skip_old(Slot* next, std::int64_t now_us);
    bool conceal(const Slot* next, Frame& out);
    void play(Slot& slot, std::int64_t now_us, Frame& out);

    int clock_rate_;
    Limits limits_;
    DelayEstimator estimator_;
    std::array<Slot, kSlots> slots_;
    std::size_t count_ = 0;
    std::vector<std::vector<std::uint8_t>> spare_payloads_;  // of slots that are empty
    bool started_ = false;                                   // a first packet has come
    bool playing_ = false;
    bool fresh_ = true;
    std::uint32_t ssrc_ = 0;
    std::int64_t highest_ = 0;                // extended sequence number
    std::int64_t highest_timestamp_ = 0;      // extended
    std::optional<std::uint16_t> probation_;  // next after a jump too large to believe
    std::int64_t play_sequence_ = 0;          // next to be played
    std::int64_t play_timestamp_ = 0;
    int expanded_ = 0;         // RTP clock, concealed since the last packet
    int last_duration_ = 0;    // of the last packet that was played
    int packet_duration_ = 0;  // of the last that came
    bool last_pause_ = false;
    double loss_ = 0.0;      // share of the last packets
    int fec_patience_ = 0;   // packets for which the sender is still believed to send FEC
    bool hold_fec_ = false;  // a packet more is worth its delay
    std::int64_t tick_us_ = 0, tick_span_us_ = 0, stall_end_us_ = 0;
    std::array<Spare, kWindow> spares_{};
    std::size_t spare_count_ = 0;
    std::int64_t delay_us_ = 0;
    Counters counters_;
};

}  // namespace vmr::mixer
