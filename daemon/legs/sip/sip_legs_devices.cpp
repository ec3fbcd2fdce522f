// Devices that register with us, and calls from and to them.
#include <algorithm>
#include <iterator>

#include "base/guard.hpp"
#include "daemon/legs/sip/outgoing_call.hpp"
#include "daemon/legs/sip/registrar/ring_groups.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {
void SipLegs::Core::take_register(const std::string& transaction, const Message& request) {
    Registrar::Outcome outcome = devices_->registrar().answer(request, now());
    if (outcome.wrong_digest) {
        punish(request.flow, kWrongDigest);
    }
    reply(transaction, request, std::move(outcome.reply));
    if (outcome.outbound && request.flow.connection != 0) {
        const RegistrarConfig& config = devices_->registrar().config();
        const std::chrono::seconds silence = config.keep_alive + config.keep_alive_grace;
        stack_->limit_idle(request.flow.connection, static_cast<int>(silence.count() * 1000));
    }
    for (const auto& [key, call] : calls_) {
        if (call->device()) {
            call->lost_flows().retry();
        }
    }
    if (const std::optional<std::int64_t> at = devices_->registrar().next_deadline()) {
        arm(std::max(*at, now() + kGranularity));
    }
}

Status SipLegs::Core::set_registrar(RegistrarConfig config, std::vector<ConfiguredDevice> devices) {
    if (!devices_ || !config.enabled) {
        return config.enabled == (devices_ != nullptr) ? Status(Ok{})
                                                       : Error{"to enable or disable it takes a restart"};
    }
    devices_->registrar().reconfigure(std::move(config));
    return devices_->configure(std::move(devices));
}

std::vector<Contact> SipLegs::Core::lookup(const std::string& device) const {
    return devices_ ? devices_->registrar().lookup(device) : std::vector<Contact>();
}

// Who says to be of our domain proves it; whether the name exists makes no difference. An address of ours is
// no domain: clients without an account use what they see.
bool SipLegs::Core::claims_device(const Message& invite) const {
    const auto& domains = devices_->registrar().config().domains;
    return std::ranges::find(domains, invite.from.uri.host) != domains.end();
}

Arrival SipLegs::Core::arrival_of(const Message& invite, const Identity& identity,
                                  const std::string& leg) const {
    Arrival arrival = describe(invite, identity.match, leg, tag_key_);
    arrival.offer = invite.body;
    if (identity.device != nullptr) {
        arrival.trusted = true;
        arrival.caller = devices_->address_of(*identity.device);
        if (!identity.device->display_name.empty()) {
            arrival.display_name = identity.device->display_name;
        }
    }
    return arrival;
}

// A device of ours costs nothing and belongs to us: no rule is needed.
Result<DialPlan> SipLegs::Core::plan(const std::string& address) const {
    const auto called = devices_ ? devices_->called(address) : RegisteredDevices::Called();
    if (called.device == nullptr) {
        return rules_.plan(address, trunks_);
    }
    return DialPlan{LegKind::sip, called.shown, called.uri, kDeviceRule, std::chrono::seconds(0)};
}

std::shared_ptr<Leg> SipLegs::Core::dial_device(const Placement& placement,
                                                const RegisteredDevices::Called& called) {
    std::deque<OutgoingCall::Group> groups;
    std::vector<Contact> bindings = devices_->contacts_of(called);
    for (const RingGroup& group : ring_groups(bindings)) {
        OutgoingCall::Group& rings = groups.emplace_back();
        for (const RingDevice& contacts : group) {
            Fork::Device& ways = rings.emplace_back();
            for (const Contact& contact : contacts) {
                ways.push_back({contact.uri, contact.flow});
            }
        }
    }
    const auto call = std::make_shared<OutgoingCall>(this, placement.leg, placement.plan.kind,
                                                     rules_.invite(placement, config_.contact_host));
    calls_.emplace(call->key(), call);
    call->begin(std::move(groups), called.device->name, std::move(bindings));
    return call;
}

void SipLegs::Core::later(std::function<void()> job) {
    struct Later {
        std::shared_ptr<Core*> core;
    };
    later_.push_back(std::move(job));
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
            guard(nullptr, [core = static_cast<Later*>(data)->core] {
                if (*core != nullptr && !(*core)->later_.empty()) {
                    const auto job = std::move((*core)->later_.front());
                    (*core)->later_.pop_front();
                    job();
                }
            });
            return G_SOURCE_REMOVE;
        },
        new Later{self_}, [](gpointer data) { delete static_cast<Later*>(data); });
    g_source_attach(source, context_);
    g_source_unref(source);
}

}  // namespace vmr::sip
