// Chat: MESSAGE in a call, both ways.
#include "daemon/legs/sip/call.hpp"
#include "daemon/legs/sip/usages.hpp"

namespace vmr::sip {
namespace {

bool is_protected(const Flow& flow) {
    return flow.protection != "none";
}

}  // namespace

void Usages::receive_message(const std::string& transaction, const Message& request) {
    std::string text;
    std::optional<Reply> answer = read_message(request, text);
    if (!answer) {
        answer = answer_to_message(
            call_.owner()->observer().on_leg_said(call_.id(), text, is_protected(request.flow)));
    }
    reply(transaction, request, call_.session()->dialog(), std::move(*answer));
}

void Usages::show_message(const ChatMessage& message) {
    outbox_.add({message_text(message), message.protected_only});
    call_.owner()->on_call_touched();
}

std::uint64_t Usages::send_message(const Outbox::Entry& entry) {
    Dialog& dialog = call_.session()->dialog();
    if (entry.protected_only && !is_protected(dialog.flow())) {
        return 0;
    }
    const auto message = message_request(dialog, call_.new_branch(), entry.text);
    if (!message) {
        return 0;
    }
    return call_.session()->requests().send(dialog, *message);
}

}  // namespace vmr::sip
