#include <map>
#include <set>
#include <sstream>

#include "daemon/room/rules.hpp"
#include "tools/room-table/scenarios.hpp"

namespace vmr::room {
namespace {

std::string situation(State state, LobbyReason reason) {
    return reason == LobbyReason::none ? to_string(state)
                                       : std::string(to_string(state)) + "/" + to_string(reason);
}

std::string outcome(const Stage& stage) {
    const Participant* s = stage.room.find("s");
    if (s != nullptr) {
        return "**" + situation(s->state, s->lobby_reason) + "**" +
               (s->state == State::in_room || s->state == State::lobby
                    ? std::string(" as ") + to_string(s->role)
                    : "") +
               (s->connected ? "" : ", away");
    }
    for (const Command& command : stage.log) {
        const auto* left = std::get_if<ParticipantLeft>(&command);
        if (left != nullptr && left->participant.id == "s") {
            return std::string("**left** (") + to_string(left->cause) + ")";
        }
    }
    return "**left**";
}

std::string condition(const Scenario& scenario) {
    return std::string(to_string(scenario.role)) + (scenario.locked ? ", locked" : ", unlocked") +
           (scenario.host_present ? ", host there" : ", no host");
}

void print_situation(std::ostream& out, State state, LobbyReason reason) {
    out << "\n## " << situation(state, reason) << "\n\n| what happens | then |\n| --- | --- |\n";
    for (const Happening& happening : all_happenings()) {
        // outcome → the conditions under which it comes, "" = nothing changed
        std::map<std::string, std::vector<std::string>> outcomes;
        for (const Scenario& scenario : all_scenarios()) {
            if (scenario.state != state || scenario.reason != reason) {
                continue;
            }
            if (auto stage = build(scenario)) {
                const std::string before = outcome(*stage);
                happening.run(*stage);
                const std::string after = outcome(*stage);
                outcomes[before == after ? "no change" : after].push_back(condition(scenario));
            }
        }
        out << "| " << happening.name << " | ";
        bool first = true;
        for (const auto& [then, when] : outcomes) {
            out << (first ? "" : "<br>") << then;
            first = false;
            for (std::size_t index = 0; outcomes.size() > 1 && index < when.size(); ++index) {
                out << (index == 0 ? " if " : "; or ") << when[index];
            }
        }
        out << " |\n";
    }
}

void print_impossible(std::ostream& out) {
    out << "\n## Situations that no path leads to\n\n";
    for (const Scenario& scenario : all_scenarios()) {
        if (!build(scenario)) {
            out << "- " << situation(scenario.state, scenario.reason) << ": " << condition(scenario) << "\n";
        }
    }
}

void print_rights(std::ostream& out) {
    struct Column {
        const char* name;
        Standing standing;
    };
    Standing guest{.state = State::in_room, .room_has_host_pin = true};
    std::vector<Column> columns{{"admin", {.admin = true}},   {"host", guest},
                                {"host in the lobby", guest}, {"guest", guest},
                                {"guest on oneself", guest},  {"guest, no host PIN in the room", guest}};
    columns[1].standing.role = columns[2].standing.role = Role::host;
    columns[2].standing.state = State::lobby;
    columns[4].standing.self = true;
    columns[5].standing.room_has_host_pin = false;
    for (const Right right : {Right::admit, Right::mute, Right::layout, Right::record}) {
        static const std::map<Right, std::string> kNames{{Right::admit, "guest + admit"},
                                                         {Right::mute, "guest + mute"},
                                                         {Right::layout, "guest + layout"},
                                                         {Right::record, "guest + record"}};
        Column column{kNames.at(right).c_str(), guest};
        column.standing.grants = {right};
        columns.push_back(column);
    }
    const std::vector<ActionKind> actions{SetLock{true},
                                          SetLock{false},
                                          SetRoomLayout{},
                                          SetSpotlight{},
                                          MuteGuests{true},
                                          MuteNewcomers{true},
                                          AllowChat{},
                                          Say{},
                                          SetMute{"x", true},
                                          SetSelfMute{"x", true},
                                          SetSelfMute{"x", false},
                                          Admit{},
                                          AdmitAll{},
                                          RefuseWaiting{},
                                          Hold{},
                                          Remove{},
                                          SetRole{"x", Role::host},
                                          SetRole{"x", Role::guest},
                                          SetHand{"x", true},
                                          SetHand{"x", false},
                                          SetSharing{"x", true},
                                          SetSharing{"x", false},
                                          Rename{},
                                          Grant{"x", Right::admit, true},
                                          SetRecording{true},
                                          DialOut{},
                                          EndRoom{}};
    out << "\n## Rights\n\nA guest may `say` where chat is allowed. Of another participant's own mute "
           "(`self_unmute`) one may only ask to lift "
           "it.\n\n| action |";
    for (const Column& column : columns) {
        out << " " << column.name << " |";
    }
    out << "\n| --- |";
    for (std::size_t index = 0; index < columns.size(); ++index) {
        out << " --- |";
    }
    for (const ActionKind& action : actions) {
        out << "\n| " << action_name(action) << " |";
        for (const Column& column : columns) {
            out << (may(column.standing, action) ? " yes |" : " |");
        }
    }
    out << "\n";
}

}  // namespace

std::string print_room_states() {
    std::ostringstream out;
    out << "# Room states\n\nPrinted by `tools/room-table` from the room core itself; do not edit. A test "
           "compares.\n\n"
           "The one watched is *s*, in a room with a host PIN, a guest PIN, encryption `required` and "
           "`host_absence` "
           "`continue`; a guest *g* is in the room, and a host *h* where it says \"host there\".\n";
    std::set<std::pair<State, LobbyReason>> done;
    for (const Scenario& scenario : all_scenarios()) {
        if (done.insert({scenario.state, scenario.reason}).second) {
            print_situation(out, scenario.state, scenario.reason);
        }
    }
    print_impossible(out);
    print_rights(out);
    return out.str();
}

}  // namespace vmr::room
