// vmrctl: the control API at a shell.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tools/vmrctl/command.hpp"
#include "tools/vmrctl/tables.hpp"

namespace {

using nlohmann::json;
using namespace vmr::ctl;

constexpr const char* kFooter = R"(
ENVIRONMENT
  VMRCTL_URL    the server (default http://127.0.0.1:8080)
  VMRCTL_TOKEN  an admin bearer: http.admin_token of vmrd.toml, or what `vmrctl login` prints

EXIT STATUS
  0 done   1 refused by the server   2 wrong usage   3 server unreachable
  4 not authorized   5 no such room or participant

EXAMPLES
  export VMRCTL_TOKEN=$(vmrctl login ONE-TIME-TOKEN)
  vmrctl room list
  vmrctl room create weekly --title Weekly --host-pin 482913 --guests
  vmrctl room set weekly --guest-pin 7391 --max-duration 7200
  vmrctl participant mute weekly p-7f3a
  vmrctl room dial weekly sip:alice@example.org --name Alice
  vmrctl events --room weekly
  vmrctl device set kitchen --secret-file kitchen.secret --display-name "The kitchen")";

std::string device_path(const Command& command) {
    return "/devices/" + escape(command.device);
}

// From a file, or standard input: what stands on the command line can be seen by all.
std::string read_secret(const std::string& file) {
    std::ifstream stream(file);
    std::string secret;
    std::getline(file == "-" ? std::cin : stream, secret);
    if (secret.empty()) {
        throw std::runtime_error("no secret in " + file);
    }
    return secret;
}

int set_device(Command& command) {
    json body = json::object();
    for (const auto& [key, value] : {std::pair("display_name", command.display_name),
                                     {"model", command.model},
                                     {"digest", command.digest}}) {
        if (!value.empty()) {
            body[key] = value;
        }
    }
    if (!command.aliases.empty()) {
        body["aliases"] = command.aliases;
    }
    if (!command.secret_file.empty()) {
        body["secret"] = read_secret(command.secret_file);
    }
    return finish(command, Client(command.options).request("PUT", device_path(command), body), print_object);
}

void add_device_commands(CLI::App& app, Command& command) {
    CLI::App* device = app.add_subcommand("device", "Devices that register")->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, std::function<int(Command&)> run) {
        CLI::App* sub = device->add_subcommand(name, help);
        sub->add_option("device", command.device, "Name")->required();
        sub->callback([&command, run] { command.run = run; });
        return sub;
    };
    device->add_subcommand("list", "All devices")->callback([&command] {
        command.run = [](Command& c) {
            return finish(c, Client(c.options).request("GET", "/devices"), print_devices);
        };
    });
    add("show", "One device",
        [](Command& c) { return finish(c, Client(c.options).request("GET", device_path(c)), print_object); });
    add("settings", "What it is told", [](Command& c) {
        return finish(c, Client(c.options).request("GET", device_path(c) + "/settings"), print_object);
    });
    CLI::App* set = add("set", "Make or change a device", set_device);
    set->add_option("--secret-file", command.secret_file, "File with its secret; - is standard input");
    set->add_option("--alias", command.aliases, "Alias; may be repeated");
    set->add_option("--display-name", command.display_name, "As rooms show it");
    set->add_option("--model", command.model, "Model");
    set->add_option("--digest", command.digest, "What its credentials may be made with")
        ->check(CLI::IsMember({"sha256", "md5", "both"}));
    add("delete", "Delete a device", action(device_path, "DELETE", ""));
}

int run_events(Command& command) {
    const auto print = [&](const json& event) {
        std::cout << (command.as_json ? event.dump() : event_line(event)) << std::endl;
        return event.value("type", "") != "vmr.room.ended";
    };
    return finish(command, Client(command.options).events(command.room, command.since, print));
}

void add_other_commands(CLI::App& app, Command& command) {
    CLI::App* events = app.add_subcommand("events", "Follow a room's events until it ends, or the devices'");
    events->add_option("--room", command.room, "Room id; without it: devices that register");
    events->add_option("--since", command.since, "Id of the last event seen");
    events->callback([&command] { command.run = run_events; });
    CLI::App* calls = app.add_subcommand("calls", "Latest call records, newest first");
    calls->add_option("--room", command.room, "Only this room's");
    calls->add_option("--limit", command.limit, "At most so many")->check(CLI::Range(1, 500));
    calls->callback([&command] {
        command.run = [](Command& c) {
            const std::string room = c.room.empty() ? "" : "&room=" + escape(c.room);
            return finish(c,
                          Client(c.options).request("GET", "/calls?limit=" + std::to_string(c.limit) + room),
                          print_calls);
        };
    });
    app.add_subcommand("status", "The server's state")->callback([&command] {
        command.run = [](Command& c) {
            return finish(c, Client(c.options).request("GET", "/status"), print_object);
        };
    });
    CLI::App* login =
        app.add_subcommand("login", "Turn the one-time admin token into a bearer, and print it");
    login->add_option("token", command.one_time, "From the admin link")->required();
    login->callback([&command] {
        command.run = [](Command& c) {
            return finish(c, Client(c.options).request("POST", "/session", {{"token", c.one_time}}),
                          [](const json& session) { std::cout << session.value("token", "") << "\n"; });
        };
    });
    app.add_subcommand("logout", "Make the bearer that login printed worthless")->callback([&command] {
        command.run = [](Command& c) { return finish(c, Client(c.options).request("DELETE", "/session")); };
    });
}

}  // namespace

int main(int argc, char** argv) {
    Command command;
    CLI::App app{"vmrctl - control a vmr server", "vmrctl"};
    app.footer(kFooter);
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", VMR_VERSION);
    app.add_option("--url", command.options.url, "The server")->envname("VMRCTL_URL")->capture_default_str();
    app.add_option("--token", command.options.token,
                   "Bearer; better in the environment, where ps does not show it")
        ->envname("VMRCTL_TOKEN");
    app.add_option("--ca", command.options.ca_file, "Trust the certificates in this PEM file");
    app.add_flag("--insecure", command.options.insecure, "Do not check the server's certificate");
    app.add_flag("--json", command.as_json, "Print the API's JSON");
    add_room_commands(app, command);
    add_participant_commands(app, command);
    add_device_commands(app, command);
    add_other_commands(app, command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? kDone : kUsage;
    }
    try {
        return command.run(command);
    } catch (const std::exception& problem) {
        std::cerr << "vmrctl: " << problem.what() << "\n";
        return kUsage;
    }
}
