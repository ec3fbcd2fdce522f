// A room as its participants may see it on legs that have no page: one picture for hosts, one for guests,
// made when somebody looks after a change.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/legs/conference.hpp"
#include "daemon/room/room.hpp"

namespace vmr::bridge {

class ConferenceView {
public:
    using HasVideo = std::function<bool(const room::ParticipantId&)>;
    explicit ConferenceView(HasVideo has_video) : has_video_(std::move(has_video)) {}

    void invalidate() { for_hosts_ = for_guests_ = nullptr; }
    // Null for who is not in the room.
    std::shared_ptr<const Conference> seen_by(const room::ParticipantId& id, const room::Room& room);

private:
    std::shared_ptr<const Conference> make(const room::Room& room, bool host);
    std::shared_ptr<const ConferenceUser> make_user(const room::Participant& participant);

    HasVideo has_video_;
    std::shared_ptr<const Conference> for_hosts_, for_guests_;
    std::map<std::string, std::shared_ptr<const ConferenceUser>> users_;  // as made last
};

}  // namespace vmr::bridge
