// Dialogs beside calls: a participant's subscriptions to their conference, and calls that take another's
// place.
#include "daemon/legs/sip/dialog/replaces.hpp"
#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/sip_legs_core.hpp"
#include "daemon/legs/sip/subscriptions/subscribe.hpp"

namespace vmr::sip {
namespace {

std::string user_of(const std::string& name_addr) {
    const std::optional<NameAddr> parsed = parse_name_addr(name_addr);
    return parsed ? parsed->uri.user : std::string();
}

// The same address of record on the very way that the call came by: whoever forges both has the NOTIFYs sent
// to the participant, not to themselves. Behind a proxy a way is many callers', so it says nothing there.
bool is_same_caller(const Message& subscribe, const Dialog& dialog) {
    const Flow& flow = dialog.flow();
    if (subscribe.flow.connection != flow.connection || subscribe.response_flow().remote != flow.remote ||
        subscribe.values("via").size() != 1) {
        return false;
    }
    const std::optional<NameAddr> remote = parse_name_addr(dialog.remote());
    return remote && remote->uri.user == subscribe.from.uri.user &&
           remote->uri.host == subscribe.from.uri.host && user_of(dialog.contact()) == subscribe.uri.user;
}

}  // namespace

std::shared_ptr<Call> SipLegs::Core::find_aside(const std::string& key) const {
    const auto found = asides_.find(key);
    const auto call = found != asides_.end() ? found->second.lock() : nullptr;
    return call && call->usages().has_aside(key) ? call : nullptr;
}

// The call of who asks to know about its conference: the one whose dialog they name (RFC 4538), from the same
// host and no less protected, or the one that they called by the same way.
std::shared_ptr<Call> SipLegs::Core::subscriber(const Message& subscribe) const {
    if (const std::string key = target_dialog(subscribe); !key.empty()) {
        auto call = find(key);
        call = call ? call : find(key.substr(0, key.rfind('|') + 1));  // one that we placed
        const bool same = call && call->session() != nullptr && call->session()->dialog().key() == key &&
                          call->session()->dialog().flow().remote.ip == subscribe.flow.remote.ip &&
                          (call->session()->dialog().flow().transport != Transport::tls ||
                           subscribe.flow.transport == Transport::tls);
        return same ? call : nullptr;
    }
    for (const auto& [key, call] : calls_) {
        if (call->session() != nullptr && !call->over() &&
            is_same_caller(subscribe, call->session()->dialog())) {
            return call;
        }
    }
    return nullptr;
}

void SipLegs::Core::take_subscribe(const std::string& transaction, const Message& subscribe) {
    if (std::optional<Reply> refusal = refusal_of_subscribe(subscribe)) {
        reply(transaction, subscribe, std::move(*refusal));
        return;
    }
    const std::shared_ptr<Call> call = subscriber(subscribe);
    if (!call) {
        // The same for rooms that exist and those that do not.
        reply(transaction, subscribe, {.status = 403});
        return;
    }
    if (const auto key = call->usages().subscribe_aside(transaction, subscribe)) {
        asides_[*key] = call;
    }
}

// The leg whose place the call takes (RFC 3891 section 3). Whoever knows the dialog's tags, of which ours
// cannot be guessed, may: from the same trunk, and over TLS where the call is.
std::optional<Reply> SipLegs::Core::find_replaced(const Message& invite, const Trunks::Match& match,
                                                  std::string& leg) const {
    const ReplacesHeader header = read_replaces(invite);
    if (header.malformed) {
        return Reply{.status = 400, .reason = "Bad Replaces"};
    }
    if (!header.value) {
        return std::nullopt;
    }
    const Replaces& replaces = *header.value;
    const auto call = find(replaces.call_id, replaces.to_tag, replaces.from_tag);
    const Flow* early = call ? call->early_flow(replaces.key()) : nullptr;
    if (!call ||
        (!early && (call->session() == nullptr || call->session()->dialog().key() != replaces.key() ||
                    call->session()->incoming()))) {
        return Reply{.status = 481};
    }
    if (call->over() || (!early && call->session()->leaving())) {
        return Reply{.status = 603};
    }
    if (!early && replaces.early_only) {
        return Reply{.status = 486};
    }
    const bool phone = match.kind == Trunks::Match::Kind::trunk;
    const Flow& flow = early != nullptr ? *early : call->session()->dialog().flow();
    const bool downgrade = flow.transport == Transport::tls && invite.flow.transport != Transport::tls;
    const bool theirs = call->kind() == LegKind::phone || !call->standing().trunk.empty();
    if (downgrade || phone != theirs ||
        (phone && call->standing().trunk != match.trunk->name && flow.remote.ip != invite.flow.remote.ip)) {
        return Reply{.status = 403};
    }
    leg = call->id();
    return std::nullopt;
}

std::optional<std::int64_t> SipLegs::Core::deadline_of(const Call& call) const {
    std::optional<std::int64_t> next = call.next_deadline();
    for (const std::optional<std::int64_t>& other :
         {call.usages().next_deadline(), call.lost_flows().next_deadline()}) {
        if (other && (!next || *other < *next)) {
            next = other;
        }
    }
    return next;
}

}  // namespace vmr::sip
