// What the command line asked for, and what most of vmrctl's commands do.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/vmrctl/client.hpp"

namespace vmr::ctl {

struct Command {
    ClientOptions options;
    bool as_json = false;
    std::string room, participant, since, layout, digits, text, one_time, right;
    nlohmann::json settings = nlohmann::json::object();  // of a room, as RoomUpdate has them
    int limit = 100;
    std::string address, name, role;
    std::vector<std::string> aliases;
    std::string device, secret_file, display_name, model, digest;
    std::function<int(Command&)> run;
};

// Prints the answer, or on standard error why there is none: the exit code.
int finish(const Command& command, const Answer& answer,
           const std::function<void(const nlohmann::json&)>& print = {});
std::string room_path(const Command& command);
std::string participant_path(const Command& command);
// A request on what `path` names, with a fixed body.
std::function<int(Command&)> action(std::string (*path)(const Command&), std::string method,
                                    std::string suffix, nlohmann::json body = nullptr);

void add_room_commands(CLI::App& app, Command& command);
void add_participant_commands(CLI::App& app, Command& command);

}  // namespace vmr::ctl
