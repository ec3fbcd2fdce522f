// The participants of one room, all in this process, on a few sockets.
//   room-load --mode room|latency|quality --legs N --talkers K --codec opus|pcmu --suite none|… --key BASE64
//             --silent level|none --level-extension 1|0 --loss % --jitter MS --warmup S --seconds S
// Prints "load-ports P,P,…", reads "ports P0 P1 …" (where leg N of the bridge listens) and "pid PID" (of the
// bridge), and prints its result as one line of JSON. Arrivals at the bridge are spread evenly over 20 ms.
//   room      K talkers with a pilot tone each; the others send silence of level 127, or nothing; the
//   bridge's
//             CPU time, threads and memory; packets that came; who hears whom
//   latency   one after another begins to speak, each at its own phase; from onset in to onset out
//   quality   one tone through loss and jitter: gaps, level, signal to noise
#include <sys/prctl.h>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "load.hpp"

namespace {

using namespace vmr::bench;

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const std::string value = arguments[i + 1];
        const auto number = [&value] { return static_cast<unsigned>(std::stoul(value)); };
        if (name == "--mode") {
            options.mode = value;
        } else if (name == "--codec") {
            options.codec = value;
        } else if (name == "--suite") {
            options.suite = value;
        } else if (name == "--key") {
            options.key = value;
        } else if (name == "--silent") {
            options.silent = value;
        } else if (name == "--legs") {
            options.legs = number();
        } else if (name == "--talkers") {
            options.talkers = number();
        } else if (name == "--loss") {
            options.loss = number();
        } else if (name == "--jitter") {
            options.jitter = number();
        } else if (name == "--level-extension") {
            options.audio_level = number() != 0;
        } else if (name == "--warmup") {
            options.warmup = std::stod(value);
        } else if (name == "--seconds") {
            options.seconds = std::stod(value);
        } else {
            throw std::invalid_argument(name);
        }
    }
    return options;
}

std::unique_ptr<Load> make_load(const Options& options, Wire& wire, const std::vector<unsigned>& ports,
                                pid_t pid) {
    if (options.mode == "room") {
        return make_room_load(options, wire, ports, pid);
    }
    if (options.mode == "latency") {
        return make_latency_load(options, wire, ports, pid);
    }
    return make_quality_load(options, wire, ports, pid);
}

void run(const Options& options) {
    Wire wire;
    std::cout << "load-ports " << wire.port(0);
    for (std::size_t i = 1; i < Wire::kSockets; ++i) {
        std::cout << "," << wire.port(i);
    }
    std::cout << std::endl;
    std::vector<unsigned> ports;
    pid_t pid = 0;
    std::string line, word;
    while (pid == 0 && std::getline(std::cin, line)) {
        std::istringstream words(line);
        words >> word;
        if (word == "ports") {
            for (unsigned port = 0; words >> port;) {
                ports.push_back(port);
            }
        } else if (word == "pid") {
            words >> pid;
        }
    }
    if (ports.size() != options.legs || pid == 0) {
        throw std::runtime_error("a port for each leg, and a pid, are needed");
    }
    const auto load = make_load(options, wire, ports, pid);
    load->run();
    load->report(std::cout);
    std::cout << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    prctl(PR_SET_TIMERSLACK, 1000);  // ns
    try {
        run(parse(count, arguments));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "room-load: %s\n", error.what());
        return 1;
    }
    return 0;
}
