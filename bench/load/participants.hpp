// The participants of a measured room: what they send, and what they get.
#pragma once
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "srtp/srtp.hpp"
#include "tone.hpp"
#include "wire.hpp"

namespace vmr::bench {

struct Options {
    std::string mode = "room", codec = "opus", suite = "none", key, silent = "level", speech, record;
    unsigned legs = 10, talkers = 3, loss = 0, jitter = 0;
    double warmup = 2, seconds = 4;
    bool audio_level = true;
};

srtp::Suite suite_named(const std::string& name);

// One packet that came, decrypted.
struct Heard {
    std::uint16_t sequence = 0;
    std::int64_t arrival_ns = 0;
    std::span<const std::uint8_t> payload;
};

class Participant {
public:
    // `bridge_key`: what the bridge protects with.
    Participant(const Options& options, unsigned leg, unsigned port, const std::string& bridge_key);

    unsigned leg() const { return leg_; }
    unsigned port() const { return port_; }
    // The next packet: `payload`, at `level` (dBov below overload, RFC 6464).
    Bytes packet(std::span<const std::uint8_t> payload, std::uint8_t level);
    void skip() { timestamp_ += step_; }                        // a pause
    bool is_media(std::span<const std::uint8_t> packet) const;  // and not RTCP
    // Empty: not RTP, or not genuine.
    std::optional<Heard> open(std::span<std::uint8_t> packet, std::int64_t arrival_ns);

    std::uint64_t received = 0;

private:
    unsigned leg_, port_;
    bool secure_, audio_level_;
    std::uint8_t payload_type_;
    std::uint16_t sequence_ = 0;
    std::uint32_t timestamp_ = 0, step_, ssrc_;
    std::optional<srtp::Sender> sender_;
    std::optional<srtp::Receiver> receiver_;
};

}  // namespace vmr::bench
