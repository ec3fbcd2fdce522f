// What a benchmark's program needs of its process: options, limits, what it or another one uses.
#pragma once
#include <sys/types.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace vmr::bench {

// Parses the options, runs `body`; what goes wrong becomes a line and the exit status.
int run_program(CLI::App& app, int count, char** arguments, const std::function<void()>& body);

void raise_file_limit();

struct Usage {
    double cpu_seconds = 0;
    unsigned threads = 0, files = 0;
    double rss_mb = 0;
};
Usage usage_of(pid_t pid);

double cpu_seconds();  // of this process

// False: not within ten seconds.
bool eventually(const std::function<bool()>& condition);

double percentile(std::vector<double> values, double part);

}  // namespace vmr::bench
