#include "bench/costs/camera.hpp"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace vmr::bench {
namespace {

// What a wave is at each place of a row or a column.
template <typename Wave>
std::vector<double> along(int length, Wave wave) {
    std::vector<double> values(static_cast<std::size_t>(length));
    for (int i = 0; i < length; ++i) {
        values[static_cast<std::size_t>(i)] = wave(i);
    }
    return values;
}

}  // namespace

std::string raw_caps(Size size) {
    return "video/x-raw,format=I420,width=" + std::to_string(size.width) +
           ",height=" + std::to_string(size.height) + ",framerate=" + std::to_string(kFramerate) + "/1";
}

std::string coded_caps(Size size) {
    return "video/x-h264,stream-format=byte-stream,alignment=au,width=" + std::to_string(size.width) +
           ",height=" + std::to_string(size.height);
}

std::string h264_encoder(int kbits, int keyframe_distance) {
    return "x264enc tune=zerolatency speed-preset=superfast bframes=0 threads=1 key-int-max=" +
           std::to_string(keyframe_distance) + " bitrate=" + std::to_string(kbits) +
           " ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au";
}

BufferPtr raw_frame(Size size, unsigned who, int number, int period) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size.luma() * 3 / 2, nullptr);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    std::fill(map.data + size.luma(), map.data + map.size, static_cast<guint8>(118 + 3 * who));
    const double scale = size.width / 640.0;
    const double sway = 12 * scale * std::sin(2 * std::numbers::pi * number / period);
    const auto hair = along(size.width, [&](int x) { return std::sin((x - sway) / 6.0); });
    const auto curl = along(size.height, [](int y) { return std::cos(y / 7.0); });
    const auto wall = along(size.width, [&](int x) { return 15 * std::sin(x / 23.0 + who); });
    const auto paper = along(size.height, [](int y) { return 10 * std::cos(y / 17.0); });
    std::uint32_t noise = who * 7919U + static_cast<std::uint32_t>(number) * 104729U + 1U;
    guint8* at = map.data;
    for (int y = 0; y < size.height; ++y) {
        const auto row = static_cast<std::size_t>(y);
        const double dy = (y - size.height / 2.0) / (130.0 * scale);
        for (int x = 0; x < size.width; ++x) {
            const auto column = static_cast<std::size_t>(x);
            const double dx = (x - size.width / 2.0 - sway) / (90.0 * scale);
            noise = noise * 1664525U + 1013904223U;
            const double texture = dx * dx + dy * dy < 1.0 ? 150 + 25 * hair[column] * curl[row]
                                                           : 90 + wall[column] + paper[row];
            *at++ = static_cast<guint8>(texture + (noise >> 30U));
        }
    }
    gst_buffer_unmap(buffer, &map);
    return BufferPtr::adopt(buffer);
}

Clip encoded(const Clip& raw, Size size, int kbits, int keyframe_distance) {
    const std::string description = "appsrc name=in format=time caps=" + raw_caps(size) + " ! " +
                                    h264_encoder(kbits, keyframe_distance) + " ! appsink name=out sync=false";
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(description.c_str(), nullptr));
    const ElementPtr in = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
    const ElementPtr out = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    Clip clip;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        GstBuffer* buffer = gst_buffer_copy(raw[i].get());
        GST_BUFFER_PTS(buffer) = i * GST_SECOND / kFramerate;
        gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer);
        const auto sample =
            GPtr<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 10 * GST_SECOND));
        if (!sample) {
            throw std::runtime_error("no H.264 encoder");
        }
        BufferPtr frame = BufferPtr::adopt(gst_buffer_copy(gst_sample_get_buffer(sample.get())));
        GST_BUFFER_PTS(frame.get()) = GST_CLOCK_TIME_NONE;
        GST_BUFFER_DTS(frame.get()) = GST_CLOCK_TIME_NONE;
        clip.push_back(std::move(frame));
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    return clip;
}

}  // namespace vmr::bench
