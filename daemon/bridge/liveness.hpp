// Whether anything still comes from a leg: RTP and RTCP count. Pure: time is an argument, followed each
// second.
#pragma once
#include <chrono>
#include <optional>

#include "daemon/sdp/session.hpp"

namespace vmr::bridge {

class Liveness {
public:
    using Clock = std::chrono::steady_clock;
    struct Media {
        // Since the last packet; empty: the transports of now have had none.
        std::optional<std::chrono::milliseconds> silence;
        sdp::Direction direction = sdp::Direction::sendrecv;  // ours
        bool on_hold = false;                                 // by an offer of ours
    };

    Liveness() = default;
    explicit Liveness(Clock::time_point media_up) : quiet_since_(media_up) {}

    void follow(const Media& media, Clock::time_point now);
    // As the room core is told.
    bool seen() const { return on_hold_ || (heard_ && quiet_ < kSilentAfter); }
    bool dead() const { return quiet_ > kDeadAfter; }

private:
    static constexpr std::chrono::seconds kSilentAfter{10};
    static constexpr std::chrono::seconds kDeadAfter{30};

    // The last packet, or the last moment at which none had to come.
    Clock::time_point quiet_since_{};
    Clock::duration quiet_{};
    bool heard_ = false;  // ever: by another transport, too
    bool on_hold_ = false;
};

}  // namespace vmr::bridge
