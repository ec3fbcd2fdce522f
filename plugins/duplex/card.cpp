#include "plugins/duplex/card.hpp"

#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace vmr::duplex {

namespace {

struct CairoFree {
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};
using CairoPtr = std::unique_ptr<cairo_t, CairoFree>;
using SurfacePtr = std::unique_ptr<cairo_surface_t, CairoFree>;

// Pango's font maps are not thread-safe; one for all, so that fonts are found and loaded once.
struct Fonts {
    std::mutex mutex;
    PangoFontMap* map = pango_cairo_font_map_new();
};
Fonts& fonts() {
    static Fonts instance;
    return instance;
}

// Draws text centred at `middle`; returns its height in pixels.
double draw_text(cairo_t* context, const std::string& text, double size, double width, double top) {
    auto* pango = pango_font_map_create_context(fonts().map);
    auto* layout = pango_layout_new(pango);
    auto* font = pango_font_description_from_string("Sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_width(layout, static_cast<int>(width * 0.88 * PANGO_SCALE));
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    pango_layout_set_text(layout, text.c_str(), static_cast<int>(text.size()));
    int height = 0;
    pango_layout_get_pixel_size(layout, nullptr, &height);
    cairo_move_to(context, width * 0.06, top);
    pango_cairo_show_layout(context, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
    g_object_unref(pango);
    return height;
}

void draw_entry(cairo_t* context, const Card& card, double width, double top, double size) {
    const int shown = std::clamp(std::max(card.entered, card.places), 1, 20);
    const double step = std::min(size * 1.6, width * 0.9 / shown);
    double x = width / 2 - step * (shown - 1) / 2.0;
    for (int i = 0; i < shown; ++i, x += step) {
        cairo_new_path(context);
        cairo_arc(context, x, top + size / 2, step * 0.26, 0, 2 * G_PI);
        if (i < card.entered) {
            cairo_fill(context);
        } else {
            cairo_set_line_width(context, std::max(1.0, size * 0.06));
            cairo_stroke(context);
        }
    }
}

void draw(cairo_t* context, const Card& card, double width, double height) {
    cairo_pattern_t* background = cairo_pattern_create_linear(0, 0, 0, height);
    cairo_pattern_add_color_stop_rgb(background, 0, 0.10, 0.16, 0.24);
    cairo_pattern_add_color_stop_rgb(background, 1, 0.05, 0.08, 0.13);
    cairo_set_source(context, background);
    cairo_paint(context);
    cairo_pattern_destroy(background);

    const double unit = std::min(height, width * 9 / 16);
    double top = height / 2 - unit * (card.entered >= 0 ? 0.30 : 0.18);
    cairo_set_source_rgb(context, 0.96, 0.97, 0.98);
    top += draw_text(context, card.title, unit * 0.09, width, top) + unit * 0.06;
    if (card.entered >= 0) {
        cairo_set_source_rgb(context, 0.42, 0.74, 0.98);
        draw_entry(context, card, width, top, unit * 0.12);
        top += unit * 0.19;
    }
    cairo_set_source_rgb(context, 0.70, 0.75, 0.81);
    draw_text(context, card.detail, unit * 0.052, width, top);
}

// R'G'B' to one component: each of 0 to 255 in, and out; 16 bits behind the point.
struct Weights {
    int r = 0, g = 0, b = 0, offset = 0;

    Weights(double red, double green, double blue, double base)
        : r(fixed(red)), g(fixed(green)), b(fixed(blue)), offset(fixed(base + 0.5)) {}
    std::uint8_t of(std::uint32_t pixel) const {
        const int value = r * static_cast<int>(pixel >> 16 & 0xff) + g * static_cast<int>(pixel >> 8 & 0xff) +
                          b * static_cast<int>(pixel & 0xff) + offset;
        return static_cast<std::uint8_t>(std::clamp(value >> 16, 0, 255));
    }

private:
    static int fixed(double value) { return static_cast<int>(std::lround(value * 65536)); }
};

struct Converter {
    Weights y, cb, cr;

    static Converter of(const GstVideoColorimetry& color) {
        double kr = 0.299, kb = 0.114;
        gst_video_color_matrix_get_Kr_Kb(color.matrix, &kr, &kb);
        const bool full = color.range == GST_VIDEO_COLOR_RANGE_0_255;
        const double kg = 1 - kr - kb, luma = full ? 1 : 219.0 / 255, chroma = full ? 1 : 224.0 / 255;
        const double blue = chroma / (2 * (1 - kb)), red = chroma / (2 * (1 - kr));
        return {{luma * kr, luma * kg, luma * kb, full ? 0.0 : 16.0},
                {-blue * kr, -blue * kg, blue * (1 - kb), 128},
                {red * (1 - kr), -red * kg, -red * kb, 128}};
    }
};

// `pixels` is Cairo's RGB24: 0x00RRGGBB in native order.
void to_i420(const std::uint32_t* pixels, std::size_t stride, GstVideoFrame* frame) {
    const Converter converter = Converter::of(frame->info.colorimetry);
    const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
    auto plane = [&](int component, int row) {
        return static_cast<std::uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(frame, component)) +
               static_cast<std::ptrdiff_t>(row) * GST_VIDEO_FRAME_COMP_STRIDE(frame, component);
    };
    for (int y = 0; y < height; ++y) {
        const std::uint32_t* row = pixels + static_cast<std::size_t>(y) * stride;
        std::uint8_t* luma = plane(0, y);
        for (int x = 0; x < width; ++x) {
            luma[x] = converter.y.of(row[x]);
        }
        if (y % 2 == 0) {  // the picture is smooth: one chroma sample of the four will do
            std::uint8_t *cb = plane(1, y / 2), *cr = plane(2, y / 2);
            for (int x = 0; x < width; x += 2) {
                cb[x / 2] = converter.cb.of(row[x]);
                cr[x / 2] = converter.cr.of(row[x]);
            }
        }
    }
}

bool is_i420(const GstVideoInfo& info) {
    return GST_VIDEO_INFO_FORMAT(&info) == GST_VIDEO_FORMAT_I420 && GST_VIDEO_INFO_WIDTH(&info) > 0 &&
           GST_VIDEO_INFO_HEIGHT(&info) > 0;
}

}  // namespace

BufferPtr draw_card(const Card& card, const GstVideoInfo& info) {
    BufferPtr buffer = black_frame(info);
    if (!buffer) {
        return buffer;
    }
    const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
    const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
    const CairoPtr context(cairo_create(surface.get()));
    {
        const std::lock_guard lock(fonts().mutex);
        draw(context.get(), card, width, height);
    }
    cairo_surface_flush(surface.get());
    const unsigned char* data = cairo_image_surface_get_data(surface.get());
    GstVideoFrame frame;
    if (data != nullptr && gst_video_frame_map(&frame, &info, buffer.get(), GST_MAP_WRITE)) {
        to_i420(reinterpret_cast<const std::uint32_t*>(data),
                static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get())) / 4, &frame);
        gst_video_frame_unmap(&frame);
    }
    return buffer;
}

BufferPtr black_frame(const GstVideoInfo& info) {
    if (!is_i420(info)) {
        return {};
    }
    BufferPtr buffer =
        BufferPtr::adopt(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
    const gsize luma = GST_VIDEO_INFO_PLANE_OFFSET(&info, 1);
    gst_buffer_memset(buffer.get(), 0, 16, luma);
    gst_buffer_memset(buffer.get(), luma, 128, GST_VIDEO_INFO_SIZE(&info) - luma);
    return buffer;
}

}  // namespace vmr::duplex
