// The RTCP messages by which a receiver says how many bits a second it wants: TMMBR and its answer TMMBN
// (RFC 5104 section 4.2) and REMB (draft-alvestrand-rmcat-remb-03). Both ways: what we ask of the peer's
// sources, and what the peer asks of ours.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

// A feedback packet (RFC 4585 section 6.1) without the header's SSRC of its sender.
struct FeedbackPacket {
    uint8_t type = 0;    // 205: RTPFB, 206: PSFB
    uint8_t format = 0;  // FMT
    std::vector<uint8_t> fci;
};

// What is asked of one SSRC of the peer's.
struct BitrateWish {
    uint32_t bitrate = 0;  // bit/s
    bool remb = false, tmmbr = false;
    bool operator==(const BitrateWish&) const = default;
};

// Thread-safe; times are µs of any monotonic clock.
class RtcpBitrate {
public:
    // ---- what the peer asks of us -------------------------------------------
    // Reads the messages of a received compound. True: an answer (TMMBN) is due.
    bool read(Bytes compound);
    // bit/s, the least that the peer asked for; empty: it did not.
    std::optional<uint32_t> limit_of(uint32_t our_ssrc) const;

    // ---- what we ask of the peer --------------------------------------------
    // `beside`: bit/s that the peer's other media on this path may take; REMB counts those too. True:
    // something new is to be sent.
    bool ask(std::map<uint32_t, BitrateWish> wishes, uint32_t beside);
    // What is to go out with the RTCP that is being sent now: what is new, and each few seconds what holds,
    // as any of it may be lost.
    std::vector<FeedbackPacket> take_due(int64_t now_us);

private:
    struct Limit {
        std::optional<uint32_t> remb, tmmbr;  // bit/s
    };
    struct Owed {  // a TMMBN
        uint32_t owner = 0;
        uint32_t tuple = 0;  // of the TMMBR, as it came
    };
    bool read_tmmbr(Bytes packet);
    void read_remb(Bytes packet);
    void read_tmmbn(Bytes packet);
    Limit* limit(uint32_t ssrc);
    std::optional<FeedbackPacket> remb() const;
    std::optional<FeedbackPacket> tmmbr() const;

    mutable std::mutex mutex_;          // innermost
    std::map<uint32_t, Limit> limits_;  // by SSRC of ours
    std::vector<Owed> owed_;
    std::map<uint32_t, BitrateWish> wishes_;  // by SSRC of the peer's
    std::map<uint32_t, uint32_t> confirmed_;  // by a TMMBN, bit/s
    uint32_t beside_ = 0;
    bool news_ = false;
    int64_t sent_us_ = 0;
};

}  // namespace vmr::media
