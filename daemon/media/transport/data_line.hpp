// One m-line of small messages in RTP, one in a packet, that are neither sound nor picture: H.224 frames of
// far-end camera control (RFC 4573). Pure; the caller has the lock and the clock.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/token_bucket.hpp"

namespace vmr::media {

class DataLine {
public:
    static constexpr std::size_t kMaxMessage = 512;  // bytes; an H.224 frame has 260 at most
    static constexpr double kPerSecond =
        40;  // messages; who steers a camera repeats itself each 400 ms or so

    struct Settings {
        std::uint32_t ssrc = 0;
        std::uint8_t payload_type = 0;
        unsigned clock_rate = 4800;  // Hz
    };

    DataLine(std::uint16_t first_sequence, std::uint32_t first_timestamp, SteadyTime now)
        : sequence_(first_sequence),
          timestamp_(first_timestamp),
          began_(now),
          bucket_(kPerSecond, kPerSecond, now) {}

    void set(const Settings& settings);

    // The message of a packet; empty: none, too large, or more than anybody needs.
    Bytes read(Bytes packet, SteadyTime now);
    // Writes the next packet; its bytes, 0: the message is too large or does not fit.
    std::size_t write(Bytes message, SteadyTime now, std::span<std::uint8_t> out);

private:
    Settings settings_;
    std::uint16_t sequence_;
    std::uint32_t timestamp_;
    SteadyTime began_;
    TokenBucket bucket_;
};

}  // namespace vmr::media
