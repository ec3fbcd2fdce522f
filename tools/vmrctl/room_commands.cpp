// vmrctl room, vmrctl participant.
#include <iostream>

#include "tools/vmrctl/command.hpp"
#include "tools/vmrctl/tables.hpp"

namespace vmr::ctl {

using nlohmann::json;

namespace {

// What `room create` and `room set` take.
void add_settings(CLI::App& sub, Command& command) {
    const auto text = [&](const char* option, const char* key, const char* help) {
        return sub.add_option_function<std::string>(
            option, [&command, key](const std::string& value) { command.settings[key] = value; }, help);
    };
    const auto number = [&](const char* option, const char* key, const char* help) {
        sub.add_option_function<int>(
            option, [&command, key](int value) { command.settings[key] = value; }, help);
    };
    const auto flag = [&](const char* option, const char* key, const char* help) {
        sub.add_flag_function(
            option, [&command, key](std::int64_t count) { command.settings[key] = count > 0; }, help);
    };
    text("--title", "title", "Title");
    sub.add_option_function<std::vector<std::string>>(
        "--alias", [&command](const std::vector<std::string>& all) { command.settings["aliases"] = all; },
        "Alias; may be repeated");
    text("--host-pin", "host_pin", "4 to 20 digits");
    text("--guest-pin", "guest_pin", "4 to 20 digits");
    flag("--guests,!--no-guests", "guests_allowed", "Allow guests; a new room with a guest PIN does");
    flag("--chat,!--no-chat", "chat_allowed", "Let guests write");
    text("--layout", "layout", "Layout that a meeting begins with")
        ->check(CLI::IsMember({"speaker", "equal", "single", "content"}));
    text("--encryption", "encryption", "Policy")->check(CLI::IsMember({"required", "best_effort", "off"}));
    number("--min-key-bits", "min_key_bits", "Shorter keys count as none: 0, 128 or 256");
    text("--host-absence", "host_absence", "When the last host leaves")
        ->check(CLI::IsMember({"end", "continue", "rehold"}));
    number("--grace", "grace", "Seconds until then");
    number("--lobby-timeout", "lobby_timeout", "Seconds that somebody waits at most");
    number("--lone-timeout", "lone_timeout", "Seconds that somebody is alone at most; 0: for ever");
    number("--max-duration", "max_duration", "Seconds that a meeting lasts at most; 0: for ever");
    number("--max-participants", "max_participants", "At most so many");
    text("--locale", "locale", "Language, as de or de_DE");
}

int dial(Command& c) {
    json body = {{"address", c.address}};
    for (const auto& [key, value] : {std::pair("name", c.name), {"role", c.role}}) {
        if (!value.empty()) {
            body[key] = value;
        }
    }
    return finish(c, Client(c.options).request("POST", room_path(c) + "/dial-out", body),
                  [](const json& dialled) { std::cout << dialled.value("participant", "") << "\n"; });
}

void add_dial_options(CLI::App& sub, Command& command) {
    sub.add_option("address", command.address, "sip:, sips: or tel: URI, user@domain or number")->required();
    sub.add_option("--name", command.name, "In the roster");
    sub.add_option("--role", command.role, "Comes in as")->check(CLI::IsMember({"guest", "host"}));
}

int grant(Command& c, bool granted) {
    const json body = {{"right", c.right}, {"granted", granted}};
    return finish(c, Client(c.options).request("POST", participant_path(c) + "/grants", body));
}

void add_grant(CLI::App& sub, Command& command) {
    sub.add_option("right", command.right, "admit, mute, layout or record")
        ->required()
        ->check(CLI::IsMember({"admit", "mute", "layout", "record"}));
}

}  // namespace

int finish(const Command& command, const Answer& answer, const std::function<void(const json&)>& print) {
    if (answer.exit_code() != kDone) {
        std::cerr << "vmrctl: " << answer.problem << "\n";
    } else if (command.as_json) {
        if (!answer.body.is_null()) {
            std::cout << answer.body.dump(2) << "\n";
        }
    } else if (print) {
        print(answer.body);
    }
    return answer.exit_code();
}

std::string room_path(const Command& command) {
    return "/rooms/" + escape(command.room);
}

std::string participant_path(const Command& command) {
    return room_path(command) + "/participants/" + escape(command.participant);
}

// A POST or PATCH on a room or participant, with a fixed body.
std::function<int(Command&)> action(std::string (*path)(const Command&), std::string method,
                                    std::string suffix, json body) {
    return [=](Command& command) {
        return finish(command, Client(command.options).request(method, path(command) + suffix, body));
    };
}

void add_room_commands(CLI::App& app, Command& command) {
    CLI::App* room = app.add_subcommand("room", "Rooms")->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, std::function<int(Command&)> run) {
        CLI::App* sub = room->add_subcommand(name, help);
        sub->add_option("room", command.room, "Room id")->required();
        sub->callback([&command, run] { command.run = run; });
        return sub;
    };
    room->add_subcommand("list", "All rooms")->callback([&command] {
        command.run = [](Command& c) {
            return finish(c, Client(c.options).request("GET", "/rooms"), print_rooms);
        };
    });
    add("show", "One room",
        [](Command& c) { return finish(c, Client(c.options).request("GET", room_path(c)), print_object); });
    add_settings(*add("create", "Make a room",
                      [](Command& c) {
                          json body = c.settings;
                          body["id"] = c.room;
                          return finish(c, Client(c.options).request("POST", "/rooms", body), print_object);
                      }),
                 command);
    add_settings(*add("set", "Change settings; an empty PIN removes it",
                      [](Command& c) {
                          return finish(c, Client(c.options).request("PATCH", room_path(c), c.settings),
                                        print_object);
                      }),
                 command);
    add("delete", "End and delete a room", action(room_path, "DELETE", ""));
    add("lock", "Who arrives waits", action(room_path, "POST", "/lock", {{"locked", true}}));
    add("unlock", "Admit who waited for it", action(room_path, "POST", "/lock", {{"locked", false}}));
    add("mute-guests", "Mute all guests", action(room_path, "POST", "/mute-guests", {{"muted", true}}));
    add("unmute-guests", "Lift that mute", action(room_path, "POST", "/mute-guests", {{"muted", false}}));
    add("mute-newcomers", "Mute whoever comes from now on",
        action(room_path, "POST", "/mute-newcomers", {{"muted", true}}));
    add("unmute-newcomers", "Leave them their microphone",
        action(room_path, "POST", "/mute-newcomers", {{"muted", false}}));
    add("allow-chat", "Let guests write", action(room_path, "POST", "/chat", {{"allowed", true}}));
    add("forbid-chat", "Only hosts write", action(room_path, "POST", "/chat", {{"allowed", false}}));
    add("say", "Write to everybody in the room, as the room",
        [](Command& c) {
            return finish(c,
                          Client(c.options).request("POST", room_path(c) + "/messages", {{"text", c.text}}));
        })
        ->add_option("text", command.text, "At most 2000 bytes")
        ->required();
    add("admit-all", "Admit everyone in the lobby", action(room_path, "POST", "/admit-all"));
    add_dial_options(*add("dial", "Call somebody into the room", dial), command);
    add("end", "End the meeting for all", action(room_path, "POST", "/end"));
    add("layout", "Choose the layout",
        [](Command& c) {
            return finish(
                c, Client(c.options).request("POST", room_path(c) + "/layout", {{"layout", c.layout}}));
        })
        ->add_option("layout", command.layout, "speaker, equal, single or content")
        ->required()
        ->check(CLI::IsMember({"speaker", "equal", "single", "content"}));
}

void add_participant_commands(CLI::App& app, Command& command) {
    CLI::App* participant =
        app.add_subcommand("participant", "Participants of a room")->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, std::function<int(Command&)> run) {
        CLI::App* sub = participant->add_subcommand(name, help);
        sub->add_option("room", command.room, "Room id")->required();
        sub->add_option("participant", command.participant, "Participant id")->required();
        sub->callback([&command, run] { command.run = run; });
        return sub;
    };
    CLI::App* list = participant->add_subcommand("list", "The roster");
    list->add_option("room", command.room, "Room id")->required();
    list->callback([&command] {
        command.run = [](Command& c) {
            return finish(c, Client(c.options).request("GET", room_path(c) + "/participants"),
                          print_participants);
        };
    });
    add("mute", "Mute one", action(participant_path, "PATCH", "", {{"muted", true}}));
    add("unmute", "Lift a host's mute", action(participant_path, "PATCH", "", {{"muted", false}}));
    add("promote", "Make a host", action(participant_path, "PATCH", "", {{"role", "host"}}));
    add("demote", "Make a guest", action(participant_path, "PATCH", "", {{"role", "guest"}}));
    add("admit", "Admit from the lobby", action(participant_path, "POST", "/admit"));
    add("refuse", "Refuse who waits", action(participant_path, "POST", "/refuse"));
    add("hold", "Move to the lobby", action(participant_path, "POST", "/hold"));
    add("remove", "Remove from the room", action(participant_path, "DELETE", ""));
    add("lower-hand", "Lower their hand", action(participant_path, "PATCH", "", {{"hand", false}}));
    add("spotlight", "Show them to all", action(participant_path, "PATCH", "", {{"spotlight", true}}));
    add("unspotlight", "Lift that", action(participant_path, "PATCH", "", {{"spotlight", false}}));
    add("rename", "Give another name",
        [](Command& c) {
            return finish(c, Client(c.options).request("PATCH", participant_path(c), {{"name", c.name}}));
        })
        ->add_option("name", command.name, "At most 128 bytes")
        ->required();
    add_grant(*add("grant", "Give a guest one right of hosts", [](Command& c) { return grant(c, true); }),
              command);
    add_grant(*add("revoke", "Take it back", [](Command& c) { return grant(c, false); }), command);
    add("transfer", "Have their device call another address instead",
        [](Command& c) {
            return finish(c, Client(c.options).request("POST", participant_path(c) + "/transfer",
                                                       {{"address", c.address}}));
        })
        ->add_option("address", command.address, "sip:, sips: or tel: URI, user@domain or number")
        ->required();
    add("keys", "Press room keys, as on a phone",
        [](Command& c) {
            return finish(
                c, Client(c.options).request("POST", participant_path(c) + "/keys", {{"digits", c.digits}}));
        })
        ->add_option("digits", command.digits, "0-9 * #")
        ->required();
}

}  // namespace vmr::ctl
