// Session timers (RFC 4028). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

inline constexpr std::uint32_t kMinSessionExpires = 90;        // seconds, RFC 4028 section 5
inline constexpr std::uint32_t kDefaultSessionExpires = 1800;  // seconds

// delta-seconds of a header, a day at most; nothing when there is none that can be read.
std::optional<std::uint32_t> seconds_of(const Message& message, std::string_view header);

// Before a peer that refused something for the moment so many times is asked again, in milliseconds.
inline constexpr std::int64_t kLongestWait = 60000;
std::int64_t wait_after(unsigned refusals);

class SessionTimer {
public:
    SessionTimer() = default;
    // Seconds: what we ask for, and the least that we take; RFC 4028 knows none below 90.
    SessionTimer(std::uint32_t wanted, std::uint32_t least);
    enum class Outcome { off, on, too_small };
    // Reads an INVITE or UPDATE that we answer (section 9). too_small: refuse with 422 and
    // Min-SE. Starts or restarts the timer only by confirm().
    Outcome negotiate(const Message& request);
    // Our first INVITE asks for one; its 2xx says who refreshes.
    void propose();
    // Reads the 2xx to a refresh that we sent (section 7.2).
    void read_response(const Message& response, std::int64_t now_ms);
    void confirm(std::int64_t now_ms);  // our 2xx went out

    std::uint32_t interval() const { return interval_; }
    std::uint32_t min_se() const { return min_se_; }
    std::uint32_t least() const { return least_; }  // of ours: Min-SE of a 422
    bool active() const { return interval_ > 0; }
    bool refresher() const { return refresher_; }
    std::string session_expires(bool as_uac) const;  // header value
    bool peer_supports() const { return peer_supports_; }
    // The peer answered 422; false: it asks for no more than we offered.
    bool raise_to(std::uint32_t min_se);

    enum class Due { nothing, refresh, expired };
    Due due(std::int64_t now_ms) const;
    std::optional<std::int64_t> next_deadline() const;
    void refresh_sent();
    // The peer refused the refresh: for the moment, and perhaps for as long as it says; or, as it seems, for
    // good. It is asked again while the session lasts, or once.
    void refused_for_now(std::int64_t told_ms, std::int64_t now_ms);
    void refused(std::int64_t now_ms);

private:
    std::uint32_t wanted_ = kDefaultSessionExpires;
    std::uint32_t least_ = kMinSessionExpires;
    std::uint32_t interval_ = 0;  // seconds; 0 = off
    std::uint32_t min_se_ = kMinSessionExpires;
    bool refresher_ = false;  // we refresh
    bool peer_supports_ = false;
    std::int64_t refresh_at_ = -1;
    std::int64_t expires_at_ = -1;
    unsigned refusals_ = 0;  // since the session was refreshed
    bool refused_ = false;
};

}  // namespace vmr::sip
