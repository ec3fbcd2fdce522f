// Floor control of a session: negotiated with its media (RFC 8856), on a path of its own.
#include <gio/gio.h>

#include <algorithm>

#include "daemon/media/session.hpp"

namespace vmr::media {

// Opens, changes or, without a plan, closes the way to the peer's floor client; what our SDP says of it.
std::optional<sdp::LocalFloor> Session::local_floor(const std::optional<sdp::FloorPlan>& plan) {
    if (!plan) {
        leave_floor();
        return {};
    }
    if (!ensure_floor(*plan)) {
        return {};  // refused, or not offered: the rest of the call does not depend on it
    }
    return floor_->local(sdp_address(plan->remote_address));
}

// We connect before anybody looked at who calls: only to where its signalling comes from, or its media is
// said to, and to this machine or link only for who is there.
bool Session::may_connect(const std::string& address) const {
    if (address == peer_address_) {
        return true;
    }
    const auto inet = GPtr<GInetAddress>::adopt(g_inet_address_new_from_string(address.c_str()));
    const bool far = inet && g_inet_address_get_is_loopback(inet.get()) == FALSE &&
                     g_inet_address_get_is_any(inet.get()) == FALSE &&
                     g_inet_address_get_is_link_local(inet.get()) == FALSE &&
                     g_inet_address_get_is_multicast(inet.get()) == FALSE;
    return far && negotiated_ && std::ranges::any_of(negotiated_->transports, [&](const auto& transport) {
               return transport.remote_address == address;
           });
}

bool Session::ensure_floor(const sdp::FloorPlan& plan) {
    if (plan.tcp && !plan.passive && plan.remote_port != 0 && !may_connect(plan.remote_address)) {
        g_info("%s: no floor control: its address is not the peer's", name_.c_str());
        leave_floor();
        return false;
    }
    if (floor_ && floor_->carries(plan)) {
        floor_->set_remote(plan);
        return true;
    }
    leave_floor();
    const bool v6 = plan.remote_address.find(':') != std::string::npos;
    FloorPathParams params;
    params.local_address =
        v6 && environment_.udp.local_address == "0.0.0.0" ? "::" : environment_.udp.local_address;
    params.port_min = environment_.udp.port_min;
    params.port_max = environment_.udp.port_max;
    FloorCallbacks callbacks;
    callbacks.begin_sharing = [this] {
        return floor_callbacks_.begin_sharing && floor_callbacks_.begin_sharing();
    };
    callbacks.end_sharing = [this] {
        if (floor_callbacks_.end_sharing) {
            floor_callbacks_.end_sharing();
        }
    };
    auto floor = Floor::open(plan, params, std::move(callbacks));
    if (!floor) {
        g_warning("%s: no floor control: %s", name_.c_str(), floor.error().c_str());
        return false;
    }
    floor_ = std::move(*floor);
    floor_->set_holder(floor_holder_);
    return true;
}

// Who asked for it there cannot give it back any more.
void Session::leave_floor() {
    const bool shared = floor_ && floor_->granted();
    floor_.reset();
    if (shared) {
        floor_holder_ = FloorHolder::nobody;
        if (floor_callbacks_.end_sharing) {
            floor_callbacks_.end_sharing();
        }
    }
}

void Session::set_floor_holder(FloorHolder holder) {
    floor_holder_ = holder;
    if (floor_) {
        floor_->set_holder(holder);
    }
}

}  // namespace vmr::media
