// What a call's peer may use besides its sound and pictures (RFC 5057): who is in the conference (RFC 4575),
// in the call's dialog or in one of its own (usages.cpp); REFER, both ways (usages_refer.cpp); chat
// (usages_message.cpp).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/sip/dialog/instant_message.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/subscriptions/refer.hpp"
#include "daemon/legs/sip/subscriptions/subscription.hpp"
#include "daemon/legs/sip/subscriptions/transfer.hpp"

namespace vmr::sip {

class Call;

class Usages {
public:
    explicit Usages(Call& call) : call_(call) {}

    // A request in the call's dialog that is none of its session. False: none of ours either.
    bool receive(const std::string& transaction, const Message& request);
    // A SUBSCRIBE that begins a dialog of its own; the dialog's key, once it is accepted.
    std::optional<std::string> subscribe_aside(const std::string& transaction, const Message& request);
    // A request in such a dialog.
    void receive_aside(const std::string& transaction, const Message& request);
    bool has_aside(const std::string& key) const;
    void add_asides(std::vector<Dialog*>& dialogs) const;

    // Asks the peer to call somebody else.
    Status transfer(const std::string& uri, OnCallStatus on_status);

    // To a peer that takes messages.
    void show_message(const ChatMessage& message);

    void on_conference_changed();
    void end();  // with the call
    bool receive_response(std::uint64_t id, const Message& response);
    void request_timed_out(std::uint64_t id);
    void tick();
    std::optional<std::int64_t> next_deadline() const;

private:
    struct Watch {
        std::unique_ptr<Dialog> aside;  // null: the call's own
        std::unique_ptr<Subscription> subscription;
        ReferTopic* referral = nullptr;  // of the subscription, where a REFER made it
    };
    void receive_subscribe(const std::string& transaction, const Message& request);
    void receive_refer(const std::string& transaction, const Message& request);
    std::optional<Reply> accept_refer(const ReferRequest& refer, const std::string& event);
    void receive_message(const std::string& transaction, const Message& request);
    std::uint64_t send_message(const Outbox::Entry& entry);
    void receive_notify(const std::string& transaction, const Message& request);
    void report(const std::string& event, int status, const std::string& reason);
    void subscribe(const std::string& transaction, const Message& request, std::unique_ptr<Dialog> aside);
    std::unique_ptr<Subscription> make_subscription(const Message& request, Dialog& dialog);
    std::uint64_t send_notify(Dialog& dialog, RequestParts notify);
    void reply(const std::string& transaction, const Message& request, const Dialog& dialog, Reply reply);
    bool ask_again(std::uint64_t id, const Message& response, Dialog& dialog, bool beyond_call);
    void forget_what_is_over();

    Call& call_;
    std::vector<Watch> watches_;
    static constexpr std::int64_t kReferExpires = 300;  // seconds; ringing takes less
    unsigned referrals_ = 0;                            // so far
    std::string referring_;  // event of the one whose result is not known, whoever listens to it; or empty
    std::int64_t referring_until_ = 0;
    std::unique_ptr<Transfer> transfer_;
    Outbox outbox_{[this](const Outbox::Entry& entry) { return send_message(entry); }};
};

}  // namespace vmr::sip
