// MESSAGE in a call's dialog (RFC 3428): what is written in the room, to and from who reads it by SIP. Pure.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

// Whether who sent this INVITE, or answer to ours, is to be sent messages: their Allow says so, and they are
// no conference of their own (RFC 4579), where two calls between the same two would carry a message around
// for ever.
bool shows_messages(const Message& from);

// The text of a MESSAGE; or the refusal, where it holds none that we read.
std::optional<Reply> read_message(const Message& request, std::string& text);
Reply answer_to_message(SayResult result);

// "Name: text". Further lines are indented: none of them can pretend to be another's message.
std::string message_text(const ChatMessage& message);
// The request that carries it, cut where it has to be short (section 8); nothing: not even an ellipsis fits.
std::optional<RequestParts> message_request(const Dialog& dialog, const std::string& branch,
                                            const std::string& text);

// Messages to a peer: one at a time (section 8), a few wait.
class Outbox {
public:
    static constexpr std::size_t kMaxWaiting = 20;
    struct Entry {
        std::string text;
        bool protected_only = false;
    };
    // The transaction; 0: it could not be sent.
    using Send = std::function<std::uint64_t(const Entry&)>;

    explicit Outbox(Send send) : send_(std::move(send)) {}
    void add(Entry entry);  // the oldest that waits gives way
    bool is_own(std::uint64_t id) const { return id != 0 && id == sent_; }
    void receive_response(int status);
    void request_timed_out();
    void stop();  // for good

private:
    void send_next();

    Send send_;
    std::deque<Entry> waiting_;
    std::uint64_t sent_ = 0;  // not answered yet
    bool stopped_ = false;
};

}  // namespace vmr::sip
