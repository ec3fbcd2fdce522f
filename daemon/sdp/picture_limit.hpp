// How large, how often and how finely coded a picture may be that a peer's decoder takes.
#pragma once
#include <cstdint>

#include "daemon/sdp/codec_choice.hpp"

namespace vmr::sdp {

// RFC 6184 section 8.1: profile-level-id, raised by max-mbps, max-fs and max-br. `own_level`: of which both
// directions are where level-asymmetry-allowed is not said (section 8.2.2). Without a profile-level-id there
// is no limit, although level 1 would be the letter of it: who leaves it out means no such thing.
PictureLimit h264_limit(const Parameters& fmtp, const H264Profile& profile, unsigned own_level);
// RFC 7741 section 6.1: max-fs, max-fr.
PictureLimit vp8_limit(const Parameters& fmtp);

}  // namespace vmr::sdp
