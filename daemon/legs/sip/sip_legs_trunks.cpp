// The ways to trunks' proxies, and the place that calls of some precedence have.
#include "daemon/legs/sip/dialog/replaces.hpp"
#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/outgoing_call.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"
#include "daemon/legs/sip/routing/trunk_calls.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {

void SipLegs::Core::begin_lines() {
    const std::vector<TrunkConfig> configs = trunks_.configs();
    lines_.set(configs, config_.contact_host, now());
    precedence_ = false;
    for (const TrunkConfig& trunk : configs) {
        trunks_.learn(trunk.name, lines_.addresses(trunk.name));
        precedence_ = precedence_ || !trunk.settings.namespaces.empty();
    }
    trust_trunks();
    arm(now());
}

void SipLegs::Core::on_line_changed(const LineStatus& status) {
    for (const auto& [key, call] : calls_) {
        if (status.up && call->standing().trunk == status.trunk) {
            call->lost_flows().retry();
        }
    }
    if (config_.on_trunk_changed) {
        config_.on_trunk_changed(status);
    }
}

void SipLegs::Core::on_trunk_found(const std::string& trunk) {
    trunks_.learn(trunk, lines_.addresses(trunk));
    trust_trunks();
}

// What is sent back along the way of a request, before its call is known, is marked as its trunk says.
void SipLegs::Core::mark(Message& message) const {
    const TrunkConfig* trunk = message.request ? trunks_.at(message.flow.remote.ip) : nullptr;
    if (trunk == nullptr || trunk->settings.dscp_signalling.empty()) {
        return;
    }
    const auto call =
        message.to.tag.empty() ? nullptr : find(message.call_id, message.to.tag, message.from.tag);
    const int rank = call ? call->standing().rank : precedence_of(message, trunk->settings);
    message.flow.dscp = marking(trunk->settings.dscp_signalling, rank);
}

// Without the leg that is replaced: its place is its successor's.
std::vector<StandingCall> SipLegs::Core::standing(const std::string& trunk,
                                                  const std::string& replaced) const {
    std::vector<StandingCall> all;
    for (const auto& [key, call] : calls_) {
        const Call::Standing& is = call->standing();
        if (!call->gave_way() && call->id() != replaced && (trunk.empty() || is.trunk == trunk)) {
            all.push_back({key, is.rank, is.may_end, is.order});
        }
    }
    return all;
}

// A place among the trunk's calls and among all; who has one of less precedence may have to go.
Admission SipLegs::Core::place_for(const TrunkConfig& trunk, int rank, const std::string& replaced) const {
    const std::size_t own = static_cast<std::size_t>(trunk.settings.max_calls);
    const Admission among_own = own > 0
                                    ? admit(standing(trunk.name, replaced), own, rank, trunk.settings.preempt)
                                    : Admission{true, {}};
    return !among_own.admitted || !among_own.gives_way.empty()
               ? among_own
               : admit(standing({}, replaced), config_.max_calls, rank, trunk.settings.preempt);
}

void SipLegs::Core::preempt(const std::string& key) {
    if (const auto found = calls_.find(key); found != calls_.end()) {
        const std::shared_ptr<Call> gone = found->second;
        gone->end(EndCause::preempted);
    }
}

// Beyond the limit of all calls only those who may end others are looked at, or asked for the credentials of
// a trunk that may; what ends is still counted for a while.
bool SipLegs::Core::may_preempt(const Message& invite) const {
    const TrunkConfig* trunk = trunks_.match(invite, {}).trunk;
    return trunk != nullptr && trunk->settings.preempt && precedence_of(invite, trunk->settings) > 0 &&
           calls_.size() < 2 * config_.max_calls;
}

// Nor is there one more call for long where one takes the place of another.
bool SipLegs::Core::may_replace(const Message& invite) const {
    const std::optional<Replaces> replaces = read_replaces(invite).value;
    return replaces && calls_.size() < 2 * config_.max_calls &&
           find(replaces->call_id, replaces->to_tag, replaces->from_tag) != nullptr;
}

Call::Standing SipLegs::Core::standing_of(const TrunkConfig& trunk, int rank) {
    return {trunk.name,
            rank,
            trunk.settings.preempt,
            ++last_order_,
            trunk.settings.refer,
            trunk.settings.messages};
}

// Null: there is no place.
std::shared_ptr<Leg> SipLegs::Core::dial_by_trunk(const Placement& placement, const TrunkConfig& trunk) {
    const int rank = rank_of(trunk.settings.precedence).value_or(0);
    const Admission place = place_for(trunk, rank);
    if (!place.admitted) {
        return nullptr;
    }
    preempt(place.gives_way);
    std::deque<OutgoingCall::Proxy> proxies;
    for (const std::string& proxy : lines_.ways(trunk.name)) {
        const std::optional<Uri> uri = parse_uri(proxy);
        Result<Destination> destination = uri ? destination_of(*uri) : Result<Destination>(Error{"no"});
        if (destination) {
            destination->large = true;
            proxies.push_back({trunk_request_uri(placement.plan.uri, trunk.settings, proxy), *destination});
        }
    }
    Invite invite = rules_.invite(placement, config_.contact_host, trunks_);
    invite.uri = proxies.empty() ? invite.uri : proxies.front().uri;  // of To, whoever takes the call
    const auto call =
        std::make_shared<OutgoingCall>(this, placement.leg, placement.plan.kind, std::move(invite));
    call->set_standing(standing_of(trunk, rank));
    calls_.emplace(call->key(), call);
    call->begin(std::move(proxies));
    return call;
}

}  // namespace vmr::sip
