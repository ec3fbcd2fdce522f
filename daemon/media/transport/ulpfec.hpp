// Generic forward error correction of one RTP stream (RFC 5109, level 0): a packet that is the XOR of others,
// by which one of these that was lost comes back. Pure.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

using RtpBytes = std::vector<uint8_t>;  // one whole packet

inline constexpr unsigned kFecSpan = 48;  // sequence numbers that one packet protects at most

// What protects `packets`: RTP of one SSRC, each within kFecSpan from the first on. Payload without a header.
std::vector<uint8_t> ulpfec_payload(std::span<const RtpBytes> packets);

// Gets packets back, for one SSRC. Keeps copies only as long as FEC comes.
class FecRecovery {
public:
    // Both return what can be had now, each as it was sent but for its header extensions' values that change
    // on the way. `packet` is as it was protected.
    std::vector<RtpBytes> add_media(RtpBytes packet);
    std::vector<RtpBytes> add_fec(Bytes payload, uint32_t ssrc);
    // FEC came lately.
    bool active() const { return since_fec_ < kForget; }

private:
    static constexpr unsigned kForget = 1000;  // packets
    static constexpr size_t kHistory = 256, kMaxWaiting = 32;

    struct Waiting {
        std::vector<uint8_t> payload;
        uint32_t ssrc = 0;
    };
    void keep(RtpBytes packet);
    const RtpBytes* find(uint16_t sequence) const;
    std::vector<RtpBytes> recover();
    // False: it cannot help any more.
    bool try_one(const Waiting& waiting, std::optional<RtpBytes>& found) const;

    std::array<RtpBytes, kHistory> history_;  // by the low bits of the sequence number
    std::deque<Waiting> waiting_;
    unsigned since_fec_ = kForget;
    uint16_t newest_ = 0;
};

}  // namespace vmr::media
