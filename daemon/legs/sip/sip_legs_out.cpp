// Calls that we place.
#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/outgoing_call.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {

std::shared_ptr<Leg> SipLegs::Core::dial(const Placement& placement) {
    if (draining_ || !stack_) {
        return nullptr;
    }
    const TrunkConfig* trunk = trunks_.find(placement.plan.trunk);
    if (calls_.size() >= config_.max_calls) {
        make_room({true, true, trunk != nullptr ? rank_of(trunk->settings.precedence).value_or(0) : 0});
    }
    // One by a trunk may end another; what ends is still counted for a while.
    if (calls_.size() >= config_.max_calls * (placement.plan.trunk.empty() ? 1 : 2)) {
        return nullptr;
    }
    if (placement.plan.rule == kDeviceRule && devices_) {
        if (const auto called = devices_->called(placement.plan.uri); called.device != nullptr) {
            return dial_device(placement, called);
        }
    }
    if (!placement.plan.trunk.empty()) {
        return trunk != nullptr ? dial_by_trunk(placement, *trunk) : nullptr;
    }
    const std::optional<Uri> uri = parse_uri(placement.plan.uri);
    Result<Destination> destination =
        uri ? destination_of(*uri) : Result<Destination>(Error{"not an address"});
    if (!destination) {
        return nullptr;
    }
    destination->large = true;  // with the description of all that we can
    const auto call = std::make_shared<OutgoingCall>(this, placement.leg, placement.plan.kind,
                                                     rules_.invite(placement, config_.contact_host));
    calls_.emplace(call->key(), call);
    call->begin(*destination);
    return call;
}

void SipLegs::Core::resolve(const Destination& destination, OnResolved on_resolved) {
    resolving_.emplace(++last_question_, std::move(on_resolved));
    stack_->resolve(last_question_, destination);
}

void SipLegs::Core::open(const Target& target, const std::string& host, OnOpened on_opened) {
    opening_.emplace(++last_question_, std::move(on_opened));
    stack_->open(last_question_, target, host);
}

void SipLegs::Core::on_resolved(std::uint64_t id, const Result<std::vector<Target>>& targets) {
    if (const auto answered = resolving_.extract(id)) {
        answered.mapped()(targets);
    }
}

void SipLegs::Core::on_flow_opened(std::uint64_t id, const Result<Flow>& flow) {
    if (const auto answered = opening_.extract(id)) {
        answered.mapped()(flow);
    }
}

}  // namespace vmr::sip
