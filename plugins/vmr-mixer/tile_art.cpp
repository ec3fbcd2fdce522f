#include "tile_art.hpp"

#include <glib.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <numbers>
#include <utility>

namespace vmr::mixer {
namespace {

struct CairoFree {
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, CairoFree>;
using Context = std::unique_ptr<cairo_t, CairoFree>;
struct ObjectFree {
    void operator()(PangoLayout* layout) const noexcept { g_object_unref(layout); }
};
using Layout = std::unique_ptr<PangoLayout, ObjectFree>;

Overlay paint(int width, int height, const std::function<void(cairo_t*)>& draw) {
    Overlay overlay{width, height, cairo_format_stride_for_width(CAIRO_FORMAT_ARGB32, width), {}};
    overlay.bgra.resize(static_cast<std::size_t>(overlay.stride) * static_cast<std::size_t>(height));
    const Surface surface(cairo_image_surface_create_for_data(overlay.bgra.data(), CAIRO_FORMAT_ARGB32, width,
                                                              height, overlay.stride));
    const Context context(cairo_create(surface.get()));
    draw(context.get());
    cairo_surface_flush(surface.get());
    return overlay;
}

Layout text(cairo_t* context, const std::string& words, double pixels) {
    Layout layout(pango_cairo_create_layout(context));
    PangoFontDescription* font = pango_font_description_from_string("Sans");
    pango_font_description_set_absolute_size(font, pixels * PANGO_SCALE);
    pango_layout_set_font_description(layout.get(), font);
    pango_font_description_free(font);
    pango_layout_set_text(layout.get(), words.c_str(), -1);
    return layout;
}

void draw_struck_microphone(cairo_t* context, double x, double size) {
    cairo_set_source_rgb(context, 1.0, 0.45, 0.4);
    cairo_set_line_width(context, std::max(1.0, size / 10));
    cairo_rectangle(context, x + size * 0.38, size * 0.18, size * 0.24, size * 0.36);
    cairo_fill(context);
    cairo_arc(context, x + size * 0.5, size * 0.48, size * 0.24, 0, std::numbers::pi);
    cairo_move_to(context, x + size * 0.5, size * 0.72);
    cairo_line_to(context, x + size * 0.5, size * 0.86);
    cairo_move_to(context, x + size * 0.2, size * 0.14);
    cairo_line_to(context, x + size * 0.82, size * 0.86);
    cairo_stroke(context);
}

}  // namespace

std::string initials(const std::string& name) {
    std::string letters;
    gunichar first = 0;
    gunichar last = 0;
    bool at_word = true;
    for (const char* at = name.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar letter = g_utf8_get_char(at);
        if (g_unichar_isalnum(letter) == FALSE) {
            at_word = true;
            continue;
        }
        if (std::exchange(at_word, false)) {
            (first == 0 ? first : last) = g_unichar_toupper(letter);
        }
    }
    for (const gunichar letter : {first, last}) {
        if (letter != 0) {
            std::array<char, 6> bytes{};
            letters.append(bytes.data(), static_cast<std::size_t>(g_unichar_to_utf8(letter, bytes.data())));
        }
    }
    return letters.empty() ? "?" : letters;
}

Overlay draw_placeholder(const std::string& name, int width, int height) {
    return paint(width, height, [&](cairo_t* context) {
        cairo_set_source_rgb(context, 0.13, 0.15, 0.18);
        cairo_paint(context);
        static constexpr std::array<std::array<double, 3>, 6> kDiscs{{{0.23, 0.45, 0.69},
                                                                      {0.55, 0.35, 0.64},
                                                                      {0.18, 0.53, 0.45},
                                                                      {0.70, 0.38, 0.26},
                                                                      {0.40, 0.47, 0.20},
                                                                      {0.62, 0.28, 0.42}}};
        const auto& disc = kDiscs[std::hash<std::string>{}(name) % kDiscs.size()];
        const double radius = std::min(width, height) * 0.28;
        cairo_set_source_rgb(context, disc[0], disc[1], disc[2]);
        cairo_arc(context, width / 2.0, height / 2.0, radius, 0, 2 * std::numbers::pi);
        cairo_fill(context);
        const Layout letters = text(context, initials(name), radius * 0.8);
        int text_width = 0;
        int text_height = 0;
        pango_layout_get_pixel_size(letters.get(), &text_width, &text_height);
        cairo_set_source_rgb(context, 1, 1, 1);
        cairo_move_to(context, (width - text_width) / 2.0, (height - text_height) / 2.0);
        pango_cairo_show_layout(context, letters.get());
    });
}

Overlay draw_label(const std::string& name, bool muted, int tile_width, int tile_height) {
    const int height = std::clamp(tile_height / 9, 14, 40) & ~1;
    const double icon = muted ? height : 0.0;
    const double margin = height * 0.35;
    int text_width = 0;
    int text_height = 0;
    paint(2, 2, [&](cairo_t* context) {
        pango_layout_get_pixel_size(text(context, name, height * 0.6).get(), &text_width, &text_height);
    });
    const int width = std::min(tile_width, static_cast<int>(text_width + icon + 2 * margin) + 1) & ~1;
    return paint(width, height, [&](cairo_t* context) {
        cairo_set_source_rgba(context, 0, 0, 0, 0.55);
        cairo_paint(context);
        if (muted) {
            draw_struck_microphone(context, 0, height);
        }
        const Layout words = text(context, name, height * 0.6);
        pango_layout_set_width(words.get(), static_cast<int>((width - icon - margin) * PANGO_SCALE));
        pango_layout_set_ellipsize(words.get(), PANGO_ELLIPSIZE_END);
        cairo_set_source_rgb(context, 1, 1, 1);
        cairo_move_to(context, icon + margin, (height - text_height) / 2.0);
        pango_cairo_show_layout(context, words.get());
    });
}

}  // namespace vmr::mixer
