// REFER that comes (RFC 3515, RFC 4488): what it asks for, and how it went, told as an implicit subscription.
// Pure.
#pragma once
#include <optional>
#include <string>

#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/subscriptions/subscription.hpp"

namespace vmr::sip {

inline const std::string kReferEvent = "refer";
inline const std::string kFragmentType = "message/sipfrag;version=2.0";

struct ReferRequest {
    std::string address;      // a URI without headers
    std::string replaces;     // value of Replaces for the call there; or empty
    std::string referred_by;  // value of Referred-By (RFC 3892); or empty
    bool subscribes = true;   // not with Refer-Sub: false
};

// Fills `refer`; or the refusal: 400, 416, 420, 603.
std::optional<Reply> read_refer(const Message& request, ReferRequest& refer);

// Of a message/sipfrag (RFC 3420): its status line.
struct Fragment {
    int status = 0;
    std::string reason;
};
std::optional<Fragment> read_fragment(const std::string& body);

class ReferTopic final : public Topic {
public:
    explicit ReferTopic(std::string event) : event_(std::move(event)) {}
    void set(int status, const std::string& reason);

    const std::string& event() const override { return event_; }
    const std::string& content_type() const override { return kFragmentType; }
    std::optional<Notice> write(bool full) override;

private:
    const std::string event_;
    std::string line_ = "SIP/2.0 100 Trying\r\n";
    bool told_ = false;
};

}  // namespace vmr::sip
