// REFER in a call, both ways.
#include <algorithm>

#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/usages.hpp"

namespace vmr::sip {
namespace {

constexpr unsigned kMaxReferrals = 20;  // of one call

}  // namespace

void Usages::receive_refer(const std::string& transaction, const Message& request) {
    Dialog& dialog = call_.session()->dialog();
    // The id is for who sends several (RFC 3515 section 2.4.6).
    const std::string event =
        kReferEvent + (referrals_ == 0 ? std::string() : ";id=" + std::to_string(request.cseq));
    ReferRequest refer;
    std::optional<Reply> refusal = read_refer(request, refer);
    if (!refusal) {
        refusal = accept_refer(refer, event);
    }
    if (refusal) {
        reply(transaction, request, dialog, std::move(*refusal));
        return;
    }
    Reply accepted{.status = 202, .headers = {{"Contact", dialog.contact()}}};
    if (!refer.subscribes) {
        accepted.headers.push_back({"Refer-Sub", "false"});
    }
    reply(transaction, request, dialog, std::move(accepted));
    for (const Watch& watch : watches_) {
        if (watch.subscription->event() == event) {
            watch.subscription->renew(kReferExpires, call_.owner()->now());
        }
    }
    call_.owner()->on_call_touched();
}

// The call is placed and, where that is to be told, followed; or a refusal.
std::optional<Reply> Usages::accept_refer(const ReferRequest& refer, const std::string& event) {
    const bool watched =
        std::ranges::any_of(watches_, [](const Watch& watch) { return watch.referral != nullptr; });
    const bool under_way = !referring_.empty() && call_.owner()->now() < referring_until_;
    // One without an ACK would have to give way to the call that it asks for.
    if (watched || under_way || referrals_ >= kMaxReferrals || call_.half_open()) {
        return Reply{.status = 603};
    }
    ++referrals_;
    referring_ = event;
    referring_until_ = call_.owner()->now() + kReferExpires * 1000;
    if (refer.subscribes) {
        Dialog& dialog = call_.session()->dialog();
        auto topic = std::make_unique<ReferTopic>(event);
        ReferTopic* told = topic.get();
        watches_.push_back({nullptr,
                            std::make_unique<Subscription>(std::move(topic),
                                                           [this, &dialog](RequestParts notify) {
                                                               return send_notify(dialog, std::move(notify));
                                                           }),
                            told});
    }
    Referral referral{refer.address, refer.replaces,
                      [weak = call_.weak_from_this(), event](int status, const std::string& reason) {
                          if (const auto call = weak.lock()) {
                              call->usages().report(event, status, reason);
                          }
                      }};
    referral.plan = call_.owner()->plan_within(call_.standing().trunk, refer.address);
    if (referral.plan) {
        referral.plan->referred_by = refer.referred_by;
    }
    if (call_.owner()->observer().on_leg_referred(call_.id(), std::move(referral))) {
        return std::nullopt;
    }
    referring_.clear();
    std::erase_if(watches_, [&event](const Watch& watch) { return watch.subscription->event() == event; });
    return Reply{.status = 603};
}

void Usages::report(const std::string& event, int status, const std::string& reason) {
    if (call_.owner() == nullptr) {
        return;
    }
    if (status >= 200 && event == referring_) {
        referring_.clear();
    }
    for (const Watch& watch : watches_) {
        if (watch.referral != nullptr && watch.subscription->event() == event) {
            watch.referral->set(status, reason);
            watch.subscription->touch(call_.owner()->now());
            if (status >= 200) {
                watch.subscription->end("noresource", call_.owner()->now());
            }
        }
    }
    call_.owner()->on_call_touched();
}

Status Usages::transfer(const std::string& uri, OnCallStatus on_status) {
    if (!call_.session()->peer_refers()) {
        return Error{"the participant's device takes no transfers"};
    }
    if (transfer_ && !transfer_->over()) {
        return Error{"a transfer is under way"};
    }
    transfer_ = std::make_unique<Transfer>(std::move(on_status));
    Dialog& dialog = call_.session()->dialog();
    RequestParts refer = Transfer::request(uri);
    refer.headers.push_back({"Contact", dialog.contact()});
    const std::uint64_t id = call_.session()->requests().send(dialog, std::move(refer));
    transfer_->begin(id, dialog.local_cseq(), call_.owner()->now());
    call_.owner()->on_call_touched();
    return Ok{};
}

void Usages::receive_notify(const std::string& transaction, const Message& request) {
    const bool ours = transfer_ && transfer_->is_told_by(request);
    reply(transaction, request, call_.session()->dialog(), {.status = ours ? 200 : 481});
    if (ours) {
        const std::shared_ptr<Call> held = call_.shared_from_this();
        transfer_->receive_notify(request);
    }
}

}  // namespace vmr::sip
