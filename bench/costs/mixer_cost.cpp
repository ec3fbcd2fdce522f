// What one more listener costs: listeners and three talkers around one vmr-mixer, with sinks that only count.
// Prints JSON: CPU time of the process for each listener and tick.
#include <atomic>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "bench/costs/element_stats.hpp"
#include "bench/process.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;

constexpr unsigned kTalkers = 3;
constexpr std::uint64_t kPacketsFirst =
    25;  // half a second for each listener: negotiated, and talkers are heard

struct Options {
    std::string caps = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111";
    unsigned listeners = 10;
    bool pooled = false, raw_talkers = false;
    double seconds = 2;
};

std::atomic<std::uint64_t> received = 0;
std::atomic<bool> promises_not_to_block = true;

GstFlowReturn on_packet_pushed(GstPad*, GstObject*, GstBuffer* buffer) {
    ++received;
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

gboolean on_query_asked(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM) {
        return promises_not_to_block ? TRUE : FALSE;
    }
    return gst_pad_query_default(pad, parent, query);
}

PadPtr add_listener(GstElement* mixer, unsigned number, GstCaps* caps) {
    const std::string name = "audio_src_" + std::to_string(number);
    const PadPtr src = PadPtr::adopt(gst_element_request_pad_simple(mixer, name.c_str()));
    const auto pattern =
        GPtr<GstPadTemplate>::adopt(gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
    PadPtr sink = PadPtr::adopt(gst_pad_new_from_template(pattern.get(), "sink"));
    gst_pad_set_chain_function(sink.get(), on_packet_pushed);
    gst_pad_set_query_function(sink.get(), on_query_asked);
    gst_pad_set_active(sink.get(), TRUE);
    if (GST_PAD_LINK_FAILED(gst_pad_link(src.get(), sink.get()))) {
        throw std::runtime_error("no link to " + name);
    }
    return sink;
}

void add_talker(GstElement* pipeline, GstElement* mixer, unsigned number, bool raw) {
    const std::string text =
        "audiotestsrc is-live=true volume=0.1 freq=" + std::to_string(300 + 200 * number) +
        " samplesperbuffer=" + (raw ? "960" : "160") +
        " ! audio/x-raw,format=S16LE,channels=1,rate=" + (raw ? "48000" : "8000 ! mulawenc ! rtppcmupay");
    GstElement* bin = gst_parse_bin_from_description(text.c_str(), TRUE, nullptr);
    gst_bin_add(GST_BIN(pipeline), bin);
    gst_element_link_pads(bin, nullptr, mixer, ("audio_sink_" + std::to_string(number)).c_str());
}

struct Counts {
    std::uint64_t ticks, encodes, decodes, packets;
    double cpu;

    explicit Counts(GstElement* mixer)
        : ticks(stat(mixer, "audio-ticks")),
          encodes(stat(mixer, "audio-encodes")),
          decodes(stat(mixer, "audio-decodes")),
          packets(received),
          cpu(cpu_seconds()) {}
};

void run(const Options& options) {
    promises_not_to_block = !options.pooled;
    const ElementPtr pipeline = ElementPtr::adopt(gst_pipeline_new(nullptr));
    GstElement* mixer = gst_element_factory_make("vmr-mixer", "m");
    if (mixer == nullptr) {
        throw std::runtime_error("no element vmr-mixer");
    }
    gst_bin_add(GST_BIN(pipeline.get()), mixer);
    const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(options.caps.c_str()));
    std::vector<PadPtr> sinks;
    for (unsigned i = 0; i < options.listeners; ++i) {
        sinks.push_back(add_listener(mixer, i, caps.get()));
    }
    for (unsigned i = 0; i < kTalkers; ++i) {
        add_talker(pipeline.get(), mixer, i, options.raw_talkers);
    }
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    if (!eventually([&options] { return received >= kPacketsFirst * options.listeners; })) {
        throw std::runtime_error("listeners hear nothing");
    }
    const Counts before(mixer);
    std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
    const Counts after(mixer);
    const auto ticks = static_cast<double>(after.ticks - before.ticks);
    std::cout
        << nlohmann::json{{"us_per_leg_tick", (after.cpu - before.cpu) * 1e6 / ticks / options.listeners},
                          {"encodes_per_tick", static_cast<double>(after.encodes - before.encodes) / ticks},
                          {"decodes_per_tick", static_cast<double>(after.decodes - before.decodes) / ticks},
                          {"packets_per_tick", static_cast<double>(after.packets - before.packets) / ticks}}
        << std::endl;
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace

int main(int count, char** arguments) {
    gst_init(nullptr, nullptr);
    Options options;
    CLI::App app("What a listener of vmr-mixer costs", "mixer-cost");
    app.add_option("--caps", options.caps, "what listeners take");
    app.add_option("--listeners", options.listeners)->check(CLI::PositiveNumber);
    app.add_flag("--pooled", options.pooled, "sinks that may block: pushed to by the pool");
    app.add_flag("--raw-talkers", options.raw_talkers, "no RTP, no codec");
    app.add_option("--seconds", options.seconds);
    return run_program(app, count, arguments, [&options] { run(options); });
}
