// The notifier's half of a subscription (RFC 6665 section 4.2): expiry and refresh, at most one NOTIFY a
// second and one on its way, what happens meanwhile told together. Pure: time is an argument.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

// What a subscription tells about: an event package.
class Topic {
public:
    struct Notice {
        bool pending = false;  // the subscriber may not see anything yet (section 4.1.3)
        std::string body;
    };
    virtual ~Topic() = default;
    virtual const std::string& event() const = 0;  // value of Event
    virtual const std::string& content_type() const = 0;
    // What is to be told now; nothing where nothing is new. `full`: everything, a SUBSCRIBE asked for it.
    virtual std::optional<Notice> write(bool full) = 0;
    virtual bool has_more() const { return false; }  // it did not fit into what was written last
};

class Subscription {
public:
    static constexpr std::int64_t kMinInterval = 1000;  // ms between two NOTIFYs

    // Sends a NOTIFY along the dialog; the transaction, or 0 when there is no way.
    using Send = std::function<std::uint64_t(RequestParts parts)>;
    Subscription(std::unique_ptr<Topic> topic, Send send)
        : topic_(std::move(topic)), send_(std::move(send)) {}

    // A SUBSCRIBE was accepted, the first or a refresh; it ends with 0 seconds.
    void renew(std::int64_t seconds, std::int64_t now);
    void touch(std::int64_t now);                           // there may be something new
    void end(const std::string& reason, std::int64_t now);  // section 4.1.3: "noresource", …

    bool is_own(std::uint64_t id) const { return id != 0 && id == notify_; }
    void receive_response(const Message& response, std::int64_t now);
    void request_timed_out() { over_ = true; }  // section 4.2.2
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    bool over() const { return over_; }  // nothing more to send or to wait for
    const std::string& event() const { return topic_->event(); }

private:
    void send_what_is_due(std::int64_t now);
    void send_notify(const std::string& state, const std::string& body);

    std::unique_ptr<Topic> topic_;
    Send send_;
    std::int64_t expires_at_ = -1;
    std::int64_t next_at_ = -1;  // ms; no NOTIFY before
    bool begun_ = false;         // the first SUBSCRIBE was answered
    bool full_ = false;          // everything is to be told
    bool changed_ = false;       // something may be new
    std::string reason_;         // of the end, which is to be told
    bool ending_ = false;        // it was
    std::uint64_t notify_ = 0;   // transaction on its way
    bool over_ = false;
};

}  // namespace vmr::sip
