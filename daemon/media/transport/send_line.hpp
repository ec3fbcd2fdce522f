// One RTP stream towards the peer, whoever makes its packets: SSRC, sequence numbers and timestamps go on
// when the source changes (RFC 3550 section 5.1), and each packet says which m-line it belongs to (RFC 8843
// section 9.2). Pure: the caller has the lock and the clock.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

class SendLine {
public:
    struct Settings {
        uint32_t ssrc = 0;
        uint8_t payload_type = 0;
        unsigned clock_rate = 8000;  // Hz
        std::string mid;             // empty: none is written
        unsigned mid_extension = 0;  // RFC 8285, 1 to 14; 0: not agreed on
    };
    struct Counts {
        uint64_t packets = 0;
        uint64_t bytes = 0;  // of payload
    };
    // What a sender report says of time (RFC 3550 section 6.4.1).
    struct Moment {
        uint32_t timestamp = 0;
        uint64_t running_time = 0;  // ns
    };

    SendLine(uint16_t first_sequence, uint32_t first_timestamp)
        : sequence_(first_sequence), last_{first_timestamp, 0} {}

    // Once more: the stream goes on in another format, or with another SSRC begins anew.
    void set(const Settings& settings);
    const Settings& settings() const { return settings_; }
    // The next packet is of another source, or of the same after it began anew.
    void note_new_source() { new_source_ = true; }

    // Writes `packet` as this stream's next one. `running_time` in ns. The bytes of `out` that were written,
    // 0: it is not RTP, or does not fit.
    size_t write(Bytes packet, uint64_t running_time, std::span<uint8_t> out);

    const Counts& counts() const { return counts_; }
    Counts counts_of_ssrc() const {
        return {counts_.packets - before_.packets, counts_.bytes - before_.bytes};
    }
    bool started() const { return counts_.packets != 0; }
    // Which timestamp a packet made at that time would have.
    uint32_t timestamp_at(uint64_t running_time) const;

private:
    size_t write_header(const uint8_t* original, uint32_t timestamp, std::span<uint8_t> out);
    size_t mid_bytes() const;  // of the extension block

    Settings settings_;
    uint16_t sequence_;
    Moment last_;
    bool new_source_ = true;
    uint32_t shift_ = 0;  // what a packet's timestamp lacks to ours
    Counts counts_;
    Counts before_;  // with other SSRCs
};

}  // namespace vmr::media
