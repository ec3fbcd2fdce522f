// Requests and calls that come to us, and responses to whom they belong.
#include "daemon/legs/sip/incoming_call.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "daemon/legs/sip/routing/precedence.hpp"
#include "daemon/legs/sip/routing/trunk_calls.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"

namespace vmr::sip {

void SipLegs::Core::reply(const std::string& transaction, const Message& request, Reply reply) {
    reply.to_tag = random_token(8);
    respond(transaction, reply.status, write_response(request, reply));
}

// A call that does not even become a leg.
void SipLegs::Core::refuse(const std::string& transaction, const Message& invite, Reply answer,
                           EndCause cause) {
    reply(transaction, invite, std::move(answer));
    observer_.on_leg_refused(describe(invite, {}, "sip-" + random_token(8)), cause);
}

std::shared_ptr<Call> SipLegs::Core::find(const std::string& key) const {
    const auto found = calls_.find(key);
    return found != calls_.end() ? found->second : nullptr;
}

// A call that we placed may have several of the other side.
std::shared_ptr<Call> SipLegs::Core::find(const std::string& call_id, const std::string& local_tag,
                                          const std::string& remote_tag) const {
    const std::string ours = call_id + "|" + local_tag + "|";
    const auto call = find(ours + remote_tag);
    return call ? call : find(ours);
}

void SipLegs::Core::on_request_received(const std::string& transaction, const Message& request) {
    if (!request.to.tag.empty()) {
        take_in_dialog(transaction, request);
        return;
    }
    if (request.method == "ACK") {
        return;
    }
    if (request.method == "REGISTER" && devices_) {
        take_register(transaction, request);
        return;
    }
    if (std::optional<Reply> answer = early_answer(request, precedence_)) {
        if (request.method == "INVITE") {
            const EndCause cause = answer->status == 400 ? EndCause::malformed : EndCause::not_acceptable;
            refuse(transaction, request, std::move(*answer), cause);
        } else {
            reply(transaction, request, std::move(*answer));
        }
        return;
    }
    if (request.method == "SUBSCRIBE") {
        take_subscribe(transaction, request);
        return;
    }
    if (!is_merged(transaction, request)) {
        take_invite(transaction, request);
    }
}

void SipLegs::Core::take_in_dialog(const std::string& transaction, const Message& request) {
    if (const auto call = find(request.call_id, request.to.tag, request.from.tag)) {
        call->receive(transaction, request);
    } else if (const auto beside = find_aside(Dialog::key(request))) {
        beside->usages().receive_aside(transaction, request);
    } else if (request.method != "ACK") {
        reply(transaction, request, {.status = 481});
    }
}

// It came by two ways (section 8.2.2.2).
bool SipLegs::Core::is_merged(const std::string& transaction, const Message& invite) {
    const std::string* key = half_open_.find(invite);
    const std::shared_ptr<Call> call = key != nullptr ? find(*key) : nullptr;
    const bool stands = call && (call->half_open() || !call->gave_way());
    if (!stands && !half_open_.was_answered(invite, now())) {
        return false;
    }
    reply(transaction, invite, {.status = 482});
    return true;
}

// Limits: a refusal costs no transaction, so that a flood does not use up the place of others.
std::optional<Reply> SipLegs::Core::refusal_of(const Message& request) {
    const bool begins = request.method == "INVITE" && request.to.tag.empty();
    const Limit limit = begins && draining_ ? Limit::over : limit_of(request, begins);
    if (limit == Limit::within) {
        return std::nullopt;
    }
    if (limit == Limit::wait) {
        return Reply{.status = 0};
    }
    if (begins) {
        observer_.on_leg_refused(describe(request, {}, "sip-" + random_token(8)),
                                 draining_ ? EndCause::shutdown : EndCause::overload);
    }
    // The same tag for each retransmission (section 8.2.7).
    const std::string tag = hash_hex("SHA-256", tag_key_ + request.branch + request.call_id).substr(0, 16);
    return Reply{.status = 503, .to_tag = tag, .headers = {{"Retry-After", "10"}}};
}

SipLegs::Core::Limit SipLegs::Core::limit_of(const Message& request, bool begins) {
    const std::string source = source_of(request.flow);
    const bool trunk = trunks_.is_source(request.flow.remote.ip);
    if (!trunk && transactions_.servers_of(source) >= config_.max_transactions_per_source) {
        return Limit::over;
    }
    if (request.method == "REGISTER" && devices_) {
        return devices_->registrar().is_over_limit(request, now()) ? Limit::over : Limit::within;
    }
    if (!begins) {
        return Limit::within;
    }
    const auto has_share = [&] { return trunk || half_open_.of(source) < config_.max_half_open_per_source; };
    if ((is_crowded() || !has_share()) && now() - pruned_at_ > kPruneInterval) {
        prune_half_open();
    }
    if (!invites_.take(source, steady(now())) || !has_share()) {
        return Limit::over;
    }
    return limit_of_calls(request);
}

// Of all calls, and of those without an ACK. Who may be forged is not answered while others of that kind have
// hardly had the time for theirs: what begins a call is sent again within half a second, and a flood is not.
SipLegs::Core::Limit SipLegs::Core::limit_of_calls(const Message& invite) {
    const bool crowded = half_open_.size() >= config_.max_half_open;
    const bool full = calls_.size() >= config_.max_calls && !may_preempt(invite) && !may_replace(invite);
    if (!crowded && !full) {
        return Limit::within;
    }
    const HalfOpen::Caller caller = caller_of(invite);
    if (gives_way_to(caller) != nullptr) {
        return Limit::within;
    }
    return caller.known || half_open_.size() == 0 ? Limit::over : Limit::wait;
}

// A trunk known by its address alone may be forged over UDP. Who claims to be a device, or a trunk that has a
// password, has a call only after credentials.
HalfOpen::Caller SipLegs::Core::caller_of(const Message& invite) const {
    const Trunks::Match match = trunks_.match(invite, {});
    const bool proven =
        invite.flow.transport != Transport::udp || match.kind == Trunks::Match::Kind::challenge ||
        (devices_ && (claims_device(invite) || devices_->registrar().sender_of(invite) != nullptr));
    const int rank = match.trunk != nullptr ? precedence_of(invite, match.trunk->settings) : 0;
    return {proven, proven || match.kind != Trunks::Match::Kind::none, rank};
}

// Before a call is taken.
void SipLegs::Core::make_room(const HalfOpen::Caller& caller) {
    if (is_crowded()) {
        prune_half_open();
    }
    const std::string* oldest = is_crowded() ? half_open_.gives_way_to(caller, now()) : nullptr;
    if (oldest != nullptr) {
        give_way(*oldest);
    }
}

// A call that has got its ACK, which is not looked for at each, does not.
const std::string* SipLegs::Core::gives_way_to(const HalfOpen::Caller& caller) {
    const std::string* oldest = half_open_.gives_way_to(caller, now());
    const std::shared_ptr<Call> call = oldest != nullptr ? find(*oldest) : nullptr;
    if (oldest == nullptr || (call && call->half_open())) {
        return oldest;
    }
    prune_half_open();
    return half_open_.gives_way_to(caller, now());
}

void SipLegs::Core::give_way(const std::string& key) {
    if (const auto call = std::dynamic_pointer_cast<IncomingCall>(find(key))) {
        call->give_way();
        transactions_.forget(call->invite_transaction());
        call->orphan();
        calls_.erase(call->key());
        prune_half_open();
    }
}

void SipLegs::Core::prune_half_open() {
    pruned_at_ = now();
    half_open_.prune(
        [this](const std::string& key) {
            const auto found = calls_.find(key);
            return found == calls_.end()        ? HalfOpen::Stage::over
                   : found->second->half_open() ? HalfOpen::Stage::half_open
                   : found->second->gave_way()  ? HalfOpen::Stage::over
                                                : HalfOpen::Stage::answered;
        },
        pruned_at_);
}

// The trunk or the device that the call comes from, if any; nothing when it was challenged or refused.
std::optional<SipLegs::Core::Identity> SipLegs::Core::identify(const std::string& transaction,
                                                               const Message& invite) {
    std::string user;
    bool of_trunk = false;
    const auto ha1_of = [&](const std::string& name, DigestAlgorithms answer) {
        user = name;
        const std::optional<std::string> secret = trunks_.secret_of(name, answer);
        std::string ha1 = digest_ha1(answer, name, digest_.realm(), secret.value_or(""));
        of_trunk = secret && !secret->empty();
        return of_trunk   ? std::optional(std::move(ha1))
               : devices_ ? devices_->accounts().ha1_of(name, answer)
                          : std::nullopt;
    };
    const Digest::Verdict verdict = digest_.verify(invite, "proxy-authorization", ha1_of, now());
    const bool proven = verdict == Digest::Verdict::accepted;
    if (verdict == Digest::Verdict::refused) {
        punish(invite.flow,
               kWrongDigest);  // whatever is answered: it may tell a wrong secret from the right one
    }
    Identity identity{trunks_.match(invite, proven && of_trunk ? user : ""), nullptr};
    if (identity.match.kind == Trunks::Match::Kind::denied) {
        // A trunk calls its own numbers and nothing else.
        refuse(transaction, invite, {.status = 404}, EndCause::not_found);
        return std::nullopt;
    }
    if (identity.match.kind == Trunks::Match::Kind::trunk) {
        if (std::optional<Reply> refusal = trunk_refusal(invite, identity.match.trunk->settings)) {
            refuse(transaction, invite, std::move(*refusal), EndCause::forbidden);
            return std::nullopt;
        }
    }
    if (identity.match.kind == Trunks::Match::Kind::challenge) {
        challenge(transaction, invite, identity.match.trunk->algorithms, verdict);
        return std::nullopt;
    }
    if (identity.match.kind == Trunks::Match::Kind::trunk || !devices_) {
        return identity;
    }
    identity.device = devices_->registrar().sender_of(invite);
    const DeviceAccount* shown = proven && !of_trunk ? devices_->accounts().find(user) : nullptr;
    if (identity.device != nullptr || !claims_device(invite)) {
        return identity;
    }
    if (shown == nullptr) {
        challenge(transaction, invite, devices_->accounts().algorithms_for(lower(invite.from.uri.user)),
                  verdict);
        return std::nullopt;
    }
    if (devices_->accounts().owner_of(lower(invite.from.uri.user)) != shown) {
        refuse(transaction, invite, {.status = 403}, EndCause::forbidden);  // another's name
        return std::nullopt;
    }
    identity.device = shown;
    return identity;
}

void SipLegs::Core::challenge(const std::string& transaction, const Message& invite,
                              DigestAlgorithms algorithms, Digest::Verdict given) {
    const bool stale = given == Digest::Verdict::stale;
    Reply challenge{.status = 407};
    for (std::string& value : digest_.challenge(algorithms, invite.flow.remote.ip, stale, now())) {
        challenge.headers.push_back({"Proxy-Authenticate", std::move(value)});
    }
    if (given == Digest::Verdict::refused) {
        refuse(transaction, invite, std::move(challenge), EndCause::unauthorized);
    } else {
        reply(transaction, invite, std::move(challenge));  // the call comes again with credentials
    }
}

// Under what its trunk knows of precedence, and where there is a place for it: the key of the call that has
// to end for it, or empty; nothing when it was refused.
std::optional<std::string> SipLegs::Core::admit_call(const std::string& transaction, const Message& invite,
                                                     const TrunkConfig* trunk, const std::string& replaced) {
    if (std::optional<Reply> refusal =
            precedence_refusal(invite, trunk != nullptr ? &trunk->settings : nullptr)) {
        refuse(transaction, invite, std::move(*refusal), EndCause::not_acceptable);
        return std::nullopt;
    }
    if (half_open_.size() >= config_.max_half_open || !may_replace(invite)) {
        make_room(caller_of(invite));
    }
    // Whose place it was to have may have got its ACK meanwhile.
    Admission place{limit_of_calls(invite) == Limit::within, {}};
    if (place.admitted && trunk != nullptr) {
        place = place_for(*trunk, precedence_of(invite, trunk->settings), replaced);
    }
    if (place.admitted) {
        return std::move(place.gives_way);
    }
    refuse(transaction, invite, {.status = 503, .headers = {{"Retry-After", "10"}}}, EndCause::overload);
    return std::nullopt;
}

void SipLegs::Core::take_invite(const std::string& transaction, const Message& invite) {
    const std::optional<Identity> identity = identify(transaction, invite);
    if (!identity) {
        return;
    }
    std::string replaced;
    if (std::optional<Reply> refusal = find_replaced(invite, identity->match, replaced)) {
        refuse(transaction, invite, std::move(*refusal), EndCause::declined);
        return;
    }
    const std::string leg = "sip-" + random_token(8);
    const TrunkConfig* trunk = identity->match.trunk;
    Arrival arrival = arrival_of(invite, *identity, leg);
    const auto call =
        std::make_shared<IncomingCall>(this, leg, arrival.kind, transaction, invite, contact_host(trunk),
                                       trunk != nullptr ? dialog_terms(trunk->settings) : DialogTerms());
    if (trunk != nullptr) {
        call->set_standing(standing_of(*trunk, precedence_of(invite, trunk->settings)));
        call->session()->requests().identify(trunk->account);
    }
    if (identity->device != nullptr) {
        call->set_device({identity->device->name, binding_of_caller(*identity->device, invite)});
    }
    if (call->session()->timer_outcome() == SessionTimer::Outcome::too_small) {
        reply(transaction, invite,
              {.status = 422, .headers = {{"Min-SE", std::to_string(call->session()->least_expires())}}});
        return;
    }
    const std::optional<std::string> gives_way = admit_call(transaction, invite, trunk, replaced);
    if (!gives_way) {
        return;
    }
    const std::string key = call->key();
    calls_.emplace(key, call);
    half_open_.add(invite, key, source_of(invite.flow), caller_of(invite), now());
    arrival.replaces = std::move(replaced);
    call->arrive(arrival);
    if (!call->gave_way()) {
        preempt(*gives_way);  // for a call that is taken, no other
    }
    if (call->not_found()) {
        call->blame();
    }
}

void SipLegs::Core::on_invite_cancelled(const std::string& transaction) {
    for (const auto& [key, call] : calls_) {
        const auto incoming = std::dynamic_pointer_cast<IncomingCall>(call);
        if (incoming && incoming->invite_transaction() == transaction) {
            incoming->cancel();
            return;
        }
    }
}

void SipLegs::Core::on_response_received(std::uint64_t id, const Message& response) {
    // To requests of our calls: From holds our tag, To the peer's.
    const std::string key = response.call_id + "|" + response.from.tag + "|" + response.to.tag;
    const auto call = find(response.call_id, response.from.tag, response.to.tag);
    if (call) {
        call->lost_flows().answered(key, response.flow);
        if (!call->usages().receive_response(id, response)) {
            call->receive_response(id, response);
        }
    } else if (const auto beside = find_aside(key)) {
        beside->lost_flows().answered(key, response.flow);
        (void)beside->usages().receive_response(id, response);
    } else if (lines_.receive_response(id, response, now())) {
        arm(now() + kGranularity);
    }
}

}  // namespace vmr::sip
