// Whose camera somebody steers (H.281), in a room. Pure.
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "daemon/room/types.hpp"

namespace vmr::bridge {

class CameraRoutes {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kHold{5};  // since its last message nobody else steers that camera

    // Who is in the room and has camera control.
    struct Side {
        room::ParticipantId id;
        bool spotlight = false;
    };
    // Where what `from` sends goes; empty: nowhere. To who is spotlighted; without a spotlight to the other
    // one of two; and what a camera answers, to who steers it.
    room::ParticipantId route(const room::ParticipantId& from, const std::vector<Side>& sides, Time now);
    void forget(const room::ParticipantId& id);

private:
    struct Hold {
        room::ParticipantId by;
        Time at;
    };
    std::map<room::ParticipantId, Hold> holds_;  // by whose camera it is
};

}  // namespace vmr::bridge
