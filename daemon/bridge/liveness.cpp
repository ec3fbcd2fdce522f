#include "daemon/bridge/liveness.hpp"

#include <algorithm>

namespace vmr::bridge {
namespace {

// On hold a peer sends nothing, and not every one goes on with RTCP: we hold it, it holds us (it says
// sendonly, RFC 3264 section 8.4, or the address 0.0.0.0), or it takes media only. Who never sent anything
// may have told us to send to somebody else (RFC 8445 section 19.5.1): no excuse while we send.
bool need_not_send(const Liveness::Media& media, bool heard) {
    return media.on_hold || media.direction == sdp::Direction::inactive ||
           (heard && media.direction != sdp::Direction::sendrecv);
}

}  // namespace

void Liveness::follow(const Media& media, Clock::time_point now) {
    on_hold_ = media.on_hold;
    if (media.silence) {
        heard_ = true;
        quiet_since_ = std::max(quiet_since_, now - *media.silence);
    }
    if (need_not_send(media, heard_)) {
        quiet_since_ = now;
    }
    quiet_ = now - quiet_since_;
}

}  // namespace vmr::bridge
