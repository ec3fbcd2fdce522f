// The API's operations (schemas/api/openapi.json) as actions on rooms.
#include <algorithm>

#include "daemon/bridge/bridge.hpp"
#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

bool is_admin(const api::Caller& caller) {
    return caller.kind == api::Caller::Kind::admin;
}

// Several changes asked for in one request: the first refusal is the answer, else 204.
class Joined {
public:
    Joined(std::size_t parts, api::Reply reply) : open_(parts), reply_(std::move(reply)) {}
    void add(const api::Response& response) {
        if (response.status >= 400 && worst_.status < 400) {
            worst_ = response;
        }
        if (--open_ == 0) {
            reply_(worst_);
        }
    }

private:
    std::size_t open_;
    api::Response worst_{204, nullptr};
    api::Reply reply_;
};

}  // namespace

room::Actor Bridge::actor_of(const api::Caller& caller) {
    return is_admin(caller) ? room::Actor::administrator(caller.address)
                            : room::Actor::of(caller.participant);
}

bool Bridge::may_follow_events(const api::Caller& caller) const {
    const RoomHost* room = host(caller.room);
    const room::Participant* participant = room != nullptr ? room->core().find(caller.participant) : nullptr;
    return participant != nullptr && participant->state == room::State::in_room;
}

std::uint64_t Bridge::events_hidden_until(const api::Caller& caller) const {
    const RoomHost* room = host(caller.room);
    return room != nullptr ? room->events_hidden_until(caller.participant) : UINT64_MAX;
}

void Bridge::perform(const api::Caller& caller, std::string_view operation, const json& params,
                     api::Reply reply) {
    if (operation == "listRooms") {
        json rooms = json::array();
        for (const auto& [id, room] : rooms_) {
            if (configs_.contains(id)) {
                rooms.push_back(room_json(*room));
            }
        }
        return reply({200, {{"rooms", rooms}}});
    }
    if (operation == "createRoom") {
        return create_room(params, std::move(reply));
    }
    if (operation == "getStatus") {
        std::size_t participants = 0;
        for (const auto& [id, room] : rooms_) {
            participants += room->core().roster().size();
        }
        json status = status_;
        status["version"] = services_.server_version;
        status["uptime_seconds"] =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
        status["rooms"] = rooms_.size();
        status["numbers"] = json::array();
        for (const auto& [number, target] : dial_in_) {
            status["numbers"].push_back(number);
        }
        status["participants"] = participants;
        return reply({200, status});
    }
    if (operation == "listCalls") {
        store::CallRecords::Query query;
        query.room = params.value("room", "");
        query.limit = params.value("limit", query.limit);
        return services_.records.list(query, [reply](json calls) {
            reply({200, {{"calls", std::move(calls)}}});
        });
    }
    if (operation == "getJoinInfo") {
        return join_info(params.at("alias"), std::move(reply));
    }
    if (operation.find("Device") != std::string_view::npos) {
        if (devices_ == nullptr || !devices_->perform(caller, operation, params, reply)) {
            reply(api::problem(404, "nobody registers here"));
        }
        return;
    }
    RoomHost* room = host(params.value("room", ""));
    if (room != nullptr && configs_.contains(room->core().config().id)) {  // else: deleted, all are leaving
        return perform_on_room(*room, caller, operation, params, std::move(reply));
    }
    reply(api::problem(404, "there is no such room"));
}

void Bridge::join_info(const std::string& alias, api::Reply reply) const {
    const RoomHost* room = host_of_alias(alias);
    // An unknown alias gets the same answer as a room with a PIN: names cannot be probed.
    const bool open =
        room != nullptr && !room->core().config().has_host_pin() && !room->core().config().has_guest_pin();
    reply({200, {{"alias", alias}, {"title", open ? room->core().config().title : ""}, {"asks_pin", !open}}});
}

void Bridge::perform_on_room(RoomHost& room, const api::Caller& caller, std::string_view operation,
                             const json& params, api::Reply reply) {
    const room::Actor actor = actor_of(caller);
    // Who waits at the PIN or in the lobby may press keys and change their own name or mute, and learns
    // nothing.
    const bool is_own = params.value("participant", "") == caller.participant &&
                        (operation == "sendKeys" || operation == "updateParticipant");
    if (!is_admin(caller) && !is_own && !may_follow_events(caller)) {
        return reply(api::problem(403, "not in the room yet"));
    }
    if (operation == "getRoom") {
        return reply({200, room_json(room)});
    }
    if (operation == "listParticipants") {
        const room::Participant* self = room.core().find(caller.participant);
        const bool sees_addresses = is_admin(caller) || (self != nullptr && self->role == room::Role::host);
        json snapshot = room.snapshot(sees_addresses);
        return reply({200, {{"participants", snapshot["participants"]}}});
    }
    if (operation == "dialOut") {
        return dial_out(room, caller, params, std::move(reply));
    }
    if (operation == "transferParticipant") {
        return transfer_participant(room, caller, params, reply);
    }
    if (operation == "updateRoom") {
        return update_room(room, params, std::move(reply));
    }
    if (operation == "deleteRoom") {
        delete_room(room);
        return reply({204, nullptr});
    }
    if (change_room(room, actor, operation, params, reply) ||
        change_participant(room, actor, operation, params, reply)) {
        return;
    }
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): they take it only where they return true
    reply(api::problem(404, "there is no such operation"));
}

bool Bridge::change_room(RoomHost& room, const room::Actor& actor, std::string_view operation,
                         const json& params, api::Reply& reply) {
    std::optional<room::ActionKind> action;
    if (operation == "setLock") {
        action = room::SetLock{params.at("locked")};
    } else if (operation == "setLayout") {
        action = room::SetRoomLayout{
            room::parse_layout(params.at("layout").get<std::string>()).value_or(room::Layout::speaker)};
    } else if (operation == "muteGuests") {
        action = room::MuteGuests{params.at("muted")};
    } else if (operation == "muteNewcomers") {
        action = room::MuteNewcomers{params.at("muted")};
    } else if (operation == "allowChat") {
        action = room::AllowChat{params.at("allowed")};
    } else if (operation == "sendMessage") {
        action = room::Say{params.at("text")};
    } else if (operation == "admitAll") {
        action = room::AdmitAll{};
    } else if (operation == "endRoom") {
        action = room::EndRoom{};
    }
    if (action) {
        room.act(actor, *action, std::move(reply));
    }
    return action.has_value();
}

bool Bridge::change_participant(RoomHost& room, const room::Actor& actor, std::string_view operation,
                                const json& params, api::Reply& reply) {
    const std::string target = params.value("participant", "");
    std::optional<room::ActionKind> action;
    if (operation == "updateParticipant") {
        update_participant(room, actor, params, std::move(reply));
        return true;
    }
    if (operation == "sendKeys") {
        if (!actor.admin && actor.participant != target) {
            reply(api::problem(403, "keys are pressed by oneself"));
            return true;
        }
        for (const char key : params.at("digits").get<std::string>()) {
            room.on_key(target, key);
        }
        reply({204, nullptr});
        return true;
    }
    if (operation == "admitParticipant") {
        action = room::Admit{target};
    } else if (operation == "refuseParticipant") {
        action = room::RefuseWaiting{target};
    } else if (operation == "holdParticipant") {
        action = room::Hold{target};
    } else if (operation == "removeParticipant") {
        action = room::Remove{target};
    } else if (operation == "grantRight") {
        const auto right = room::parse_right(params.at("right").get<std::string>());
        if (!right) {
            reply(api::problem(422, "unknown right"));
            return true;
        }
        action = room::Grant{target, *right, params.at("granted")};
    }
    if (action) {
        room.act(actor, *action, std::move(reply));
    }
    return action.has_value();
}

void Bridge::update_participant(RoomHost& room, const room::Actor& actor, const json& params,
                                api::Reply reply) {
    const std::string target = params.at("participant");
    std::vector<room::ActionKind> actions;
    if (params.contains("muted")) {
        actions.push_back(room::SetMute{target, params["muted"]});
    }
    if (params.contains("self_muted")) {
        actions.push_back(room::SetSelfMute{target, params["self_muted"]});
    }
    if (params.contains("role")) {
        const auto role = room::parse_role(params["role"].get<std::string>());
        actions.push_back(room::SetRole{target, role.value_or(room::Role::guest)});
    }
    if (params.contains("hand")) {
        actions.push_back(room::SetHand{target, params["hand"]});
    }
    if (params.contains("spotlight")) {
        actions.push_back(room::SetSpotlight{target, params["spotlight"]});
    }
    if (params.contains("name")) {
        actions.push_back(room::Rename{target, params["name"]});
    }
    if (actions.empty()) {
        return reply(api::problem(422, "nothing to change"));
    }
    auto joined = std::make_shared<Joined>(actions.size(), std::move(reply));
    for (const room::ActionKind& action : actions) {
        room.act(actor, action, [joined](const api::Response& response) { joined->add(response); });
    }
}

}  // namespace vmr::bridge
