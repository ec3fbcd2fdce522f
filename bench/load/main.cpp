// The participants of one room, all in this process, on a few sockets: room-load --help.
// Prints "load-ports P,P,…", reads "ports P0 P1 …" (where leg N of the bridge listens), "keys K0 K1 …" where
// the bridge has keys of its own, and "pid PID" (of the bridge), and prints its result as one line of JSON.
// Arrivals at the bridge are spread evenly over 20 ms.
#include <sys/prctl.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "load.hpp"

namespace {

using namespace vmr::bench;

void add_options(CLI::App& app, Options& options) {
    app.add_option("--mode", options.mode,
                   "room: talkers with a pilot tone each; CPU time, threads and memory of the bridge; who "
                   "hears whom.\n"
                   "latency: one after another begins to speak; from onset in to onset out.\n"
                   "tone, speech: through loss and jitter")
        ->check(CLI::IsMember({"room", "latency", "tone", "speech"}));
    app.add_option("--codec", options.codec)->check(CLI::IsMember({"opus", "pcmu"}));
    app.add_option("--suite", options.suite)
        ->check(CLI::IsMember({"none", "aes-128-cm-80", "aead-aes-256-gcm"}));
    app.add_option("--key", options.key, "base64");
    app.add_option("--silent", options.silent, "level: who is silent says so (RFC 6464); none: sends nothing")
        ->check(CLI::IsMember({"level", "none"}));
    app.add_option("--legs", options.legs)->check(CLI::PositiveNumber);
    app.add_option("--talkers", options.talkers);
    app.add_option("--loss", options.loss, "%, at random, towards the bridge");
    app.add_option("--jitter", options.jitter, "ms, uniform, towards the bridge");
    app.add_option("--level-extension", options.audio_level);
    app.add_option("--speech", options.speech, "32-bit float samples at the codec's rate");
    app.add_option("--record", options.record, "where what is heard goes, likewise");
    app.add_option("--warmup", options.warmup, "seconds");
    app.add_option("--seconds", options.seconds);
}

LoadPtr make_load(const Options& options, Wire& wire, const Bridge& bridge) {
    if (options.mode == "room") {
        return make_room_load(options, wire, bridge);
    }
    if (options.mode == "latency") {
        return make_latency_load(options, wire, bridge);
    }
    return options.mode == "tone" ? make_tone_load(options, wire, bridge)
                                  : make_speech_load(options, wire, bridge);
}

Bridge read_bridge(std::istream& in) {
    Bridge bridge;
    for (std::string line, word; bridge.pid == 0 && std::getline(in, line);) {
        std::istringstream words(line);
        words >> word;
        if (word == "ports") {
            for (unsigned port = 0; words >> port;) {
                bridge.ports.push_back(port);
            }
        } else if (word == "keys") {
            for (std::string key; words >> key;) {
                bridge.keys.push_back(key);
            }
        } else if (word == "pid") {
            words >> bridge.pid;
        }
    }
    return bridge;
}

void run(const Options& options) {
    Wire wire;
    std::cout << "load-ports " << wire.port(0);
    for (std::size_t i = 1; i < Wire::kSockets; ++i) {
        std::cout << "," << wire.port(i);
    }
    std::cout << std::endl;
    const Bridge bridge = read_bridge(std::cin);
    if (bridge.ports.size() != options.legs || bridge.pid == 0 ||
        (!bridge.keys.empty() && bridge.keys.size() != options.legs)) {
        throw std::runtime_error("a port for each leg, and a pid, are needed");
    }
    const LoadPtr load = make_load(options, wire, bridge);
    load->run();
    std::cout << load->report() << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    prctl(PR_SET_TIMERSLACK, 1000);  // ns
    Options options;
    CLI::App app("The participants of a room that is measured", "room-load");
    add_options(app, options);
    return run_program(app, count, arguments, [&options] { run(options); });
}
