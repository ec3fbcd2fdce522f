// What one more listener costs: RTP listeners and three talkers around one vmr-mixer, with sinks that only
// count. Prints one line for each room: CPU time of the process per listener and tick.
#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace {

using namespace vmr;

std::atomic<std::uint64_t> received = 0;
bool non_blocking = true;

GstFlowReturn on_chain(GstPad*, GstObject*, GstBuffer* buffer) {
    ++received;
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM) {
        return non_blocking ? TRUE : FALSE;
    }
    return gst_pad_query_default(pad, parent, query);
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::uint64_t stat(GstElement* mixer, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(mixer, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 value = 0;
    gst_structure_get_uint64(stats, field, &value);
    return value;
}

enum class Talkers { rtp, raw };

void run(const char* caps_text, unsigned listeners, bool direct, double seconds,
         Talkers talkers = Talkers::rtp) {
    non_blocking = direct;
    const ElementPtr pipeline = ElementPtr::adopt(gst_pipeline_new(nullptr));
    GstElement* mixer = gst_element_factory_make("vmr-mixer", "m");
    gst_bin_add(GST_BIN(pipeline.get()), mixer);
    const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(caps_text));
    std::vector<PadPtr> sinks;
    for (unsigned i = 0; i < listeners; ++i) {
        const std::string name = "audio_src_" + std::to_string(i);
        const PadPtr src = PadPtr::adopt(gst_element_request_pad_simple(mixer, name.c_str()));
        const PadPtr sink = PadPtr::adopt(gst_pad_new_from_template(
            GPtr<GstPadTemplate>::adopt(
                gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps.get()))
                .get(),
            "sink"));
        gst_pad_set_chain_function(sink.get(), on_chain);
        gst_pad_set_query_function(sink.get(), on_query);
        gst_pad_set_active(sink.get(), TRUE);
        gst_pad_link(src.get(), sink.get());
        sinks.push_back(sink);
    }
    for (unsigned i = 0; i < 3; ++i) {
        const bool rtp = talkers == Talkers::rtp;
        const std::string rate = rtp ? "8000" : "48000";
        const std::string text =
            "audiotestsrc is-live=true volume=0.1 freq=" + std::to_string(300 + 200 * i) +
            " samplesperbuffer=" + (rtp ? "160" : "960") +
            " ! audio/x-raw,format=S16LE,channels=1,rate=" + rate + (rtp ? " ! mulawenc ! rtppcmupay" : "");
        GstElement* bin = gst_parse_bin_from_description(text.c_str(), TRUE, nullptr);
        gst_bin_add(GST_BIN(pipeline.get()), bin);
        const std::string pad = "audio_sink_" + std::to_string(i);
        gst_element_link_pads(bin, nullptr, mixer, pad.c_str());
    }
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    g_usleep(1'500'000);  // until everybody has negotiated and the talkers are heard
    const std::uint64_t ticks = stat(mixer, "audio-ticks");
    const std::uint64_t encodes = stat(mixer, "audio-encodes");
    const std::uint64_t decodes = stat(mixer, "audio-decodes");
    const std::uint64_t packets = received;
    const double start = cpu_seconds();
    g_usleep(static_cast<gulong>(seconds * 1e6));
    const double spent = cpu_seconds() - start;
    const double passed = static_cast<double>(stat(mixer, "audio-ticks") - ticks);
    std::printf(
        "%-60.60s %5u listeners %-7s %7.2f us/listener/tick  %.2f encodes %.2f decodes %.1f packets/tick\n",
        caps_text, listeners, direct ? "direct" : "pooled", spent * 1e6 / passed / std::max(1U, listeners),
        static_cast<double>(stat(mixer, "audio-encodes") - encodes) / passed,
        static_cast<double>(stat(mixer, "audio-decodes") - decodes) / passed,
        static_cast<double>(received - packets) / passed);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace

int main(int count, char** arguments) {
    gst_init(&count, &arguments);
    const double seconds = count > 1 ? std::atof(arguments[1]) : 3.0;
    const char* opus = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111";
    const char* pcmu = "application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload=0";
    for (const unsigned listeners : {4U, 10U, 50U, 200U, 1000U}) {
        run(opus, listeners, true, seconds);
    }
    run(opus, 1000, false, seconds);
    run(pcmu, 1000, true, seconds);
    run("audio/x-opus,channels=1,rate=48000,channel-mapping-family=0", 1000, false, seconds, Talkers::raw);
    return 0;
}
