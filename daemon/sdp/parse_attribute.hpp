#pragma once
#include "daemon/sdp/parse_media.hpp"

namespace vmr::sdp {

// Reads one attribute into `media`; unknown ones are skipped. Returns what was wrong, or null. The formats of
// the m-line must be there already.
const char* read_attribute(const Attribute& attribute, Media& media);

}  // namespace vmr::sdp
