// What a room's pictures cost, beside GStreamer's `compositor` in the same run. Prints a table and, with a
// file name as argument, JSON. CPU time of the whole process, sources included (they cost little).
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kFramerate = 30;
constexpr int kWidth = 640;  // of a camera
constexpr int kHeight = 360;
constexpr int kClip = 30;  // frames; then it begins anew, with a keyframe
constexpr auto kWarmUp = std::chrono::milliseconds(800);
constexpr auto kKeyframesSeen = std::chrono::milliseconds(2200);  // a clip's keyframe comes once a second
constexpr auto kMeasured = std::chrono::milliseconds(2500);
constexpr int kRounds = 3;
constexpr const char* kH264 =
    "x264enc tune=zerolatency speed-preset=superfast bframes=0 key-int-max=2000 threads=1 bitrate=1500 ! "
    "video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au";

// Somebody before a wall: texture, a head that sways, a little sensor noise.
BufferPtr raw_frame(unsigned participant, int number) {
    constexpr std::size_t kLuma = static_cast<std::size_t>(kWidth) * kHeight;
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kLuma * 3 / 2, nullptr);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    std::fill(map.data + kLuma, map.data + map.size, static_cast<guint8>(118 + 3 * participant));
    std::uint32_t noise = participant * 7919U + static_cast<std::uint32_t>(number) * 104729U + 1U;
    const double sway = 12 * std::sin(2 * M_PI * number / kClip);
    for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
            noise = noise * 1664525U + 1013904223U;
            const double dx = (x - kWidth / 2.0 - sway) / 90.0;
            const double dy = (y - kHeight / 2.0) / 130.0;
            const bool head = dx * dx + dy * dy < 1.0;
            const double texture = head
                                       ? 150 + 25 * std::sin((x - sway) / 6.0) * std::cos(y / 7.0)
                                       : 90 + 15 * std::sin(x / 23.0 + participant) + 10 * std::cos(y / 17.0);
            map.data[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)] =
                static_cast<guint8>(texture + (noise >> 30U));
        }
    }
    gst_buffer_unmap(buffer, &map);
    return BufferPtr::adopt(buffer);
}

using Clip = std::vector<BufferPtr>;

std::string raw_caps() {
    return "video/x-raw,format=I420,width=" + std::to_string(kWidth) + ",height=" + std::to_string(kHeight) +
           ",framerate=" + std::to_string(kFramerate) + "/1";
}

Clip encoded(const Clip& raw) {
    const std::string description =
        "appsrc name=in format=time caps=" + raw_caps() + " ! " + kH264 + " ! appsink name=out sync=false";
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(description.c_str(), nullptr));
    const ElementPtr in = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
    const ElementPtr out = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    Clip clip;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        GstBuffer* buffer = gst_buffer_copy(raw[i].get());
        GST_BUFFER_PTS(buffer) = i * GST_SECOND / kFramerate;
        gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer);
        const auto sample = GPtr<GstSample>::adopt(gst_app_sink_pull_sample(GST_APP_SINK(out.get())));
        BufferPtr frame = BufferPtr::adopt(gst_buffer_copy(gst_sample_get_buffer(sample.get())));
        GST_BUFFER_PTS(frame.get()) = GST_CLOCK_TIME_NONE;
        GST_BUFFER_DTS(frame.get()) = GST_CLOCK_TIME_NONE;
        clip.push_back(std::move(frame));
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    return clip;
}

struct Case {
    std::string name;
    std::string description;
    unsigned tiles;
    bool coded = false;
    bool is_mixer = true;
};

std::string sources(unsigned tiles, bool coded, const std::string& to) {
    const std::string caps =
        coded ? "video/x-h264,stream-format=byte-stream,alignment=au,width=640,height=360" : raw_caps();
    std::string description;
    for (unsigned i = 0; i < tiles; ++i) {
        description += " appsrc is-live=true do-timestamp=true format=time name=s" + std::to_string(i) +
                       " caps=" + caps + " ! " + to + std::to_string(i);
    }
    return description;
}

Case mixer_case(unsigned tiles, unsigned viewers, bool on_stage, bool coded) {
    const bool raw = viewers == 0;
    std::string outputs;
    for (unsigned i = 0; i < std::max(1U, viewers); ++i) {
        outputs += " m.video_src_" + std::to_string(on_stage ? i : 100 + i) + " ! " +
                   (raw ? "video/x-raw" : "video/x-h264") +
                   ",width=1280,height=720,framerate=30/1 ! fakesink sync=false async=false";
    }
    const std::string who = raw ? "no encode"
                            : on_stage
                                ? "all " + std::to_string(viewers) + " viewers on stage, H.264"
                                : std::to_string(viewers) + " viewer" + (viewers > 1 ? "s" : "") + ", H.264";
    return {"vmr-mixer, " + who + (coded ? ", cameras decoded" : ""),
            "vmr-mixer name=m layout=equal framerate=30 max-views=25" + outputs +
                sources(tiles, coded, "m.video_sink_"),
            tiles, coded, true};
}

Case compositor_case(unsigned tiles, bool encodes) {
    const int columns = tiles == 4 ? 2 : 3;
    std::string description = "compositor name=m background=black";
    for (int i = 0; i < static_cast<int>(tiles); ++i) {
        const std::string pad = " sink_" + std::to_string(i) + "::";
        description += pad + "xpos=" + std::to_string(1280 / columns * (i % columns)) + pad +
                       "ypos=" + std::to_string(720 / columns * (i / columns)) + pad +
                       "width=" + std::to_string(1280 / columns) + pad +
                       "height=" + std::to_string(720 / columns);
    }
    description += " ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1 ! " +
                   (encodes ? kH264 + std::string(" ! ") : std::string()) + "fakesink sync=false async=false";
    return {std::string("compositor, ") + (encodes ? "1 H.264 encode" : "no encode"),
            description + sources(tiles, false, "m.sink_"), tiles, false, false};
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t stat(GstElement* mixer, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(mixer, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 value = 0;
    gst_structure_get_uint64(stats, field, &value);
    return value;
}

// ms of CPU for each frame of the room, and how many of its encodes were done each second.
struct Measured {
    double ms = 0.0;
    double encodes = 0.0;
};

Measured run(const Case& tried, const std::vector<Clip>& clips) {
    GError* problem = nullptr;
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(tried.description.c_str(), &problem));
    if (problem != nullptr) {
        g_error("%s", problem->message);
    }
    std::vector<ElementPtr> cameras;
    for (unsigned i = 0; i < tried.tiles; ++i) {
        cameras.push_back(ElementPtr::adopt(
            gst_bin_get_by_name(GST_BIN(pipeline.get()), ("s" + std::to_string(i)).c_str())));
    }
    const ElementPtr mixer = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "m"));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const auto began = Clock::now();
    std::size_t number = 0;
    const auto feed_until = [&](Clock::time_point end) {
        std::size_t frames = 0;
        for (; Clock::now() < end; ++number, ++frames) {
            for (unsigned i = 0; i < tried.tiles; ++i) {
                gst_app_src_push_buffer(GST_APP_SRC(cameras[i].get()),
                                        gst_buffer_copy(clips[i][number % kClip].get()));
            }
            std::this_thread::sleep_until(began +
                                          std::chrono::microseconds(1000000 * (number + 1) / kFramerate));
        }
        return frames;
    };
    const auto warm = began + (tried.coded ? kKeyframesSeen : kWarmUp);
    feed_until(warm);
    const double cpu = cpu_seconds();
    const std::uint64_t encodes = tried.is_mixer ? stat(mixer.get(), "video-encodes") : 0;
    const std::size_t frames = feed_until(warm + kMeasured);
    Measured measured{1000.0 * (cpu_seconds() - cpu) / static_cast<double>(frames), 0.0};
    if (tried.is_mixer) {
        measured.encodes = static_cast<double>(stat(mixer.get(), "video-encodes") - encodes) /
                           std::chrono::duration<double>(kMeasured).count();
    }
    gst_element_set_state(mixer.get(), GST_STATE_NULL);  // before sinks that pause hold its pushes
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    return measured;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void report(const std::vector<Case>& cases, const std::vector<std::vector<Measured>>& rounds,
            const char* file) {
    std::string json = "[";
    std::printf(
        "| tiles | 720p30, CPU of the process | ms/frame | rooms per core | encodes/s "
        "|\n|---|---|---|---|---|\n");
    for (std::size_t i = 0; i < cases.size(); ++i) {
        std::vector<double> ms;
        std::vector<double> encodes;
        for (const Measured& measured : rounds[i]) {
            ms.push_back(measured.ms);
            encodes.push_back(measured.encodes);
        }
        const double cost = median(ms);
        const double rooms = 1000.0 / kFramerate / cost;
        std::printf("| %u | %s | %.2f | %.2f | %.0f |\n", cases[i].tiles, cases[i].name.c_str(), cost, rooms,
                    median(encodes));
        char line[256];
        std::snprintf(
            line, sizeof line,
            "%s\n  {\"tiles\": %u, \"case\": \"%s\", \"ms_per_frame\": %.3f, \"rooms_per_core\": %.3f}",
            i == 0 ? "" : ",", cases[i].tiles, cases[i].name.c_str(), cost, rooms);
        json += line;
    }
    if (file != nullptr) {
        std::ofstream(file) << json << "\n]\n";
    }
}

int bench(const char* file) {
    std::vector<Clip> raw(9);
    std::vector<Clip> coded;
    for (unsigned i = 0; i < raw.size(); ++i) {
        for (int number = 0; number < kClip; ++number) {
            raw[i].push_back(raw_frame(i, number));
        }
        coded.push_back(encoded(raw[i]));
    }
    std::vector<Case> cases;
    for (const unsigned tiles : {4U, 9U}) {
        cases.push_back(mixer_case(tiles, 0, false, false));
        cases.push_back(compositor_case(tiles, false));
        cases.push_back(mixer_case(tiles, 1, false, false));
        cases.push_back(compositor_case(tiles, true));
        cases.push_back(mixer_case(tiles, 3, false, false));
        cases.push_back(mixer_case(tiles, tiles, true, false));
        cases.push_back(mixer_case(tiles, 1, false, true));
    }
    std::vector<std::vector<Measured>> rounds(cases.size());
    for (int round = 0; round < kRounds; ++round) {
        for (std::size_t i = 0; i < cases.size(); ++i) {
            rounds[i].push_back(run(cases[i], cases[i].coded ? coded : raw));
            std::fprintf(stderr, "%d: %u tiles, %s: %.2f ms\n", round, cases[i].tiles, cases[i].name.c_str(),
                         rounds[i].back().ms);
        }
    }
    report(cases, rounds, file);
    return 0;
}

}  // namespace
}  // namespace vmr::test

int main(int argc, char** argv) {
    gst_init(&argc, &argv);
    return vmr::test::bench(argc > 1 ? argv[1] : nullptr);
}
