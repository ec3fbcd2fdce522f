// Adds forward error correction to one stream of pictures: RED (RFC 2198) around each packet, and ULPFEC
// (RFC 5109) behind what it protects, in the same row of sequence numbers. Pure.
#pragma once
#include <cstdint>
#include <vector>

#include "daemon/media/transport/ulpfec.hpp"

namespace vmr::media {

class FecSender {
public:
    struct Format {
        uint8_t red = 0, ulpfec = 0;  // payload types
        unsigned twcc_extension = 0;  // its value is written later; 0: none
    };
    void set_format(const Format& format) { format_ = format; }
    // Packets of FEC for a hundred of pictures; 0: none, and no RED.
    void set_percentage(unsigned percentage);

    // Packets go on as they are.
    bool idle() const { return percentage_ == 0 && added_ == 0; }
    // What is sent instead of `packet`, in that order.
    std::vector<RtpBytes> add(Bytes packet);
    uint64_t sent() const { return sent_; }  // packets of FEC

private:
    RtpBytes in_red(Bytes head, uint8_t payload_type, Bytes payload) const;
    void protect(unsigned count, std::vector<RtpBytes>& out);

    Format format_;
    unsigned percentage_ = 0;
    uint16_t added_ = 0;             // sequence numbers that are ours
    std::vector<RtpBytes> packets_;  // not protected yet
    unsigned pictures_ = 0;          // that ended among these
    double budget_ = 0;              // packets of FEC
    uint64_t sent_ = 0;
};

}  // namespace vmr::media
