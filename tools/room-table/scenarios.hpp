// Every situation one participant can be in, and everything that can happen there. The table in
// docs/room-states.md is printed from it, and the exhaustive test walks through it.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/room/room.hpp"

namespace vmr::room {

// "s" is the one watched; "g" is a guest in the room, "h" its host, if host_present.
struct Scenario {
    State state = State::connecting;
    LobbyReason reason = LobbyReason::none;
    Role role = Role::guest;  // connecting: host = authenticated as one
    bool locked = false;
    bool host_present = false;
};

struct Stage {
    Room room;
    TimePoint now{};
    Commands log;  // all commands so far
    explicit Stage(RoomConfig config) : room(std::move(config)) {}
    Commands send(const Event& event);
    // Digits and the worker's answer.
    Commands enter(const ParticipantId& id, PinMatch match);
};

struct Happening {
    std::string name;
    std::function<Commands(Stage&)> run;
};

RoomConfig scenario_config();
std::vector<Scenario> all_scenarios();
// nullopt: the rules leave no way into this situation.
std::optional<Stage> build(const Scenario& scenario);
const std::vector<Happening>& all_happenings();

std::string print_room_states();

}  // namespace vmr::room
