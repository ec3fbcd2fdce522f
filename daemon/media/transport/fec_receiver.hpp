// What arrives with forward error correction: packets in RED (RFC 2198), some of them ULPFEC (RFC 5109),
// which share sequence numbers with the pictures that they protect. Pure.
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/media/transport/ulpfec.hpp"

namespace vmr::media {

struct FecFormat {
    uint8_t red = 0, ulpfec = 0;     // payload types
    std::bitset<128> pictures, vp8;  // payload types that may be protected; those of VP8
    unsigned twcc_extension = 0;     // its value changes after the packet was protected; 0: none
};

// Takes RED off in place: what is left begins that many bytes later. Empty: it is malformed, or of another
// payload type than `format` knows.
std::optional<size_t> take_off_red(MutableBytes packet, const FecFormat& format);
// `packet` as it is protected: without the values that change on the way.
RtpBytes protected_form(Bytes packet, unsigned twcc_extension);

// One SSRC.
class FecReceiver {
public:
    // `packet` without RED. What belongs beside it into the jitter buffer: packets that came back, and empty
    // ones of FEC's payload type in the place of FEC that was lost, as nobody need wait for that.
    std::vector<RtpBytes> add(Bytes packet, const FecFormat& format);

    uint64_t received() const { return received_; }  // packets of FEC
    uint64_t recovered() const { return recovered_; }

private:
    void note_picture(Bytes packet, const FecFormat& format, std::vector<RtpBytes>& beside);

    struct PictureEnd {
        uint16_t sequence = 0;
        unsigned id = 0;
        uint32_t timestamp = 0;
    };
    FecRecovery recovery_;
    std::optional<PictureEnd> end_;
    std::vector<uint16_t> fec_since_end_;
    uint64_t received_ = 0, recovered_ = 0;
};

// Behind the jitter buffer: FEC is left out, and what follows moves up, as nobody lost anything.
class FecOmission {
public:
    // How far the sequence number of this packet moves back; empty: it is FEC.
    std::optional<uint16_t> shift(bool is_fec) {
        return is_fec ? (++left_out_, std::nullopt) : std::optional(left_out_);
    }

private:
    uint16_t left_out_ = 0;
};

}  // namespace vmr::media
