#include "daemon/bridge/conference_view.hpp"

#include <algorithm>

#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {
namespace {

// Who waits is the hosts' business; who is at the PIN is nobody's.
bool is_shown(const room::Participant& participant, bool host) {
    return participant.state == room::State::in_room || participant.call != room::CallProgress::none ||
           (host && participant.state == room::State::lobby);
}

ConferenceUser::Status status_of(const room::Participant& participant) {
    using Status = ConferenceUser::Status;
    if (participant.call != room::CallProgress::none) {
        return participant.call == room::CallProgress::dialling ? Status::dialling : Status::ringing;
    }
    if (participant.state == room::State::lobby) {
        return participant.lobby_reason == room::LobbyReason::held ? Status::on_hold : Status::waiting;
    }
    return participant.muted ? Status::muted : Status::connected;
}

}  // namespace

std::shared_ptr<const Conference> ConferenceView::seen_by(const room::ParticipantId& id,
                                                          const room::Room& room) {
    const room::Participant* viewer = room.find(id);
    if (viewer == nullptr || viewer->state != room::State::in_room) {
        return nullptr;
    }
    const bool host = viewer->role == room::Role::host;
    auto& view = host ? for_hosts_ : for_guests_;
    if (!view) {
        view = make(room, host);
    }
    return view;
}

std::shared_ptr<const Conference> ConferenceView::make(const room::Room& room, bool host) {
    auto conference = std::make_shared<Conference>();
    const room::RoomView view = room.view();
    conference->title = view.title;
    conference->locked = view.locked;
    conference->max_users = room.config().max_participants;
    std::vector<room::Participant> roster = room.roster();
    std::ranges::sort(roster, {}, &room::Participant::id);
    std::map<std::string, std::shared_ptr<const ConferenceUser>> users;
    for (const room::Participant& participant : roster) {
        auto user = make_user(participant);
        users[participant.id] = user;
        if (is_shown(participant, host)) {
            conference->users.push_back(std::move(user));
        }
    }
    users_ = std::move(users);
    return conference;
}

std::shared_ptr<const ConferenceUser> ConferenceView::make_user(const room::Participant& participant) {
    ConferenceUser user;
    user.id = participant.id;
    user.name = participant.name;
    user.host = participant.role == room::Role::host;
    user.status = status_of(participant);
    user.dialled = participant.invited.has_value();
    user.joined_at = participant.joined_at ? rfc3339(*participant.joined_at) : std::string();
    user.audible = participant.audible();
    user.video = has_video_(participant.id);
    user.content = participant.sharing;
    const auto known = users_.find(user.id);
    return known != users_.end() && *known->second == user
               ? known->second
               : std::make_shared<const ConferenceUser>(std::move(user));
}

}  // namespace vmr::bridge
