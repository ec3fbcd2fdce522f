// Far-end camera control (H.281) between the room systems of a room.
#include "daemon/bridge/room_host.hpp"

namespace vmr::bridge {

void RoomHost::steer_camera(const room::ParticipantId& from, const std::vector<std::uint8_t>& message) {
    std::vector<CameraRoutes::Side> sides;
    for (const room::Participant& participant : room_.roster()) {
        const Seat* side = participant.state == room::State::in_room ? seat(participant.id) : nullptr;
        if (side != nullptr && side->session && side->session->takes_camera_control()) {
            sides.push_back({participant.id, participant.spotlight});
        }
    }
    const auto to = cameras_.route(from, sides, std::chrono::steady_clock::now());
    if (const Seat* target = to.empty() ? nullptr : seat(to)) {
        target->session->steer_camera(message);
    }
}

}  // namespace vmr::bridge
