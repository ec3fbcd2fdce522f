// What a room does to a picture: a camera's H.264 into vmr-mixer, layout "single", a viewer's H.264 out, each
// picture compared with the very one that the camera saw. Prints JSON.
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <thread>

#include "bench/process.hpp"
#include "bench/quality/picture.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;

constexpr int kSway = 60;           // frames
constexpr unsigned kSettling = 75;  // frames until a viewer's encoder has found its rate
constexpr GstClockTime kPatience = 2 * GST_SECOND;
constexpr auto kTail = std::chrono::milliseconds(500);  // until the last picture is through

struct Options {
    int width = 1280, height = 720, camera_kbits = 2500, viewer_kbits = 1500;
    unsigned frames = 195;
    Size size() const { return {width, height}; }
};

struct Likeness {
    double mse = 0, ssim = 0, worst = 99;
    unsigned count = 0;

    void add(GstBuffer* seen, GstBuffer* meant, Size size) {
        const double one = luma_mse(seen, meant, size);
        mse += one;
        ssim += luma_ssim(seen, meant, size);
        worst = std::min(worst, luma_psnr(one));
        ++count;
    }
    nlohmann::json json() const {
        const double all = std::max(count, 1U);
        return {{"psnr_db", luma_psnr(mse / all)}, {"ssim", ssim / all}, {"worst_psnr_db", worst}};
    }
};

Clip numbered_clip(const Options& options) {
    Clip clip;
    for (unsigned i = 0; i < options.frames; ++i) {
        clip.push_back(raw_frame(options.size(), 0, static_cast<int>(i), kSway));
        write_number(clip.back().get(), options.size(), i);
    }
    return clip;
}

class Pipeline {
public:
    explicit Pipeline(const std::string& description) {
        GError* problem = nullptr;
        pipeline_ = ElementPtr::adopt(gst_parse_launch(description.c_str(), &problem));
        if (problem != nullptr) {
            throw std::runtime_error(problem->message);
        }
        in_ = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
        out_ = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "out"));
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    }
    ~Pipeline() {
        if (const auto mixer = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "m"))) {
            gst_element_set_state(mixer.get(), GST_STATE_NULL);  // before sinks that pause hold its pushes
        }
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    void push(GstBuffer* buffer) { gst_app_src_push_buffer(GST_APP_SRC(in_.get()), buffer); }
    void end() { gst_app_src_end_of_stream(GST_APP_SRC(in_.get())); }
    // Null: none came within `patience`, or the stream has ended.
    BufferPtr pull(GstClockTime patience) {
        const auto sample =
            GPtr<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out_.get()), patience));
        return sample ? BufferPtr::ref(gst_sample_get_buffer(sample.get())) : BufferPtr();
    }

private:
    ElementPtr pipeline_, in_, out_;
};

const char* const kDecoder =
    " ! h264parse ! avdec_h264 max-threads=1 ! video/x-raw,format=I420 ! appsink name=out sync=false";

Likeness of_camera(const Clip& clip, const Clip& coded, Size size) {
    Pipeline decoder("appsrc name=in format=time caps=" + coded_caps(size) + kDecoder);
    for (const BufferPtr& frame : coded) {
        decoder.push(gst_buffer_copy(frame.get()));
    }
    decoder.end();
    Likeness likeness;
    while (const BufferPtr seen = decoder.pull(kPatience)) {
        if (const auto number = read_number(seen.get(), size);
            number && *number >= kSettling && *number < clip.size()) {
            likeness.add(seen.get(), clip[*number].get(), size);
        }
    }
    return likeness;
}

// What a viewer sees; the room is fed in real time by a thread of its own.
std::vector<BufferPtr> through_room(const Options& options, const Clip& coded) {
    const Size size = options.size();
    const std::string picture =
        "width=" + std::to_string(size.width) + ",height=" + std::to_string(size.height) + ",framerate=30/1";
    Pipeline room("vmr-mixer name=m layout=single framerate=30 transitions=false video-bitrate=" +
                  std::to_string(options.viewer_kbits * 1000) +
                  " appsrc name=in is-live=true do-timestamp=true format=time caps=" + coded_caps(size) +
                  " ! m.video_sink_0 m.video_src_1 ! video/x-h264," + picture + kDecoder);
    std::jthread camera([&room, &coded] {
        const auto began = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < coded.size(); ++i) {
            room.push(gst_buffer_copy(coded[i].get()));
            std::this_thread::sleep_until(began +
                                          std::chrono::microseconds(1'000'000 * (i + 1) / kFramerate));
        }
    });
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(1000 * coded.size() / kFramerate) + kTail;
    std::vector<BufferPtr> seen;
    while (std::chrono::steady_clock::now() < end) {
        if (BufferPtr frame = room.pull(kPatience)) {
            seen.push_back(std::move(frame));
        }
    }
    return seen;
}

void run(const Options& options) {
    const Clip clip = numbered_clip(options);
    const Clip coded = encoded(clip, options.size(), options.camera_kbits, kFramerate);
    const auto seen = through_room(options, coded);
    Likeness likeness;
    std::set<unsigned> numbers;
    unsigned unreadable = 0;
    for (const BufferPtr& frame : seen) {
        const auto number = read_number(frame.get(), options.size());
        if (!number || *number >= clip.size()) {
            ++unreadable;
        } else if (*number >= kSettling && numbers.insert(*number).second) {
            likeness.add(frame.get(), clip[*number].get(), options.size());
        }
    }
    if (likeness.count == 0) {
        throw std::runtime_error("the viewer sees nothing of the camera");
    }
    nlohmann::json result = likeness.json();
    result["camera"] = of_camera(clip, coded, options.size()).json();
    result["shown_per_second"] = static_cast<double>(kFramerate) * static_cast<double>(numbers.size()) /
                                 static_cast<double>(options.frames - kSettling);
    result["unreadable"] = unreadable;
    std::cout << result << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    gst_init(nullptr, nullptr);
    Options options;
    CLI::App app("What a room does to a picture", "picture-quality");
    app.add_option("--width", options.width)->check(CLI::Range(320, 1920));
    app.add_option("--height", options.height)->check(CLI::Range(180, 1080));
    app.add_option("--camera-kbits", options.camera_kbits)->check(CLI::PositiveNumber);
    app.add_option("--viewer-kbits", options.viewer_kbits)->check(CLI::PositiveNumber);
    app.add_option("--frames", options.frames)->check(CLI::Range(kSettling + 1, 1000U));
    return run_program(app, count, arguments, [&options] { run(options); });
}
