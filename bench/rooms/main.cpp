// The room that is measured, in a process of its own, so that its CPU time is nobody else's: audio-room
// --help. Prints "ports P0 P1 …" (the UDP port of each leg) when it plays, ends with its input, and then
// prints as JSON what it knows of itself. Leg N sends to port N modulo their number of --load-ports.
#include <glib-unix.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/process.hpp"
#include "bench/rooms/room.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;

void add_options(CLI::App& app, RoomOptions& options) {
    app.add_option("--engine", options.engine)->check(CLI::IsMember({"vmr", "audiomixer"}));
    app.add_option("--codec", options.codec)->check(CLI::IsMember({"opus", "pcmu"}));
    app.add_option("--suite", options.suite, "of vmr-rtp-io, or none");
    app.add_option("--key", options.key, "of both directions, base64");
    app.add_option("--legs", options.legs)->check(CLI::PositiveNumber);
    app.add_option("--load-ports", options.load_ports)->delimiter(',')->required();
    app.add_option("--tick", options.tick, "ms");
    app.add_option("--churn", options.churn, "how often a leg leaves and comes back");
    app.add_option("--churn-rate", options.churn_rate, "a second");
    app.add_option("--churn-after", options.churn_after, "seconds");
}

struct Churn {
    Room* room;
    const RoomOptions* options;
    unsigned done = 0;
};

// The first ten stay: who measures latency is among them.
constexpr unsigned kStaying = 10;

gboolean on_churn_due(gpointer data) {
    auto& churn = *static_cast<Churn*>(data);
    const unsigned leg = kStaying + churn.done % (churn.options->legs - kStaying);
    churn.room->remove(leg);
    churn.room->add(leg);
    return ++churn.done < churn.options->churn ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

gboolean on_churn_begun(gpointer data) {
    g_timeout_add(1000 / static_cast<Churn*>(data)->options->churn_rate, on_churn_due, data);
    return G_SOURCE_REMOVE;
}

gboolean on_input_ended(gint, GIOCondition, gpointer loop) {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_REMOVE;
}

gboolean on_message_posted(GstBus*, GstMessage* message, gpointer pipeline) {
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

void run(const RoomOptions& options) {
    const RoomPtr room = options.engine == "vmr" ? make_vmr_room(options) : make_audiomixer_room(options);
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        room->add(leg);
    }
    room->start();
    std::cout << "ports";
    for (unsigned leg = 0; leg < options.legs; ++leg) {
        std::cout << " " << room->port(leg);
    }
    std::cout << std::endl;
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(room->pipeline())));
    gst_bus_add_watch(bus.get(), on_message_posted, room->pipeline());
    g_unix_fd_add(0, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP), on_input_ended, loop);
    Churn churn{room.get(), &options};
    if (options.churn > 0 && options.legs > kStaying) {
        g_timeout_add_seconds(options.churn_after, on_churn_begun, &churn);
    }
    g_main_loop_run(loop);
    nlohmann::json known = {{"churned", churn.done}};
    if (const auto buffers = room->jitter_buffers()) {
        known["jitter_delay_ms"] = buffers->delay_ms;
        known["jitter_target_ms"] = buffers->target_ms;
    }
    std::cout << known << std::endl;
    gst_bus_remove_watch(bus.get());
    g_main_loop_unref(loop);
}

// A bridge is a loop: what GStreamer says about it, once for each leg, is known.
void on_warning_logged(const char* domain, GLogLevelFlags level, const char* message, gpointer) {
    if (g_strstr_len(message, -1, "loop detected") == nullptr) {
        g_log_default_handler(domain, level, message, nullptr);
    }
}

}  // namespace

int main(int count, char** arguments) {
    raise_file_limit();
    gst_init(nullptr, nullptr);
    g_log_set_handler("GStreamer", G_LOG_LEVEL_WARNING, on_warning_logged, nullptr);
    RoomOptions options;
    CLI::App app("A room to be measured", "audio-room");
    add_options(app, options);
    return run_program(app, count, arguments, [&options] { run(options); });
}
