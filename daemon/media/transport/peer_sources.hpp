// Whom a peer speaks for towards rtpbin, which keeps a source for every SSRC that it reads, and looks
// through all of them for each new one. Pure; media-io.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

class PeerSources {
public:
    // False: there are too many others, of which none was quiet for long. `now_us`: monotonic.
    bool admit(uint32_t ssrc, int64_t now_us);
    // Those of an RTP packet that parse_rtp() read.
    bool admit_contributors(Bytes packet, int64_t now_us);
    // The compound without the packets that speak for anybody not admitted.
    std::vector<uint8_t> admitted(Bytes compound, int64_t now_us);

private:
    bool admit_packet(Bytes packet, int64_t now_us);
    bool admit_described(Bytes packet, int64_t now_us);

    std::map<uint32_t, int64_t> last_named_;  // by SSRC
};

// The same RTP packet without the list of contributing sources.
std::vector<uint8_t> without_contributors(Bytes packet);

}  // namespace vmr::media
