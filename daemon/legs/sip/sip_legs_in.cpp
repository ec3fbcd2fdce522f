// Requests and calls that come to us, and responses to whom they belong.
#include <algorithm>

#include "base/source_network.hpp"
#include "daemon/legs/sip/arrival.hpp"
#include "daemon/legs/sip/incoming_call.hpp"
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

std::shared_ptr<Call> SipLegs::Core::find(const std::string& call_id, const std::string& local_tag,
                                          const std::string& remote_tag) const {
    const std::string ours = call_id + "|" + local_tag + "|";
    auto found = calls_.find(ours + remote_tag);
    if (found == calls_.end()) {
        found = calls_.find(ours);  // placed by us: there may be several of the other side
    }
    return found != calls_.end() ? found->second : nullptr;
}

void SipLegs::Core::on_request_received(const std::string& transaction, const Message& request) {
    if (!request.to.tag.empty()) {
        if (const auto call = find(request.call_id, request.to.tag, request.from.tag)) {
            call->receive(transaction, request);
        } else if (request.method != "ACK") {
            reply(transaction, request, {.status = 481});
        }
        return;
    }
    if (request.method == "ACK") {
        return;
    }
    if (std::optional<Reply> answer = early_answer(request)) {
        if (request.method == "INVITE") {
            const EndCause cause = answer->status == 400 ? EndCause::malformed : EndCause::not_acceptable;
            refuse(transaction, request, std::move(*answer), cause);
        } else {
            reply(transaction, request, std::move(*answer));
        }
        return;
    }
    take_invite(transaction, request);
}

std::size_t SipLegs::Core::half_open(const std::string& source) const {
    return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [&source](const auto& entry) {
        const Call& call = *entry.second;
        return call.half_open() &&
               (source.empty() || source_network(call.session()->dialog().flow().remote.ip) == source);
    }));
}

// Limits: each refusal costs one transaction and no call.
bool SipLegs::Core::admit(const std::string& transaction, const Message& invite) {
    const bool merged = std::any_of(calls_.begin(), calls_.end(), [&invite](const auto& entry) {
        return entry.second->same_invite(invite);
    });
    if (merged) {
        reply(transaction, invite, {.status = 482});  // it came by two ways (section 8.2.2.2)
        return false;
    }
    if (draining_ || is_over_limit(invite)) {
        refuse(transaction, invite, {.status = 503, .headers = {{"Retry-After", "10"}}},
               draining_ ? EndCause::shutdown : EndCause::overload);
        return false;
    }
    return true;
}

bool SipLegs::Core::is_over_limit(const Message& invite) {
    const std::string source = source_network(invite.flow.remote.ip);
    return calls_.size() >= config_.max_calls || !invites_.allow(source, now()) ||
           half_open() >= config_.max_half_open ||
           (!trunks_.is_source(invite.flow.remote.ip) &&
            half_open(source) >= config_.max_half_open_per_source);
}

// The trunk that the call comes from, or none; nothing when the call was challenged or refused.
std::optional<Trunks::Match> SipLegs::Core::identify(const std::string& transaction, const Message& invite) {
    std::string user;
    bool stale = false;
    bool wrong = false;
    const auto secret_of = [this, &user](const std::string& name, DigestAlgorithms answer) {
        user = name;
        return trunks_.secret_of(name, answer);
    };
    for (const Header& header : invite.headers) {
        if (header.name != "proxy-authorization") {
            continue;
        }
        const Digest::Verdict verdict =
            digest_.verify(header.value, invite.method, invite.flow.remote.ip, secret_of, now());
        if (verdict == Digest::Verdict::accepted) {
            break;
        }
        user.clear();
        stale = verdict == Digest::Verdict::stale;
        wrong = wrong || verdict == Digest::Verdict::refused;
    }
    const Trunks::Match match = trunks_.match(invite, user);
    if (match.kind == Trunks::Match::Kind::denied) {
        // A trunk calls its own numbers and nothing else.
        refuse(transaction, invite, {.status = 404}, EndCause::not_found);
        return std::nullopt;
    }
    if (match.kind == Trunks::Match::Kind::challenge) {
        Reply challenge{.status = 407};
        for (std::string& value :
             digest_.challenge(match.trunk->algorithms, invite.flow.remote.ip, stale, now())) {
            challenge.headers.push_back({"Proxy-Authenticate", std::move(value)});
        }
        if (wrong) {
            refuse(transaction, invite, std::move(challenge), EndCause::unauthorized);
        } else {
            reply(transaction, invite, std::move(challenge));  // the call comes again with credentials
        }
        return std::nullopt;
    }
    return match;
}

void SipLegs::Core::take_invite(const std::string& transaction, const Message& invite) {
    if (!admit(transaction, invite)) {
        return;
    }
    const std::optional<Trunks::Match> match = identify(transaction, invite);
    if (!match) {
        return;
    }
    const std::string leg = "sip-" + random_token(8);
    const LegKind kind = match->kind == Trunks::Match::Kind::trunk ? LegKind::phone : LegKind::sip;
    const auto call =
        std::make_shared<IncomingCall>(this, leg, kind, transaction, invite, config_.contact_host);
    if (call->session()->timer_outcome() == SessionTimer::Outcome::too_small) {
        reply(transaction, invite,
              {.status = 422, .headers = {{"Min-SE", std::to_string(kMinSessionExpires)}}});
        return;
    }
    calls_.emplace(call->key(), call);
    call->arrive(describe(invite, *match, leg));
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
    if (const auto call = find(response.call_id, response.from.tag, response.to.tag)) {
        call->receive_response(id, response);
    }
}

void SipLegs::Core::on_request_timed_out(std::uint64_t id) {
    const auto calls = calls_;
    for (const auto& [key, call] : calls) {
        call->request_timed_out(id);
    }
}

}  // namespace vmr::sip
