#include "daemon/legs/sip/usages.hpp"

#include <algorithm>

#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/dialog/required.hpp"
#include "daemon/legs/sip/subscriptions/conference_document.hpp"
#include "daemon/legs/sip/subscriptions/subscribe.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxWatches = 3;  // of one call
// A datagram in a few fragments; streams take more at once.
constexpr std::size_t kUsersInDatagram = 8, kUsersInStream = 40;

// "<sip:room@host>;isfocus" without the brackets and what follows them.
std::string bare_uri(const std::string& contact) {
    const std::size_t end = contact.find_first_of(";>");
    return contact.substr(1, end - 1);
}

}  // namespace

void Usages::reply(const std::string& transaction, const Message& request, const Dialog& dialog,
                   Reply reply) {
    reply.to_tag = dialog.local_tag();
    call_.respond(transaction, reply.status, write_response(request, reply));
}

bool Usages::receive(const std::string& transaction, const Message& request) {
    if (request.method == "SUBSCRIBE") {
        receive_subscribe(transaction, request);
    } else if (request.method == "NOTIFY") {
        receive_notify(transaction, request);
    } else if (request.method == "REFER" && call_.takes_referrals()) {
        receive_refer(transaction, request);
    } else if (request.method == "MESSAGE" && call_.takes_messages()) {
        receive_message(transaction, request);
    } else {
        return false;
    }
    return true;
}

void Usages::receive_subscribe(const std::string& transaction, const Message& request) {
    std::optional<Reply> refusal = refusal_of_subscribe(request);
    if (refusal && event_package(request) == kReferEvent) {
        // One that a REFER made may be refreshed and ended; none is made so (RFC 3515 section 2.4.4).
        const bool known = std::ranges::any_of(watches_, [event = event_of(request)](const Watch& watch) {
            return !watch.aside && watch.subscription->event() == event;
        });
        refusal = known ? std::nullopt : std::optional(Reply{.status = 403});
    }
    if (refusal) {
        reply(transaction, request, call_.session()->dialog(), std::move(*refusal));
    } else {
        subscribe(transaction, request, nullptr);
    }
}

std::optional<std::string> Usages::subscribe_aside(const std::string& transaction, const Message& request) {
    auto dialog = std::make_unique<Dialog>(request, random_token(8), call_.owner()->contact_host());
    dialog->be_focus();
    const std::string key = dialog->key();
    subscribe(transaction, request, std::move(dialog));
    return has_aside(key) ? std::optional(key) : std::nullopt;
}

void Usages::subscribe(const std::string& transaction, const Message& request,
                       std::unique_ptr<Dialog> aside) {
    Dialog& dialog = aside ? *aside : call_.session()->dialog();
    const std::string event = event_of(request);
    const bool refer = event_package(request) == kReferEvent;
    const std::uint32_t seconds =
        std::min(granted_seconds(request), refer ? std::uint32_t{kReferExpires} : kMaxSubscription);
    const auto known = std::ranges::find_if(watches_, [&](const Watch& watch) {
        return !aside && !watch.aside && watch.subscription->event() == event;
    });
    if (known == watches_.end() && watches_.size() >= kMaxWatches) {
        reply(transaction, request, dialog, {.status = 403});
        return;
    }
    reply(transaction, request, dialog,
          {.headers = {{"Expires", std::to_string(seconds)}, {"Contact", dialog.contact()}}});
    if (known != watches_.end()) {
        known->subscription->renew(seconds, call_.owner()->now());
    } else {
        auto subscription = make_subscription(request, dialog);
        Watch& watch = watches_.emplace_back(Watch{std::move(aside), std::move(subscription)});
        watch.subscription->renew(seconds, call_.owner()->now());
    }
    call_.owner()->on_call_touched();
}

std::unique_ptr<Subscription> Usages::make_subscription(const Message& request, Dialog& dialog) {
    const bool datagrams = request.flow.transport == Transport::udp;
    auto topic = std::make_unique<ConferenceTopic>(
        event_of(request), bare_uri(dialog.contact()),
        [this] {
            return call_.owner() != nullptr ? call_.owner()->observer().conference_of(call_.id()) : nullptr;
        },
        datagrams ? kUsersInDatagram : kUsersInStream);
    return std::make_unique<Subscription>(std::move(topic), [this, &dialog](RequestParts notify) {
        return send_notify(dialog, std::move(notify));
    });
}

std::uint64_t Usages::send_notify(Dialog& dialog, RequestParts notify) {
    notify.headers.push_back({"Contact", dialog.contact()});
    return call_.session()->requests().send(dialog, std::move(notify));
}

void Usages::add_asides(std::vector<Dialog*>& dialogs) const {
    for (const Watch& watch : watches_) {
        if (watch.aside) {
            dialogs.push_back(watch.aside.get());
        }
    }
}

bool Usages::has_aside(const std::string& key) const {
    return std::ranges::any_of(
        watches_, [&key](const Watch& watch) { return watch.aside && watch.aside->key() == key; });
}

void Usages::receive_aside(const std::string& transaction, const Message& request) {
    const std::string key = Dialog::key(request);
    const auto watch = std::ranges::find_if(
        watches_, [&key](const Watch& one) { return one.aside && one.aside->key() == key; });
    if (watch == watches_.end() || request.method == "ACK") {
        return;
    }
    Dialog& dialog = *watch->aside;
    if (!dialog.accept_order(request)) {
        reply(transaction, request, dialog, {.status = 500, .reason = "CSeq Out Of Order"});
        return;
    }
    std::optional<Reply> refusal = refusal_of_required(request, false);
    if (!refusal) {
        refusal = request.method == "SUBSCRIBE" ? refusal_of_subscribe(request)
                                                : Reply{.status = 405, .headers = {{"Allow", "SUBSCRIBE"}}};
    }
    if (!refusal && event_of(request) != watch->subscription->event()) {
        refusal = Reply{.status = 403};  // one dialog, one subscription
    }
    if (refusal) {
        reply(transaction, request, dialog, std::move(*refusal));
        return;
    }
    dialog.refresh_target(request);
    call_.follow(dialog, request.response_flow());
    const std::uint32_t seconds = granted_seconds(request);
    reply(transaction, request, dialog,
          {.headers = {{"Expires", std::to_string(seconds)}, {"Contact", dialog.contact()}}});
    watch->subscription->renew(seconds, call_.owner()->now());
    call_.owner()->on_call_touched();
}

void Usages::on_conference_changed() {
    for (const Watch& watch : watches_) {
        watch.subscription->touch(call_.owner()->now());
    }
    if (!watches_.empty()) {
        call_.owner()->on_call_touched();
    }
}

void Usages::end() {
    for (const Watch& watch : watches_) {
        watch.subscription->end("noresource", call_.owner()->now());
    }
    outbox_.stop();
    if (transfer_) {
        transfer_->fail(487, "The call ended first");
    }
}

// It was a challenge: the request goes out again, unless the call ended meanwhile.
bool Usages::ask_again(std::uint64_t id, const Message& response, Dialog& dialog, bool beyond_call) {
    Session& session = *call_.session();
    if ((!beyond_call && session.leaving()) || !session.requests().ask_again(id, response, dialog)) {
        if (response.status >= 200) {
            (void)session.requests().take(id);
        }
        return false;
    }
    return true;
}

bool Usages::receive_response(std::uint64_t id, const Message& response) {
    if (transfer_ && transfer_->is_own(id)) {
        if (Dialog& dialog = call_.session()->dialog(); ask_again(id, response, dialog, false)) {
            transfer_->renumber(dialog.local_cseq());
            return true;
        }
        const std::shared_ptr<Call> held = call_.shared_from_this();
        transfer_->receive_response(response);
        return true;
    }
    if (outbox_.is_own(id)) {
        if (ask_again(id, response, call_.session()->dialog(), false)) {
            return true;
        }
        outbox_.receive_response(response.status);
        return true;
    }
    const auto watch =
        std::ranges::find_if(watches_, [id](const Watch& one) { return one.subscription->is_own(id); });
    if (watch == watches_.end()) {
        return false;
    }
    if (ask_again(id, response, watch->aside ? *watch->aside : call_.session()->dialog(), true)) {
        return true;
    }
    watch->subscription->receive_response(response, call_.owner()->now());
    forget_what_is_over();
    return true;
}

void Usages::request_timed_out(std::uint64_t id) {
    for (const Watch& watch : watches_) {
        if (watch.subscription->is_own(id)) {
            watch.subscription->request_timed_out();
        }
    }
    if (transfer_ && transfer_->is_own(id)) {
        transfer_->fail(408, "No response");
    }
    if (outbox_.is_own(id)) {
        outbox_.request_timed_out();
    }
    forget_what_is_over();
}

void Usages::tick() {
    for (const Watch& watch : watches_) {
        watch.subscription->tick(call_.owner()->now());
    }
    if (transfer_) {
        transfer_->tick(call_.owner()->now());
    }
    forget_what_is_over();
}

void Usages::forget_what_is_over() {
    std::erase_if(watches_, [](const Watch& watch) { return watch.subscription->over(); });
}

std::optional<std::int64_t> Usages::next_deadline() const {
    std::optional<std::int64_t> next = transfer_ ? transfer_->next_deadline() : std::nullopt;
    for (const Watch& watch : watches_) {
        const std::optional<std::int64_t> at = watch.subscription->next_deadline();
        if (at && (!next || *at < *next)) {
            next = at;
        }
    }
    return next;
}

}  // namespace vmr::sip
