// How long it takes until who comes on stage is seen: cameras that send H.264 without a keyframe until they
// are asked for one, of which one is on stage at a time. Prints JSON, milliseconds.
#include <gst/app/gstappsrc.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>
#include <stdexcept>
#include <thread>

#include "bench/costs/camera.hpp"
#include "bench/process.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr Size kCamera, kRoom{1280, 720};
constexpr int kKbits = 700, kClip = 30;
constexpr int kColours = 12, kFirstColour = 60;  // of a camera's chroma, and from one to the next
constexpr std::size_t kTickSamples = 960;        // 20 ms
constexpr auto kDeadline = std::chrono::seconds(10);

struct Options {
    std::string by = "spotlight";
    unsigned cameras = 9, changes = 20;
    double round_trip_ms = 0;  // between the room and a camera
};

std::string room(const Options& options) {
    std::string text =
        "vmr-mixer name=m framerate=30 transitions=false layout=single "
        "m.video_src_100 ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1 ! "
        "fakesink name=viewer sync=false async=false signal-handoffs=true";
    for (unsigned i = 0; i < options.cameras; ++i) {
        const std::string number = std::to_string(i);
        text += " appsrc is-live=true do-timestamp=true format=time name=v" + number +
                " caps=" + coded_caps(kCamera) + " ! m.video_sink_" + number;
        text += " appsrc is-live=true do-timestamp=true format=time name=a" + number +
                " caps=audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1 ! m.audio_sink_" +
                number;
    }
    return text;
}

int colour_of(unsigned camera) {
    return kFirstColour + kColours * static_cast<int>(camera);
}

// A camera that answers each request for a keyframe after its round trip.
struct Camera {
    Clip clip;
    ElementPtr pictures, sound;
    std::atomic<bool> talks = false;
    std::atomic<unsigned> requests = 0;
    std::mutex mutex;
    std::optional<Clock::time_point> keyframe_due;
    Clock::duration round_trip{};
    std::size_t next = 1;

    static GstPadProbeReturn on_event(GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto& camera = *static_cast<Camera*>(data);
        if (gst_event_has_name(GST_PAD_PROBE_INFO_EVENT(info), "GstForceKeyUnit")) {
            camera.requests++;
            const std::lock_guard lock(camera.mutex);
            camera.keyframe_due = camera.keyframe_due.value_or(Clock::now() + camera.round_trip);
        }
        return GST_PAD_PROBE_OK;
    }
    void send_picture() {
        {
            const std::lock_guard lock(mutex);
            if (keyframe_due && *keyframe_due <= Clock::now()) {
                keyframe_due.reset();
                next = 0;
            }
        }
        gst_app_src_push_buffer(GST_APP_SRC(pictures.get()), gst_buffer_copy(clip[next].get()));
        next = next + 1 == clip.size() ? 1 : next + 1;
    }
    void send_sound(std::uint64_t tick) {
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kTickSamples * 2, nullptr);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        auto* samples = reinterpret_cast<gint16*>(map.data);
        for (std::size_t i = 0; i < kTickSamples; ++i) {
            const double at = static_cast<double>(tick * kTickSamples + i) / 48000;
            const double syllables = 0.6 + 0.4 * std::sin(2 * std::numbers::pi * 4 * at);
            const double voice = std::sin(2 * std::numbers::pi * 220 * at) * syllables;
            samples[i] = static_cast<gint16>(talks ? 8000 * voice : i % 2);
        }
        gst_buffer_unmap(buffer, &map);
        gst_app_src_push_buffer(GST_APP_SRC(sound.get()), buffer);
    }
};

// What the room shows, and since when.
class Viewer {
public:
    static void on_picture(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
        const std::size_t chroma =
            kRoom.luma() + kRoom.luma() / 8 + static_cast<std::size_t>(kRoom.width) / 4;
        guint8 value = 0;
        gst_buffer_extract(buffer, chroma, &value, 1);
        auto& self = *static_cast<Viewer*>(data);
        const std::lock_guard lock(self.mutex_);
        self.colour_ = value;
        self.changed_.notify_all();
    }
    static GstBusSyncReply on_message(GstBus*, GstMessage* message, gpointer data) {
        gint speaker = -1;
        const GstStructure* said = gst_message_get_structure(message);
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && gst_structure_has_name(said, "vmr-stage") &&
            gst_structure_get_int(said, "speaker", &speaker) != FALSE && speaker >= 0) {
            auto& self = *static_cast<Viewer*>(data);
            const std::lock_guard lock(self.mutex_);
            if (self.speaker_ != speaker) {
                self.speaker_ = speaker;
                self.staged_ = Clock::now();
            }
        }
        return GST_BUS_DROP;
    }
    bool wait_for(unsigned camera) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kDeadline, [&] { return std::abs(colour_ - colour_of(camera)) <= 3; });
    }
    std::optional<Clock::time_point> staged(unsigned camera) {
        const std::lock_guard lock(mutex_);
        return speaker_ == static_cast<int>(camera) ? std::optional(staged_) : std::nullopt;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int colour_ = -1, speaker_ = -1;
    Clock::time_point staged_;
};

// The cameras' own clock.
class Feed {
public:
    explicit Feed(std::vector<std::unique_ptr<Camera>>& cameras)
        : thread_([this, &cameras] { run(cameras); }) {}
    ~Feed() {
        stop_ = true;
        thread_.join();
    }

private:
    void run(std::vector<std::unique_ptr<Camera>>& cameras) {
        const auto began = Clock::now();
        for (std::uint64_t picture = 0, sound = 0; !stop_;) {
            const auto picture_at = began + std::chrono::microseconds(1'000'000 * picture / kFramerate);
            const auto sound_at = began + std::chrono::milliseconds(20 * sound);
            std::this_thread::sleep_until(std::min(picture_at, sound_at));
            const bool is_picture = picture_at <= sound_at;
            for (auto& camera : cameras) {
                is_picture ? camera->send_picture() : camera->send_sound(sound);
            }
            ++(is_picture ? picture : sound);
        }
    }
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

std::vector<std::unique_ptr<Camera>> make_cameras(const Options& options, GstElement* pipeline) {
    std::vector<std::unique_ptr<Camera>> cameras;
    for (unsigned i = 0; i < options.cameras; ++i) {
        auto camera = std::make_unique<Camera>();
        Clip raw;
        for (int number = 0; number < kClip; ++number) {
            BufferPtr frame = raw_frame(kCamera, 0, number, kClip);
            gst_buffer_memset(frame.get(), kCamera.luma(), static_cast<guint8>(colour_of(i)),
                              kCamera.luma() / 2);
            raw.push_back(std::move(frame));
        }
        camera->clip = encoded(raw, kCamera, kKbits);
        camera->round_trip = std::chrono::duration_cast<Clock::duration>(Milliseconds(options.round_trip_ms));
        const auto named = [&](const char* kind) {
            const std::string name = kind + std::to_string(i);
            return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline), name.c_str()));
        };
        camera->pictures = named("v");
        camera->sound = named("a");
        const auto pad = PadPtr::adopt(gst_element_get_static_pad(camera->pictures.get(), "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, Camera::on_event, camera.get(),
                          nullptr);
        cameras.push_back(std::move(camera));
    }
    return cameras;
}

void bring_on_stage(const Options& options, std::vector<std::unique_ptr<Camera>>& cameras, GstElement* mixer,
                    unsigned who) {
    if (options.by == "spotlight") {
        g_object_set(mixer, "spotlight", static_cast<gint>(who), nullptr);
        return;
    }
    for (unsigned i = 0; i < cameras.size(); ++i) {
        cameras[i]->talks = i == who;
    }
}

void put(nlohmann::json& result, const std::string& what, const std::vector<double>& times) {
    result[what + "_median_ms"] = percentile(times, 0.5);
    result[what + "_worst_ms"] = percentile(times, 1);
}

nlohmann::json measure(const Options& options, std::vector<std::unique_ptr<Camera>>& cameras,
                       GstElement* mixer, Viewer& viewer) {
    std::vector<double> all, staged;
    std::minstd_rand phase(1);
    for (unsigned change = 0; change <= options.changes; ++change) {
        const unsigned who = change * 4 % options.cameras;
        const auto began = Clock::now();
        bring_on_stage(options, cameras, mixer, who);
        if (!viewer.wait_for(who)) {
            throw std::runtime_error("camera " + std::to_string(who) + " does not come into the picture");
        }
        const auto seen = Clock::now();
        if (change > 0) {  // the first is the room's beginning
            all.push_back(Milliseconds(seen - began).count());
            if (const auto since = viewer.staged(who)) {
                staged.push_back(Milliseconds(seen - *since).count());
            }
        }
        // On stage for a while, and the next change at another phase of the picture clock.
        const auto rest = std::chrono::milliseconds(options.by == "talker" ? 1600 : 250);
        std::this_thread::sleep_for(rest + std::chrono::milliseconds(phase() % 34));
    }
    nlohmann::json result = {{"changes", all.size()}};
    put(result, "seen", all);
    if (staged.size() == all.size()) {
        put(result, "after_stage", staged);
    }
    return result;
}

void run(const Options& options) {
    GError* problem = nullptr;
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(room(options).c_str(), &problem));
    if (problem != nullptr) {
        throw std::runtime_error(problem->message);
    }
    Viewer viewer;
    const auto named = [&](const char* name) {
        return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
    };
    const ElementPtr mixer = named("m"), sink = named("viewer");
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(Viewer::on_picture), &viewer);
    const auto bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
    gst_bus_set_sync_handler(bus.get(), Viewer::on_message, &viewer, nullptr);
    auto cameras = make_cameras(options, pipeline.get());
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    {
        const Feed feed(cameras);
        nlohmann::json result = measure(options, cameras, mixer.get(), viewer);
        unsigned requests = 0;
        for (const auto& camera : cameras) {
            requests += camera->requests;
        }
        result["keyframe_requests"] = requests;
        std::cout << result << std::endl;
    }
    gst_element_set_state(mixer.get(), GST_STATE_NULL);  // before sinks that pause hold its pushes
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace

int main(int count, char** arguments) {
    gst_init(nullptr, nullptr);
    Options options;
    CLI::App app("How long until who comes on stage is seen", "stage-time");
    app.add_option("--by", options.by)->check(CLI::IsMember({"spotlight", "talker"}));
    app.add_option("--cameras", options.cameras)->check(CLI::Range(2, 13));
    app.add_option("--changes", options.changes)->check(CLI::Range(1, 200));
    app.add_option("--round-trip", options.round_trip_ms, "ms, between room and camera")
        ->check(CLI::Range(0, 1000));
    return run_program(app, count, arguments, [&options] { run(options); });
}
