// What a packet costs: one process sends a packet to each of LEGS legs every 20 ms, another receives them.
//   rtp-io-bench [LEGS [SECONDS [SUITE …]]]
// Prints µs of CPU a packet. On loopback the kernel delivers within the sender's system call, so that half of
// receiving is counted with the sender.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "rtp_bench.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

constexpr auto kPeriod = std::chrono::milliseconds(20);
constexpr std::size_t kPayload = 160;

double cpu_seconds(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

const Suite* suite_named(const std::string& name) {
    const auto found = std::find_if(std::begin(kSuites), std::end(kSuites),
                                    [&name](const Suite& suite) { return name == suite.name; });
    return found == std::end(kSuites) ? nullptr : found;
}

void secure(RtpBench& bench, const std::string& pad, const Suite* suite) {
    if (suite != nullptr) {
        const std::string key = base64(key_for(*suite, 5));
        bench.secure(pad, suite->name, key, key);
    }
}

std::int64_t element_stat(GstElement* element, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(stats, field, &value);
    gst_structure_free(stats);
    return static_cast<std::int64_t>(value);
}

std::atomic<std::uint64_t> received;

GstFlowReturn on_packet_counted(GstPad*, GstObject*, GstBuffer* buffer) {
    gst_buffer_unref(buffer);
    ++received;
    return GST_FLOW_OK;
}

struct Result {
    std::uint64_t packets;
    double cpu;
    std::uint64_t wake_ups;
};

// The child: hears until its input is closed.
void run_receiver(unsigned legs, const Suite* suite, unsigned sender_port, int ports_out, int stop_in,
                  int result_out) {
    RtpBench bench;
    std::vector<PadPtr> sinks;
    for (unsigned leg = 0; leg < legs; ++leg) {
        const PadPtr src = bench.pad("src_" + std::to_string(leg));
        secure(bench, "src_" + std::to_string(leg), suite);
        bench.aim("src_" + std::to_string(leg), sender_port);
        sinks.push_back(PadPtr::adopt(gst_pad_new("count", GST_PAD_SINK)));
        gst_pad_set_chain_function(sinks.back().get(), on_packet_counted);
        gst_pad_set_active(sinks.back().get(), TRUE);
        gst_pad_link(src.get(), sinks.back().get());
    }
    bench.play();
    std::vector<std::uint16_t> ports;
    for (unsigned leg = 0; leg < legs; ++leg) {
        ports.push_back(static_cast<std::uint16_t>(bench.port("src_" + std::to_string(leg))));
    }
    const double before = cpu_seconds(RUSAGE_SELF);
    (void)!write(ports_out, ports.data(), ports.size() * sizeof ports[0]);
    char byte = 0;
    (void)!read(stop_in, &byte, 1);
    for (std::uint64_t last = ~0ull; last != received;) {  // what is on its way on a busy machine is not lost
        last = received;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    const Result result{received, cpu_seconds(RUSAGE_SELF) - before,
                        static_cast<std::uint64_t>(element_stat(bench.element(), "wake-ups"))};
    (void)!write(result_out, &result, sizeof result);
}

struct Sender {
    Sender(unsigned legs, const Suite* suite, const std::vector<std::uint16_t>& ports) {
        for (unsigned leg = 0; leg < legs; ++leg) {
            const std::string name = "sink_" + std::to_string(leg);
            bench.pad(name);
            secure(bench, name, suite);
            bench.aim(name, ports[leg]);
            g_object_set(bench.pad(name).get(), "symmetric", FALSE, nullptr);
            inlets.push_back(bench.inlet(name.c_str(), "application/x-rtp"));
        }
        bench.play();
    }

    // As a mixer would: a header for each leg, one payload for all.
    void tick(unsigned sequence) {
        const Octets whole = rtp_octets(sequence, kPayload);
        const BufferPtr shared = BufferPtr::adopt(gst_buffer_new_memdup(whole.data() + 12, kPayload));
        for (GstPad* inlet : inlets) {
            GstBuffer* packet = gst_buffer_new_memdup(whole.data(), 12);
            gst_buffer_append_memory(packet, gst_buffer_get_memory(shared.get(), 0));
            gst_pad_push(inlet, packet);
        }
        gst_pad_push_event(inlets.back(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                                                               gst_structure_new_empty("vmr-tick-end")));
    }

    RtpBench bench;
    std::vector<GstPad*> inlets;
};

double thread_cpu() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::size_t threads() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
        ++count;
    }
    return count;
}

void measure(unsigned legs, unsigned seconds, const std::string& name) {
    int ports[2], stop[2], results[2];
    if (pipe(ports) != 0 || pipe(stop) != 0 || pipe(results) != 0) {
        std::exit(1);
    }
    const Suite* suite = suite_named(name);
    const Stranger source;  // its port only stands for "somewhere on this host"
    const pid_t child = fork();
    if (child == 0) {
        close(stop[1]);
        run_receiver(legs, suite, source.port(), ports[1], stop[0], results[1]);
        std::exit(0);
    }
    close(stop[0]);
    std::vector<std::uint16_t> targets(legs);
    for (std::size_t got = 0; got < legs * sizeof targets[0];) {
        got += static_cast<std::size_t>(
            read(ports[0], reinterpret_cast<char*>(targets.data()) + got, legs * sizeof targets[0] - got));
    }
    Sender sender(legs, suite, targets);
    const double before = cpu_seconds(RUSAGE_SELF);
    const double pushing_before = thread_cpu();
    auto next = std::chrono::steady_clock::now();
    unsigned ticks = 0;
    for (; ticks < seconds * 50; ++ticks) {
        sender.tick(ticks);
        next += kPeriod;
        std::this_thread::sleep_until(next);
    }
    const double pushing = thread_cpu() - pushing_before;
    const double all = cpu_seconds(RUSAGE_SELF) - before;
    close(stop[1]);
    Result result{};
    (void)!read(results[0], &result, sizeof result);
    waitpid(child, nullptr, 0);
    const double sent = static_cast<double>(ticks) * legs;
    std::printf(
        "%-17s %5u legs: hand over %.2f, send %.2f, receive %.2f us a packet; %.2f %% lost; "
        "%zu threads; wake-ups a tick: sender %.1f, receiver %.1f\n",
        name.c_str(), legs, pushing / sent * 1e6, (all - pushing) / sent * 1e6,
        result.cpu / static_cast<double>(std::max<std::uint64_t>(result.packets, 1)) * 1e6,
        100 * (1 - static_cast<double>(result.packets) / sent), threads(),
        static_cast<double>(element_stat(sender.bench.element(), "wake-ups")) / ticks,
        static_cast<double>(result.wake_ups) / ticks);
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned legs = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1000;
    const unsigned seconds = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 5;
    std::vector<std::string> suites(argv + std::min(argc, 3), argv + argc);
    if (suites.empty()) {
        suites = {"none", "aes-128-cm-80", "aead-aes-256-gcm"};
    }
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (const std::string& suite : suites) {
        // Each in a process of its own: GStreamer must not have started before fork().
        const pid_t child = fork();
        if (child == 0) {
            measure(legs, seconds, suite);
            std::fflush(stdout);
            std::exit(0);
        }
        waitpid(child, nullptr, 0);
    }
}
