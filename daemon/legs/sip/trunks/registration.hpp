// Our REGISTER with one registrar (RFC 3261 section 10): digest, 423, refreshing, withdrawal. Pure: time is
// an argument, in milliseconds.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/trunks/line_host.hpp"

namespace vmr::sip {

struct RegistrationConfig {
    DigestIdentity account;
    std::string domain;        // of the address-of-record
    std::string contact_host;  // empty: the address that we call from
    int interval = 600;        // seconds to ask for
};

class Registration {
public:
    Registration(LineHost& host, RegistrationConfig config);

    bool due(std::int64_t now) const { return waiting_for_ == 0 && now >= due_at_; }
    // Registers, or refreshes, along this way.
    void send(const Flow& flow, std::int64_t now);
    void tick(std::int64_t now) { expires_at_ = registered(now) ? expires_at_ : -1; }
    // There is no way before `at`.
    void postpone(std::int64_t at) { due_at_ = due_at_ > at ? due_at_ : at; }
    void hurry(std::int64_t now) { due_at_ = now; }
    // The way is gone; what was registered there may be, too.
    void lose_way(std::int64_t now);
    // Takes the binding back, as well as it can be done.
    void withdraw(std::int64_t now);

    enum class Outcome {
        not_mine,
        waiting,  // asked again
        registered,
        refused,   // tried again later
        no_answer  // or none that another target could not give: another one may serve
    };
    Outcome receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    Outcome request_timed_out(std::uint64_t id, std::int64_t now);

    // Its last registration has run out at `now`.
    bool registered(std::int64_t now) const { return now < expires_at_; }
    std::int64_t next_deadline() const;  // when it is due, or runs out
    const std::string& why() const { return why_; }

private:
    void ask(std::int64_t now);
    Outcome fail(const std::string& why, Outcome outcome, std::int64_t now);
    bool answer(const Message& challenge);
    int granted(const Message& ok) const;

    LineHost& host_;
    const RegistrationConfig config_;
    Flow flow_;
    bool has_way_ = false;
    bool withdrawn_ = false;
    std::string call_id_, tag_, contact_;
    std::uint32_t cseq_ = 0;
    int interval_;
    std::optional<Header> credentials_;
    int attempts_ = 0;  // with credentials or another interval, for one registration
    int failures_ = 0;
    std::uint64_t waiting_for_ = 0;  // transaction
    std::int64_t due_at_ = 0;
    std::int64_t expires_at_ = -1;
    std::string why_;
};

}  // namespace vmr::sip
