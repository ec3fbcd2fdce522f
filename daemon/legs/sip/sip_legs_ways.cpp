// Connections that come and go under calls: who notices, and the way that a dialog has then.
#include <algorithm>

#include "daemon/legs/sip/routing/way_back.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {

// An answered call outlives its connection: media goes on. One that is being placed tries another way.
void SipLegs::Core::on_connection_closed(std::uint64_t connection) {
    lines_.connection_closed(connection, now());
    arm(now() + kGranularity);
    if (devices_) {
        devices_->registrar().connection_closed(connection);
    }
    const auto calls = calls_;
    for (const auto& [key, call] : calls) {
        call->connection_closed(connection);
    }
}

// Of who calls by the connection that they registered by; else what their Contact says of them.
Contact SipLegs::Core::binding_of_caller(const DeviceAccount& device, const Message& invite) const {
    for (Contact& binding : devices_->registrar().lookup(device.name)) {
        if (binding.flow.connection != 0 && binding.flow.connection == invite.flow.connection) {
            return binding;
        }
    }
    Contact binding;
    binding.flow = invite.flow;
    if (!invite.contacts.empty()) {
        binding.uri = invite.contacts.front().uri.text;
        binding.instance = parameter(invite.contacts.front().params, "+sip.instance");
    }
    return binding;
}

std::optional<Flow> SipLegs::Core::binding_now(const Call& call) const {
    if (!devices_ || !call.device()) {
        return std::nullopt;
    }
    const std::optional<Contact> now =
        binding_of_same(devices_->registrar().lookup(call.device()->name), call.device()->binding);
    return now ? std::optional(now->flow) : std::nullopt;
}

WayBack SipLegs::Core::way_back(const Call& call, const Dialog& dialog) const {
    const Flow& gone = dialog.flow();
    const std::string& trunk = call.standing().trunk;
    KnownWays known{binding_now(call), {}, !trunk.empty() && trunks_.is_source(gone.remote.ip)};
    if (call.session() != nullptr && &call.session()->dialog() == &dialog) {
        known.opened = call.opened();
    }
    if (known.trunk && !known.opened) {
        known.opened = lines_.opened_at(trunk, gone.remote.ip);
    }
    return sip::way_back(gone, dialog.next_hop(), known);
}

bool SipLegs::Core::is_known_way(const Call& call, const Flow& flow) const {
    if (!call.standing().trunk.empty() && trunks_.is_source(flow.remote.ip)) {
        return true;
    }
    const std::optional<Flow> binding = binding_now(call);
    return binding && flow.connection != 0 && binding->connection == flow.connection;
}

}  // namespace vmr::sip
