#include "bench/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace vmr::bench {
namespace {

unsigned entries(const std::string& folder) {
    std::error_code failed;
    const std::filesystem::directory_iterator all(folder, failed);
    return failed ? 0 : static_cast<unsigned>(std::distance(begin(all), end(all)));
}

double seconds_of(clockid_t clock) {
    timespec time{};
    if (clock_gettime(clock, &time) != 0) {
        throw std::runtime_error("the process is gone");
    }
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

int run_program(CLI::App& app, int count, char** arguments, const std::function<void()>& body) {
    try {
        app.parse(count, arguments);
        body();
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
        return 1;
    }
    return 0;
}

void raise_file_limit() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

Usage usage_of(pid_t pid) {
    clockid_t clock{};
    if (clock_getcpuclockid(pid, &clock) != 0) {
        throw std::runtime_error("the process is gone");
    }
    Usage usage;
    usage.cpu_seconds = seconds_of(clock);
    const std::string folder = "/proc/" + std::to_string(pid);
    usage.threads = entries(folder + "/task");
    usage.files = entries(folder + "/fd");
    std::ifstream statm(folder + "/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    usage.rss_mb = static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
    return usage;
}

double cpu_seconds() {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace vmr::bench
