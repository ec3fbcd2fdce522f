// A room in a pipeline: sources and appsinks around one vmr-mixer.
#pragma once
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::test {

inline constexpr const char* kAudioCaps = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved";

inline std::string talker(unsigned index, int hertz) {
    return " audiotestsrc is-live=true samplesperbuffer=960 volume=0.2 freq=" + std::to_string(hertz) +
           " ! " + kAudioCaps + " ! m.audio_sink_" + std::to_string(index) + " ";
}

// A solid colour, e.g. 0xffff0000 for red.
inline std::string camera(unsigned index, const char* colour, int width = 320, int height = 180,
                          const char* kind = "video") {
    return std::string(" videotestsrc is-live=true pattern=solid-color foreground-color=") + colour +
           " ! video/x-raw,format=I420,framerate=25/1,width=" + std::to_string(width) +
           ",height=" + std::to_string(height) + " ! m." + kind + "_sink_" + std::to_string(index) + " ";
}

// `pad ! tail ! appsink name=NAME`, tail decodes.
inline std::string listener(const std::string& pad, const std::string& tail, const std::string& name) {
    return " m." + pad + " ! " + tail + " ! appsink name=" + name +
           " sync=false async=false max-buffers=200 drop=true ";
}

class RoomPipeline {
public:
    explicit RoomPipeline(const std::string& description, const std::string& properties = "") {
        static const bool initialised = [] {
            gst_init(nullptr, nullptr);
            // A warning of GStreamer is a bug in how we use it.
            g_log_set_always_fatal(
                static_cast<GLogLevelFlags>(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING));
            std::atexit(gst_deinit);  // the leaks tracer reports there
            return true;
        }();
        (void)initialised;
        GError* problem = nullptr;
        // Amplitudes are compared: they stay as they are unless a test asks otherwise.
        const std::string all = "vmr-mixer name=m level-control=false " + properties + " " + description;
        pipeline_ = ElementPtr::adopt(gst_parse_launch(all.c_str(), &problem));
        EXPECT_EQ(problem, nullptr) << problem->message;
        g_clear_error(&problem);
        mixer_ = element("m");
    }
    ~RoomPipeline() { stop(); }

    void play() {
        ASSERT_NE(gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    }
    void stop() {
        if (pipeline_) {
            gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
        }
    }
    ElementPtr element(const char* name) const {
        return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
    }
    GstElement* mixer() const { return mixer_.get(); }
    GstElement* pipeline() const { return pipeline_.get(); }
    std::uint64_t stat(const char* field) const {
        GstStructure* stats = nullptr;
        g_object_get(mixer_.get(), "stats", &stats, nullptr);
        const StructurePtr owned(stats);
        guint64 value = 0;
        EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
        return value;
    }

    // The next sample of an appsink, within thirty seconds.
    GPtr<GstSample> pull(const char* sink) const {
        const ElementPtr appsink = element(sink);
        return GPtr<GstSample>::adopt(
            gst_app_sink_try_pull_sample(GST_APP_SINK(appsink.get()), 30 * GST_SECOND));
    }
    // `count` S16 samples, after skipping `skip` buffers.
    std::vector<std::int16_t> audio(const char* sink, std::size_t count, int skip) const {
        std::vector<std::int16_t> heard;
        while (heard.size() < count) {
            const auto sample = pull(sink);
            if (!sample) {
                ADD_FAILURE() << "no audio at " << sink;
                break;
            }
            if (skip-- > 0) {
                continue;
            }
            GstMapInfo map;
            gst_buffer_map(gst_sample_get_buffer(sample.get()), &map, GST_MAP_READ);
            const auto* data = reinterpret_cast<const std::int16_t*>(map.data);
            heard.insert(heard.end(), data, data + map.size / 2);
            gst_buffer_unmap(gst_sample_get_buffer(sample.get()), &map);
        }
        return heard;
    }
    struct Pixel {
        int y, u, v;
    };
    static Pixel pixel(GstSample* sample, double x, double y) {
        GstVideoInfo info;
        gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
        GstVideoFrame frame;
        gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ);
        const int column = static_cast<int>(x * info.width);
        const int row = static_cast<int>(y * info.height);
        const auto at = [&](guint plane, int px, int py) {
            return static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(
                &frame, plane))[py * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane) + px];
        };
        const Pixel found{at(0, column, row), at(1, column / 2, row / 2), at(2, column / 2, row / 2)};
        gst_video_frame_unmap(&frame);
        return found;
    }
    // Waits until a picture at `sink` fits, at most thirty seconds.
    bool picture(const char* sink, const std::function<bool(GstSample*)>& fits) const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (std::chrono::steady_clock::now() < deadline) {
            const auto sample = pull(sink);
            if (!sample) {
                return false;
            }
            if (fits(sample.get())) {
                return true;
            }
        }
        return false;
    }

private:
    ElementPtr pipeline_;
    ElementPtr mixer_;
};

inline bool wait_for(const std::function<bool()>& condition,
                     std::chrono::seconds patience = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::yield();
        g_usleep(1000);
    }
    return true;
}

}  // namespace vmr::test
