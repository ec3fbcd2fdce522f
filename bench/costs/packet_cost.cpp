// What a packet costs vmr-rtp-io: one process sends a packet to each leg every 20 ms, another receives them.
// Prints JSON: µs of CPU a packet. On loopback the kernel delivers within the sender's system call, so that
// half of receiving is counted with the sender.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "bench/costs/element_stats.hpp"
#include "bench/process.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;

constexpr auto kPeriod = std::chrono::milliseconds(20);
constexpr unsigned kPeriods = 50;  // a second
constexpr std::size_t kHeader = 12;
constexpr std::size_t kPayload = 160;
const std::map<std::string, std::size_t> kKeyBytes = {
    {"none", 0},           {"aes-128-cm-80", 30},    {"aes-128-cm-32", 30},   {"aes-256-cm-80", 46},
    {"aes-256-cm-32", 46}, {"aead-aes-128-gcm", 28}, {"aead-aes-256-gcm", 44}};

struct Options {
    unsigned legs = 1000, seconds = 3;
    std::string suite = "none";
};

// vmr-rtp-io playing in a pipeline.
class Legs {
public:
    explicit Legs(const Options& options)
        : options_(options), pipeline_(ElementPtr::adopt(gst_pipeline_new(nullptr))) {
        element_ = gst_element_factory_make("vmr-rtp-io", nullptr);
        if (element_ == nullptr) {
            throw std::runtime_error("no element vmr-rtp-io");
        }
        gst_bin_add(GST_BIN(pipeline_.get()), element_);
        g_object_set(element_, "local-address", "127.0.0.1", nullptr);
    }
    ~Legs() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
    Legs(const Legs&) = delete;
    Legs& operator=(const Legs&) = delete;

    PadPtr pad(const std::string& name, unsigned remote_port) {
        PadPtr pad = PadPtr::adopt(gst_element_request_pad_simple(element_, name.c_str()));
        if (const std::size_t size = kKeyBytes.at(options_.suite); size > 0) {
            const std::vector<guchar> octets(size, 0x5A);
            const GCharPtr key(g_base64_encode(octets.data(), octets.size()));
            gst_util_set_object_arg(G_OBJECT(pad.get()), "srtp-suite", options_.suite.c_str());
            g_object_set(pad.get(), "srtp-send-key", key.get(), "srtp-receive-key", key.get(), nullptr);
        }
        g_object_set(pad.get(), "remote-address", "127.0.0.1", "remote-port", remote_port, nullptr);
        return pad;
    }
    void play() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }
    std::uint64_t wake_ups() { return stat(element_, "wake-ups"); }

private:
    const Options& options_;
    const ElementPtr pipeline_;
    GstElement* element_;
};

std::atomic<std::uint64_t> received = 0;

GstFlowReturn on_packet_pushed(GstPad*, GstObject*, GstBuffer* buffer) {
    gst_buffer_unref(buffer);
    ++received;
    return GST_FLOW_OK;
}

struct Received {
    std::uint64_t packets, wake_ups;
    double cpu;
};

template <typename T>
void write_all(int fd, const T* values, std::size_t count) {
    if (write(fd, values, count * sizeof(T)) != static_cast<ssize_t>(count * sizeof(T))) {
        throw std::runtime_error("the other process is gone");
    }
}

template <typename T>
void read_all(int fd, T* values, std::size_t count) {
    for (std::size_t got = 0; got < count * sizeof(T);) {
        const ssize_t now = read(fd, reinterpret_cast<char*>(values) + got, count * sizeof(T) - got);
        if (now <= 0) {
            throw std::runtime_error("the other process is gone");
        }
        got += static_cast<std::size_t>(now);
    }
}

// The child: tells its ports, hears until it is told how many packets were sent and all of them came.
void receive(const Options& options, int in, int out) {
    gst_init(nullptr, nullptr);
    Legs legs(options);
    std::vector<PadPtr> sources, sinks;
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        sources.push_back(legs.pad("src_" + std::to_string(leg), 9));  // discard: it only receives
        g_object_set(sources.back().get(), "symmetric", TRUE, nullptr);
        sinks.push_back(PadPtr::adopt(gst_pad_new("count", GST_PAD_SINK)));
        gst_pad_set_chain_function(sinks.back().get(), on_packet_pushed);
        gst_pad_set_active(sinks.back().get(), TRUE);
        gst_pad_link(sources.back().get(), sinks.back().get());
    }
    legs.play();
    std::vector<guint> ports(options.legs);
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        g_object_get(sources[leg].get(), "local-port", &ports[leg], nullptr);
    }
    const double before = cpu_seconds();
    write_all(out, ports.data(), ports.size());
    std::uint64_t sent = 0;
    read_all(in, &sent, 1);
    eventually([sent] { return received >= sent; });
    const Received result{received, legs.wake_ups(), cpu_seconds() - before};
    write_all(out, &result, 1);
}

class Sender {
public:
    Sender(const Options& options, const std::vector<guint>& ports) : legs_(options) {
        for (unsigned leg = 0; leg < options.legs; ++leg) {
            const PadPtr sink = legs_.pad("sink_" + std::to_string(leg), ports[leg]);
            g_object_set(sink.get(), "symmetric", FALSE, nullptr);
            pads_.push_back(PadPtr::adopt(gst_pad_new("push", GST_PAD_SRC)));
            gst_pad_set_active(pads_.back().get(), TRUE);
            gst_pad_link(pads_.back().get(), sink.get());
        }
        legs_.play();
        const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string("application/x-rtp"));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        for (const PadPtr& pad : pads_) {
            gst_pad_push_event(pad.get(), gst_event_new_stream_start("bench"));
            gst_pad_push_event(pad.get(), gst_event_new_caps(caps.get()));
            gst_pad_push_event(pad.get(), gst_event_new_segment(&segment));
        }
    }

    // A header for each leg, one payload for all.
    void tick(unsigned sequence) {
        const std::array<guint8, kHeader> header{
            0x80, 0, static_cast<guint8>(sequence >> 8), static_cast<guint8>(sequence), 0, 0, 0, 0, 0, 0,
            0,    42};
        const std::array<guint8, kPayload> payload{};
        const BufferPtr shared = BufferPtr::adopt(gst_buffer_new_memdup(payload.data(), payload.size()));
        for (const PadPtr& pad : pads_) {
            GstBuffer* packet = gst_buffer_new_memdup(header.data(), header.size());
            gst_buffer_append_memory(packet, gst_buffer_get_memory(shared.get(), 0));
            gst_pad_push(pad.get(), packet);
        }
    }

private:
    Legs legs_;
    std::vector<PadPtr> pads_;
};

void send(const Options& options, int in, int out) {
    gst_init(nullptr, nullptr);
    std::vector<guint> ports(options.legs);
    read_all(in, ports.data(), ports.size());
    Sender sender(options, ports);
    const double before = cpu_seconds();
    auto next = std::chrono::steady_clock::now();
    const unsigned ticks = options.seconds * kPeriods;
    for (unsigned i = 0; i < ticks; ++i) {
        sender.tick(i);
        next += kPeriod;
        std::this_thread::sleep_until(next);
    }
    const double all = cpu_seconds() - before;
    const std::uint64_t sent = static_cast<std::uint64_t>(ticks) * options.legs;
    write_all(out, &sent, 1);
    Received result{};
    read_all(in, &result, 1);
    const double packets = static_cast<double>(sent) / 1e6;
    std::cout
        << nlohmann::json{{"send_us", all / packets},
                          {"receive_us", result.cpu * 1e6 /
                                             static_cast<double>(std::max<std::uint64_t>(result.packets, 1))},
                          {"lost_percent", 100 * (1 - static_cast<double>(result.packets) / 1e6 / packets)},
                          {"threads", usage_of(getpid()).threads},
                          {"receiver_wake_ups", static_cast<double>(result.wake_ups) / ticks}}
        << std::endl;
}

void run(const Options& options) {
    std::array<int, 2> to_child{}, to_parent{};
    if (pipe(to_child.data()) != 0 || pipe(to_parent.data()) != 0) {
        throw std::runtime_error("no pipe");
    }
    const pid_t child = fork();  // GStreamer must not have started before
    if (child == 0) {
        close(to_child[1]);
        close(to_parent[0]);
        try {
            receive(options, to_child[0], to_parent[1]);
        } catch (const std::exception& error) {
            std::cerr << "packet-cost: " << error.what() << std::endl;
            _exit(1);
        }
        _exit(0);
    }
    close(to_child[0]);
    close(to_parent[1]);
    send(options, to_parent[0], to_child[1]);
    waitpid(child, nullptr, 0);
}

}  // namespace

int main(int count, char** arguments) {
    raise_file_limit();
    Options options;
    CLI::App app("What a packet costs vmr-rtp-io", "packet-cost");
    app.add_option("--legs", options.legs)->check(CLI::PositiveNumber);
    app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
    app.add_option("--suite", options.suite)->check(CLI::IsMember(kKeyBytes));
    return run_program(app, count, arguments, [&options] { run(options); });
}
