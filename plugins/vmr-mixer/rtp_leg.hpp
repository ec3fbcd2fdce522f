// One participant's RTP: jitter buffer, and a decoder that runs only while they may be heard.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "audio_decoder.hpp"
#include "audio_format.hpp"
#include "jitter_buffer.hpp"

namespace vmr::mixer {

// push() comes from the sender's thread, the rest from the mixing thread: first prepare(), which takes
// what this tick would play and tells what is known of it, then play(), decoded or not.
class RtpLeg {
public:
    struct Format {
        AudioCodec codec = AudioCodec::opus;
        std::optional<std::uint8_t> payload_type;  // others are not for us
        unsigned level_id = 0;                     // RFC 6464 extension, 0: none agreed
        bool operator==(const Format&) const = default;
    };
    struct Preview {
        bool sounding = false;           // not idle: something could be decoded
        std::optional<double> level_db;  // as the sender measured it
    };
    struct Stats {
        std::int64_t delay_ms = 0, target_ms = 0;
        double jitter_ms = 0.0;
        std::uint64_t decodes = 0;
        JitterBuffer::Counters packets;
    };

    RtpLeg(const Format& format, JitterBuffer::Limits limits);

    const Format& format() const { return format_; }
    void push(std::span<const std::uint8_t> rtp, std::int64_t arrival_us);
    // `due_us`: the tick's time; it runs `late_us` after that.
    Preview prepare(std::int64_t due_us, std::size_t samples, std::int64_t late_us = 0);
    // Fills `out` (as long as prepare() was told). Not decoded: `out` is left alone and false is the answer.
    bool play(bool decode, std::span<std::int16_t> out);

    std::uint64_t decodes() const { return decodes_; }
    Stats stats() const;  // from any thread

private:
    using Frame = JitterBuffer::Frame;
    static constexpr std::size_t kMaxFrames = 10;  // in one tick: 20 ms of 2.5 ms packets, and a bit

    std::size_t to_samples(int clock) const;
    bool pull(std::int64_t now_us, std::optional<double>& loudest_db);
    void pass_by(std::size_t samples);
    void begin_decoding();
    void decode(const Frame& frame);
    void append_silence(std::size_t samples);
    void adapt(std::size_t samples);
    void leave_out(std::size_t samples);
    void fade_in(std::size_t at);
    std::ptrdiff_t unheard(std::size_t samples) const;

    const Format format_;
    const int clock_rate_;  // Hz, of RTP timestamps

    mutable std::mutex lock_;  // leaf; guards jitter_
    JitterBuffer jitter_;
    std::ptrdiff_t left_out_ = 0;  // samples; the mixing thread's, jitter_ is to be told

    // Of the mixing thread:
    std::array<Frame, kMaxFrames> frames_;
    std::size_t frame_count_ = 0;
    std::size_t ahead_ = 0;        // samples that were taken from the jitter buffer before this tick
    std::size_t have_ = 0;         // and with what this tick took
    std::ptrdiff_t spare_ = 0;     // samples to leave out, or to add where negative
    std::size_t loud_from_ = 0;    // samples: what is before was silent by its sender's word
    std::optional<double> level_;  // of the last packet, dBFS
    Frame last_;                   // the last one that was not decoded: primes the decoder
    bool decoding_ = false;
    bool paused_ = true;  // silence came last
    std::unique_ptr<AudioDecoder> decoder_;
    std::vector<std::int16_t> samples_;  // decoded, not yet played
    std::atomic<std::uint64_t> decodes_ = 0;
};

}  // namespace vmr::mixer
