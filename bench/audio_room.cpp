// The room that is measured: one pipeline in a process of its own, so that its CPU time is nobody else's.
//   audio-room --legs N --codec opus|pcmu --suite none|… --key BASE64
//              --load-ports P,P,… [--tick 10|20] [--churn N --churn-rate PER_SECOND --churn-after SECONDS]
// Prints "ports P0 P1 …" (the UDP port of each leg) when it plays, and ends with its input; then it prints
// "jitter-buffers DELAY TARGET", means of all legs, ms. Leg N sends to port N modulo their number of
// --load-ports.
#include <glib-unix.h>
#include <gst/gst.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace {

using namespace vmr;

struct Options {
    std::string codec = "opus", suite = "none", key;
    unsigned legs = 10, tick = 20, churn = 0, churn_rate = 50, churn_after = 5;
    std::vector<unsigned> load_ports;
};

std::vector<unsigned> numbers(const std::string& text) {
    std::vector<unsigned> list;
    std::istringstream in(text);
    for (std::string item; std::getline(in, item, ',');) {
        list.push_back(static_cast<unsigned>(std::stoul(item)));
    }
    return list;
}

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const std::string value = arguments[i + 1];
        const auto number = [&value] { return static_cast<unsigned>(std::stoul(value)); };
        if (name == "--codec") {
            options.codec = value;
        } else if (name == "--suite") {
            options.suite = value;
        } else if (name == "--key") {
            options.key = value;
        } else if (name == "--legs") {
            options.legs = number();
        } else if (name == "--tick") {
            options.tick = number();
        } else if (name == "--churn") {
            options.churn = number();
        } else if (name == "--churn-rate") {
            options.churn_rate = number();
        } else if (name == "--churn-after") {
            options.churn_after = number();
        } else if (name == "--load-ports") {
            options.load_ports = numbers(value);
        } else {
            throw std::invalid_argument(name);
        }
    }
    if (options.load_ports.empty() || options.legs == 0) {
        throw std::invalid_argument("--load-ports and --legs");
    }
    return options;
}

// vmr-rtp-io around vmr-mixer, as a daemon would link them.
class Room {
public:
    explicit Room(const Options& options)
        : options_(options),
          pipeline_(ElementPtr::adopt(gst_pipeline_new(nullptr))),
          io_(make("vmr-rtp-io")),
          mixer_(make("vmr-mixer")) {
        const char* text =
            options.codec == "opus"
                ? "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111"
                : "application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload=0";
        caps_ = CapsPtr::adopt(gst_caps_from_string(text));
        gst_caps_set_simple(caps_.get(), "extmap-1", G_TYPE_STRING,
                            "urn:ietf:params:rtp-hdrext:ssrc-audio-level", nullptr);
        g_object_set(io_, "local-address", "127.0.0.1", nullptr);
        g_object_set(mixer_, "tick", static_cast<int>(options.tick), nullptr);
        legs_.resize(options.legs);
    }
    ~Room() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    GstElement* pipeline() const { return pipeline_.get(); }

    void start() {
        if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
            throw std::runtime_error("the pipeline does not start");
        }
    }

    void add(unsigned leg) {
        Leg& state = legs_[leg];
        state.from_peer = request(io_, "src_", leg);
        state.to_peer = request(io_, "sink_", leg);
        state.speaks = request(mixer_, "audio_sink_", leg);
        state.hears = request(mixer_, "audio_src_", leg);
        if (!options_.key.empty()) {
            gst_util_set_object_arg(G_OBJECT(state.from_peer.get()), "srtp-suite", options_.suite.c_str());
            g_object_set(state.from_peer.get(), "srtp-send-key", options_.key.c_str(), "srtp-receive-key",
                         options_.key.c_str(), nullptr);
        }
        // A leg that comes back has the port that its peer knows.
        g_object_set(state.from_peer.get(), "local-port", state.port, "rtp-caps", caps_.get(),
                     "remote-address", "127.0.0.1", "remote-port", load_port(leg), nullptr);
        state.filter = make("capsfilter");
        g_object_set(state.filter, "caps", caps_.get(), nullptr);
        gst_element_sync_state_with_parent(state.filter);
        const PadPtr filter_sink = PadPtr::adopt(gst_element_get_static_pad(state.filter, "sink"));
        const PadPtr filter_src = PadPtr::adopt(gst_element_get_static_pad(state.filter, "src"));
        if (GST_PAD_LINK_FAILED(gst_pad_link(state.from_peer.get(), state.speaks.get())) ||
            GST_PAD_LINK_FAILED(gst_pad_link(filter_src.get(), state.to_peer.get())) ||
            GST_PAD_LINK_FAILED(gst_pad_link(state.hears.get(), filter_sink.get()))) {
            throw std::runtime_error("a leg does not link");
        }
    }

    void remove(unsigned leg) {
        Leg& state = legs_[leg];
        state.port = port(leg);
        gst_element_release_request_pad(mixer_, state.hears.get());
        gst_element_release_request_pad(io_, state.from_peer.get());
        gst_element_release_request_pad(mixer_, state.speaks.get());
        gst_element_release_request_pad(io_, state.to_peer.get());
        gst_element_set_state(state.filter, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(pipeline_.get()), state.filter);
        const guint port = state.port;
        state = {};
        state.port = port;
    }

    unsigned port(unsigned leg) {
        g_object_get(legs_[leg].from_peer.get(), "local-port", &legs_[leg].port, nullptr);
        return legs_[leg].port;
    }

    // Means over the legs: what the jitter buffers hold back and aim at, ms.
    std::string jitter_buffers() {
        double delay = 0, target = 0;
        for (const Leg& leg : legs_) {
            GstStructure* stats = nullptr;
            g_object_get(leg.speaks.get(), "rtp-stats", &stats, nullptr);
            const StructurePtr owned(stats);
            delay += number(stats, "delay");
            target += number(stats, "target");
        }
        const auto count = static_cast<double>(legs_.size());
        return std::to_string(delay / count) + " " + std::to_string(target / count);
    }

private:
    static double number(const GstStructure* stats, const char* field) {
        const GValue* value = stats == nullptr ? nullptr : gst_structure_get_value(stats, field);
        GValue real = G_VALUE_INIT;
        g_value_init(&real, G_TYPE_DOUBLE);
        if (value == nullptr || !g_value_transform(value, &real)) {
            return 0;
        }
        return g_value_get_double(&real);
    }

    struct Leg {
        PadPtr from_peer, to_peer, speaks, hears;
        GstElement* filter = nullptr;
        guint port = 0;
    };

    GstElement* make(const char* factory) {
        GstElement* element = gst_element_factory_make(factory, nullptr);
        if (element == nullptr) {
            throw std::runtime_error(std::string("no element ") + factory);
        }
        gst_bin_add(GST_BIN(pipeline_.get()), element);
        return element;
    }
    unsigned load_port(unsigned leg) const { return options_.load_ports[leg % options_.load_ports.size()]; }

    static PadPtr request(GstElement* element, const char* prefix, unsigned leg) {
        const std::string name = prefix + std::to_string(leg);
        GstPad* pad = gst_element_request_pad_simple(element, name.c_str());
        if (pad == nullptr) {
            throw std::runtime_error("no pad " + name);
        }
        return PadPtr::adopt(pad);
    }

    const Options options_;
    const ElementPtr pipeline_;
    GstElement* io_;
    GstElement* mixer_;
    CapsPtr caps_;
    std::vector<Leg> legs_;
};

struct Churn {
    Room* room;
    const Options* options;
    unsigned done = 0;
};

// The first ten stay: who measures latency is among them.
constexpr unsigned kStaying = 10;

gboolean on_churn(gpointer data) {
    auto& churn = *static_cast<Churn*>(data);
    const unsigned leg = kStaying + churn.done % (churn.options->legs - kStaying);
    churn.room->remove(leg);
    churn.room->add(leg);
    if (++churn.done < churn.options->churn) {
        return G_SOURCE_CONTINUE;
    }
    return G_SOURCE_REMOVE;
}

gboolean on_churn_begins(gpointer data) {
    g_timeout_add(1000 / static_cast<Churn*>(data)->options->churn_rate, on_churn, data);
    return G_SOURCE_REMOVE;
}

gboolean on_input_ended(gint, GIOCondition, gpointer loop) {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_REMOVE;
}

gboolean on_message(GstBus*, GstMessage* message, gpointer pipeline) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
        gst_bin_recalculate_latency(GST_BIN(pipeline));
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError* error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        std::fprintf(stderr, "audio-room: %s\n", error->message);
        std::exit(1);
    }
    return G_SOURCE_CONTINUE;
}

void run(const Options& options) {
    Room room(options);
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        room.add(leg);
    }
    room.start();
    std::string line = "ports";
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        line += " " + std::to_string(room.port(leg));
    }
    std::puts(line.c_str());
    std::fflush(stdout);
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(room.pipeline())));
    gst_bus_add_watch(bus.get(), on_message, room.pipeline());
    g_unix_fd_add(0, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP), on_input_ended, loop);
    Churn churn{&room, &options};
    if (options.churn > 0 && options.legs > kStaying) {
        g_timeout_add_seconds(options.churn_after, on_churn_begins, &churn);
    }
    g_main_loop_run(loop);
    std::printf("jitter-buffers %s\n", room.jitter_buffers().c_str());
    g_main_loop_unref(loop);
}

}  // namespace

int main(int count, char** arguments) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    gst_init(nullptr, nullptr);
    // A bridge is a loop: what GStreamer says about it, once for each leg, is known.
    g_log_set_handler(
        "GStreamer", G_LOG_LEVEL_WARNING,
        [](const char* domain, GLogLevelFlags level, const char* message, gpointer) {
            if (g_strstr_len(message, -1, "loop detected") == nullptr) {
                g_log_default_handler(domain, level, message, nullptr);
            }
        },
        nullptr);
    try {
        run(parse(count, arguments));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "audio-room: %s\n", error.what());
        return 1;
    }
    return 0;
}
