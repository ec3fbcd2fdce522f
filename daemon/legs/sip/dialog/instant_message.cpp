#include "daemon/legs/sip/dialog/instant_message.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {
namespace {

constexpr const char* kTextType = "text/plain";
// Of a whole request that may cross a hop without congestion control (section 8), before the stack adds its
// User-Agent.
constexpr std::size_t kMaxDatagram = 1300 - std::string_view("User-Agent: \r\n").size() - kMaxSoftware;

bool is_text(const Message& request) {
    const std::string* type = request.header("content-type");
    if (request.content_type != kTextType || type == nullptr) {
        return false;
    }
    const std::size_t semicolon = type->find(';');
    const std::string charset = semicolon == std::string::npos
                                    ? std::string()
                                    : lower(parameter(std::string_view(*type).substr(semicolon), "charset"));
    const std::string* encoding = request.header("content-encoding");
    return (charset.empty() || charset == "utf-8" || charset == "us-ascii") &&
           (encoding == nullptr || equal_nocase(*encoding, "identity"));
}

// Lines end with CRLF on the way, with LF here; the last one's end is nobody's text.
std::string with_plain_lines(std::string_view body) {
    std::string text;
    for (std::size_t at = 0; at < body.size(); ++at) {
        if (!(body[at] == '\r' && at + 1 < body.size() && body[at + 1] == '\n')) {
            text += body[at];
        }
    }
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

bool shows_messages(const Message& from) {
    bool is_focus = false;
    if (!from.contacts.empty()) {
        (void)parameter(from.contacts.front().params, "isfocus", &is_focus);
    }
    return from.has_token("allow", "MESSAGE") && !is_focus;
}

std::optional<Reply> read_message(const Message& request, std::string& text) {
    if (!is_text(request)) {
        return Reply{.status = 415, .headers = {{"Accept", kTextType}, {"Accept-Encoding", "identity"}}};
    }
    text = with_plain_lines(request.body);
    if (text.size() > kMaxChatText) {
        return Reply{.status = 413};
    }
    if (text.empty() || !is_utf8(text)) {
        return answer_to_message(SayResult::malformed);
    }
    return std::nullopt;
}

Reply answer_to_message(SayResult result) {
    switch (result) {
        case SayResult::said:
            return {};
        case SayResult::malformed:
            return {.status = 400, .reason = "Bad Message Text"};
        case SayResult::refused:
            return {.status = 403};
        case SayResult::later:
            // Of this caller alone: 503 would have it, or a proxy, send us nothing at all for that long (RFC
            // 3261 section 21.5.4), not even the call's BYE.
            return {.status = 480, .headers = {{"Retry-After", "10"}}};
    }
    return {.status = 403};
}

std::string message_text(const ChatMessage& message) {
    std::string text = made_utf8(message.name) + ": ";
    for (const char c : made_utf8(message.text)) {
        c == '\n' ? text.append("\r\n  ") : text.append(1, c);
    }
    return text;
}

std::optional<RequestParts> message_request(const Dialog& dialog, const std::string& branch,
                                            const std::string& text) {
    RequestParts message{.method = "MESSAGE", .branch = branch, .body = text};
    message.content_type = std::string(kTextType) + ";charset=UTF-8";
    const bool long_ones = dialog.flow().transport != Transport::udp && !dialog.has_routes();
    const std::size_t size = Dialog(dialog).write_request(message).size();
    if (!long_ones && size > kMaxDatagram) {
        const std::size_t excess = size - kMaxDatagram;
        message.body = excess < text.size() ? cut_utf8(text, text.size() - excess) : std::string();
    }
    return message.body.empty() ? std::nullopt : std::optional(std::move(message));
}

void Outbox::add(Entry entry) {
    if (stopped_) {
        return;
    }
    if (waiting_.size() >= kMaxWaiting) {
        waiting_.pop_front();
    }
    waiting_.push_back(std::move(entry));
    send_next();
}

void Outbox::send_next() {
    while (sent_ == 0 && !waiting_.empty()) {
        const Entry entry = std::move(waiting_.front());
        waiting_.pop_front();
        sent_ = send_(entry);
    }
}

// Who knows neither MESSAGE nor text is not asked again, nor who has forgotten the dialog; any other refusal
// is of that message alone.
void Outbox::receive_response(int status) {
    if (status < 200) {
        return;
    }
    sent_ = 0;
    if (status == 405 || status == 415 || status == 481 || status == 501) {
        stop();
    } else {
        send_next();
    }
}

void Outbox::request_timed_out() {
    sent_ = 0;
    waiting_.clear();  // old by now
}

void Outbox::stop() {
    stopped_ = true;
    sent_ = 0;
    waiting_.clear();
}

}  // namespace vmr::sip
