#include "daemon/legs/sip/outgoing_call.hpp"

#include <algorithm>

namespace vmr::sip {

OutgoingCall::OutgoingCall(CallOwner* owner, std::string id, LegKind kind, Invite invite)
    : Call(owner, std::move(id), kind),
      invitation_(*this, *this, std::move(invite), random_token(16), random_token(8)) {
    known_ = true;
}

void OutgoingCall::begin(const Destination& destination) {
    host_ = destination.host;
    owner_->resolve(destination, [weak = weak_from_this()](const Result<std::vector<Target>>& targets) {
        if (const auto call = std::static_pointer_cast<OutgoingCall>(weak.lock())) {
            call->take_targets(targets);
        }
    });
}

void OutgoingCall::begin(std::deque<Group> groups, const std::string& name, std::vector<Contact> bindings) {
    groups_ = std::move(groups);
    device_name_ = name;
    bindings_ = std::move(bindings);
    begin_later("Not registered");
}

void OutgoingCall::begin(std::deque<Proxy> proxies) {
    proxies_ = std::move(proxies);
    begin_later("The trunk is down");
}

// Nothing is reported from within dial().
void OutgoingCall::begin_later(const char* no_way) {
    owner_->later([weak = weak_from_this(), no_way] {
        const auto call = std::static_pointer_cast<OutgoingCall>(weak.lock());
        if (call && call->owner_ != nullptr && !call->ended_) {
            call->try_next(local_refusal(EndCause::unreachable, no_way, false));
        }
    });
}

void OutgoingCall::ring_group() {
    const std::size_t groups = groups_.size();
    Group group = std::move(groups_.front());
    groups_.pop_front();
    if (has_media(group.front().front().flow)) {
        invitation_.start(std::move(group), media_, groups, owner_->now());
        if (owner_ != nullptr) {
            owner_->on_call_touched();
        }
    }
}

void OutgoingCall::try_proxy() {
    const Proxy proxy = std::move(proxies_.front());
    proxies_.pop_front();
    invitation_.aim(proxy.uri);
    begin(proxy.destination);
}

void OutgoingCall::take_targets(const Result<std::vector<Target>>& targets) {
    if (ended_ || owner_ == nullptr) {
        return;
    }
    if (targets) {
        targets_.assign(targets->begin(), targets->end());
    }
    try_next(local_refusal(EndCause::unreachable, targets ? "No address" : targets.error(), false));
}

// The next target, or the end for the reason that the last one gave.
void OutgoingCall::try_next(const Refusal& why) {
    if (!groups_.empty()) {
        ring_group();
        return;
    }
    if (targets_.empty() && !proxies_.empty()) {
        try_proxy();
        return;
    }
    if (targets_.empty()) {
        give_up(why);
        return;
    }
    const Target target = targets_.front();
    targets_.pop_front();
    owner_->open(target, host_, [weak = weak_from_this(), target](const Result<Flow>& flow) {
        if (const auto call = std::static_pointer_cast<OutgoingCall>(weak.lock())) {
            call->take_flow(target, flow);
        }
    });
}

void OutgoingCall::take_flow(const Target& target, const Result<Flow>& flow) {
    if (ended_ || owner_ == nullptr) {
        return;
    }
    if (!flow) {
        try_next(local_refusal(EndCause::unreachable, flow.error(), true));
        return;
    }
    opened_ = Opening{target, host_};
    if (has_media(*flow)) {
        invitation_.start(*flow, media_, owner_->now());
        owner_->on_call_touched();
    }
}

// False: the call is given up.
bool OutgoingCall::has_media(const Flow& flow) {
    if (!media_) {
        media_ = owner_->observer().on_leg_routed(id_, flow.remote.text(), flow.protection);
        if (!media_) {
            give_up(local_refusal(EndCause::internal_error, "No media", false));
            return false;
        }
        follow(*media_);
    }
    media_->set_peer_address(flow.remote.ip);
    return true;
}

void OutgoingCall::give_up(const Refusal& refusal) {
    if (owner_ != nullptr && !std::exchange(ended_, true)) {
        invitation_.cancel(refusal.cause, owner_->now());
        media_.reset();
        const auto held = shared_from_this();
        owner_->observer().on_leg_turned_down(id_, refusal.why);
        owner_->observer().on_leg_ended(id_, refusal.cause, nullptr);
        owner_->on_call_touched();
    }
}

void OutgoingCall::on_invitation_refused(const Refusal& refusal) {
    if (refusal.try_next) {
        try_next(refusal);
    } else {
        give_up(refusal);
    }
}

void OutgoingCall::on_progressed(LegProgress progress) {
    if (owner_ != nullptr && !ended_) {
        owner_->observer().on_leg_progressed(id_, progress);
    }
}

void OutgoingCall::on_invitation_accepted(Established established, bool resync) {
    media_.reset();
    const Flow flow = established.dialog.flow();
    learn_device(flow);
    session_ = std::make_unique<Session>(*this, std::move(established));
    if (owner_ != nullptr) {
        owner_->observer().on_leg_reached(id_, flow.remote.text(), flow.protection);
    }
    on_session_answered();
    if (resync && owner_ != nullptr) {
        session_->renegotiate(owner_->now());
    }
}

// Which of the device's bindings it was that answered.
void OutgoingCall::learn_device(const Flow& flow) {
    const auto answered = std::ranges::find_if(bindings_, [&flow](const Contact& binding) {
        return binding.flow.connection == flow.connection && binding.flow.remote == flow.remote;
    });
    if (answered != bindings_.end()) {
        set_device({device_name_, *answered});
    }
    bindings_.clear();
}

void OutgoingCall::end(EndCause cause) {
    if (owner_ == nullptr || ended_) {
        return;
    }
    if (session_) {
        session_->end(cause, owner_->now());
    } else {
        ended_ = true;
        invitation_.cancel(cause, owner_->now(), cause == EndCause::replaced ? kCompletedElsewhere : "");
        media_.reset();
        const auto held = shared_from_this();
        owner_->observer().on_leg_ended(id_, cause, nullptr);
    }
    if (owner_ != nullptr) {
        owner_->on_call_touched();
    }
}

void OutgoingCall::on_session_ended(EndCause cause, std::shared_ptr<void> receipt) {
    if (owner_ != nullptr) {
        usages_.end();
    }
    if (owner_ != nullptr && !std::exchange(ended_, true)) {
        owner_->observer().on_leg_ended(id_, cause, std::move(receipt));
    }
}

bool OutgoingCall::is_of_session(const std::string& remote_tag) const {
    return session_ && session_->dialog().remote_tag() == remote_tag;
}

void OutgoingCall::receive(const std::string& transaction, const Message& request) {
    if (is_of_session(request.from.tag)) {
        session_->receive(transaction, request, owner_->now());
    } else {
        invitation_.receive(transaction, request);
    }
}

void OutgoingCall::receive_response(std::uint64_t id, const Message& response) {
    if (invitation_.is_own(id)) {
        invitation_.receive_response(id, response, owner_->now());
    } else if (is_of_session(response.to.tag)) {
        session_->receive_response(id, response, owner_->now());
    }
}

void OutgoingCall::request_timed_out(std::uint64_t id) {
    if (session_) {
        session_->request_timed_out(id, owner_->now());
    }
    invitation_.request_timed_out(id, owner_->now());
}

void OutgoingCall::connection_closed(std::uint64_t connection) {
    invitation_.connection_closed(connection, owner_->now());
    Call::connection_closed(connection);
}

void OutgoingCall::tick() {
    invitation_.tick(owner_->now());
    if (session_) {
        session_->tick(owner_->now());
    }
}

bool OutgoingCall::over() const {
    return ended_ && (!session_ || session_->over()) && invitation_.over();
}

std::optional<std::int64_t> OutgoingCall::next_deadline() const {
    std::optional<std::int64_t> next = invitation_.next_deadline();
    const std::optional<std::int64_t> other = session_ ? session_->next_deadline() : std::nullopt;
    if (other && (!next || *other < *next)) {
        next = other;
    }
    return next;
}

}  // namespace vmr::sip
