// What a room's pictures cost: cameras into vmr-mixer, or into GStreamer's compositor, at 720p30. Prints
// JSON: CPU time of the whole process for a frame of the room, sources included (they cost little).
#include <gst/app/gstappsrc.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "bench/costs/camera.hpp"
#include "bench/costs/element_stats.hpp"
#include "bench/process.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;
using Clock = std::chrono::steady_clock;

constexpr int kRoomKbits = 1500;
constexpr int kClip = 30;  // frames; then it begins anew, with a keyframe
constexpr auto kWarmUp = std::chrono::milliseconds(800);
constexpr auto kKeyframesSeen = std::chrono::milliseconds(1800);  // a clip's keyframe comes once a second
constexpr const char* kPicture = "width=1280,height=720,framerate=30/1";

struct Options {
    std::string bridge = "vmr";
    unsigned tiles = 4, viewers = 0;
    bool on_stage = false, coded = false;
    Size camera;
    int camera_kbits = 1500;  // of H.264
    double seconds = 2.5;
};

std::string sources(const Options& options, const std::string& to) {
    std::string text;
    for (unsigned i = 0; i < options.tiles; ++i) {
        text += " appsrc is-live=true do-timestamp=true format=time name=s" + std::to_string(i) +
                " caps=" + (options.coded ? coded_caps(options.camera) : raw_caps(options.camera)) + " ! " +
                to + std::to_string(i);
    }
    return text;
}

std::string mixer_room(const Options& options) {
    std::string text = "vmr-mixer name=m layout=equal framerate=30 max-views=25";
    for (unsigned i = 0; i < std::max(1U, options.viewers); ++i) {
        text += " m.video_src_" + std::to_string(options.on_stage ? i : 100 + i) + " ! " +
                (options.viewers == 0 ? "video/x-raw," : "video/x-h264,") + kPicture +
                " ! fakesink sync=false async=false";
    }
    return text + sources(options, "m.video_sink_");
}

// One picture, and one encode, for everybody.
std::string compositor_room(const Options& options) {
    const int columns = options.tiles <= 4 ? 2 : 3;
    std::string text = "compositor name=m background=black";
    for (int i = 0; i < static_cast<int>(options.tiles); ++i) {
        const std::string pad = " sink_" + std::to_string(i) + "::";
        text += pad + "xpos=" + std::to_string(1280 / columns * (i % columns)) + pad +
                "ypos=" + std::to_string(720 / columns * (i / columns)) + pad +
                "width=" + std::to_string(1280 / columns) + pad + "height=" + std::to_string(720 / columns);
    }
    text += std::string(" ! video/x-raw,format=I420,") + kPicture + " ! " +
            (options.viewers > 0 ? h264_encoder(kRoomKbits) + " ! " : std::string()) +
            "fakesink sync=false async=false";
    return text + sources(options, options.coded ? "h264parse ! avdec_h264 max-threads=1 ! queue ! m.sink_"
                                                 : "m.sink_");
}

class CameraFeed {
public:
    CameraFeed(const Options& options, GstElement* pipeline) {
        for (unsigned i = 0; i < options.tiles; ++i) {
            Clip clip;
            for (int number = 0; number < kClip; ++number) {
                clip.push_back(raw_frame(options.camera, i, number, kClip));
            }
            clips_.push_back(options.coded ? encoded(clip, options.camera, options.camera_kbits)
                                           : std::move(clip));
            const std::string name = "s" + std::to_string(i);
            sources_.push_back(ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline), name.c_str())));
        }
    }

    void start() { began_ = Clock::now(); }

    // How many frames of the room passed.
    unsigned feed(Clock::duration span) {
        const auto end = Clock::now() + span;
        unsigned frames = 0;
        for (; Clock::now() < end; ++number_, ++frames) {
            for (std::size_t i = 0; i < sources_.size(); ++i) {
                gst_app_src_push_buffer(GST_APP_SRC(sources_[i].get()),
                                        gst_buffer_copy(clips_[i][number_ % kClip].get()));
            }
            std::this_thread::sleep_until(began_ +
                                          std::chrono::microseconds(1'000'000 * (number_ + 1) / kFramerate));
        }
        return frames;
    }

private:
    std::vector<Clip> clips_;
    std::vector<ElementPtr> sources_;
    Clock::time_point began_;
    std::size_t number_ = 0;
};

void run(const Options& options) {
    const bool mixer = options.bridge == "vmr";
    GError* problem = nullptr;
    const std::string text = mixer ? mixer_room(options) : compositor_room(options);
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(text.c_str(), &problem));
    if (problem != nullptr) {
        throw std::runtime_error(problem->message);
    }
    const ElementPtr bridge = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m"));
    CameraFeed cameras(options, pipeline.get());
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    cameras.start();
    cameras.feed(options.coded ? kKeyframesSeen : kWarmUp);
    const double cpu = cpu_seconds();
    const std::uint64_t encodes = mixer ? stat(bridge.get(), "video-encodes") : 0;
    const unsigned frames = cameras.feed(
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds)));
    const double ms = (cpu_seconds() - cpu) * 1000 / frames;
    nlohmann::json result = {{"ms_per_frame", ms}, {"per_core", 1000.0 / kFramerate / ms}};
    if (mixer) {
        result["encodes_per_second"] =
            static_cast<double>(stat(bridge.get(), "video-encodes") - encodes) * kFramerate / frames;
    }
    gst_element_set_state(bridge.get(), GST_STATE_NULL);  // before sinks that pause hold its pushes
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    std::cout << result << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    gst_init(nullptr, nullptr);
    Options options;
    CLI::App app("What a room's pictures cost", "video-cost");
    app.add_option("--bridge", options.bridge)->check(CLI::IsMember({"vmr", "compositor"}));
    app.add_option("--tiles", options.tiles)->check(CLI::Range(1, 9));
    app.add_option("--viewers", options.viewers, "of H.264; 0: one of raw pictures, nothing is encoded");
    app.add_flag("--on-stage", options.on_stage, "viewers are on stage: each sees the others");
    app.add_flag("--coded", options.coded, "cameras send H.264");
    app.add_option("--camera-width", options.camera.width)->check(CLI::Range(64, 1920));
    app.add_option("--camera-height", options.camera.height)->check(CLI::Range(64, 1080));
    app.add_option("--camera-kbits", options.camera_kbits)->check(CLI::Range(50, 10000));
    app.add_option("--seconds", options.seconds);
    return run_program(app, count, arguments, [&options] { run(options); });
}
