#include "tile_art.hpp"

#include <glib.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <array>
#include <cmath>
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

// A dark pill that light text is readable on, whatever is behind it.
void pill(cairo_t* context, double width, double height) {
    constexpr double kHalfTurn = std::numbers::pi;
    const double radius = height / 2;
    cairo_new_path(context);
    cairo_arc(context, width - radius, radius, radius, -kHalfTurn / 2, kHalfTurn / 2);
    cairo_arc(context, radius, radius, radius, kHalfTurn / 2, 3 * kHalfTurn / 2);
    cairo_close_path(context);
    cairo_set_source_rgba(context, 0.05, 0.06, 0.08, 0.68);
    cairo_fill(context);
}

struct Extent {
    int width = 0, height = 0;
};

Extent measure(const std::string& words, double pixels) {
    Extent extent;
    paint(2, 2, [&](cairo_t* context) {
        pango_layout_get_pixel_size(text(context, words, pixels).get(), &extent.width, &extent.height);
    });
    return extent;
}

// `room`: pixels that the words may take.
void write(cairo_t* context, const std::string& words, double pixels, double x, int height, double room) {
    const Layout layout = text(context, words, pixels);
    pango_layout_set_width(layout.get(), static_cast<int>(std::max(0.0, room) * PANGO_SCALE));
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    Extent extent;
    pango_layout_get_pixel_size(layout.get(), &extent.width, &extent.height);
    cairo_set_source_rgb(context, 1, 1, 1);
    cairo_move_to(context, x, (height - extent.height) / 2.0);
    pango_cairo_show_layout(context, layout.get());
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

Overlay draw_label(const LabelText& label, int tile_width, int tile_height) {
    const int height = std::clamp(tile_height / 9, 14, 40) & ~1;
    const double margin = height * 0.4;
    const double icon = height * 0.72;
    const double step = icon + height * 0.12;
    const int icons = (label.muted ? 1 : 0) + (label.padlock == Padlock::none ? 0 : 1);
    const Extent words = label.name.empty() ? Extent{} : measure(label.name, height * 0.56);
    const double wanted = 2 * margin + icons * step + words.width;
    const int width = std::min(tile_width, static_cast<int>(std::ceil(wanted)) + 1) & ~1;
    return paint(width, height, [&](cairo_t* context) {
        pill(context, width, height);
        double x = margin * 0.8;
        if (label.muted) {
            draw_struck_microphone(context, x, (height - icon) / 2, icon);
            x += step;
        }
        if (label.padlock != Padlock::none) {
            draw_padlock(context, label.padlock, x, (height - icon) / 2, icon);
            x += step;
        }
        x = icons == 0 ? margin : x + margin * 0.2;
        write(context, label.name, height * 0.56, x, height, width - margin - x + 1);
    });
}

Overlay draw_banner(const std::string& words, int view_width, int view_height) {
    const int height = std::clamp(view_height / 14, 16, 72) & ~1;
    const double margin = height * 0.6;
    const int wanted = static_cast<int>(measure(words, height * 0.52).width + 2 * margin) + 2;
    const int width = std::min(view_width * 9 / 10, wanted) & ~1;
    return paint(width, height, [&](cairo_t* context) {
        pill(context, width, height);
        write(context, words, height * 0.52, margin, height, width - 2 * margin + 1);
    });
}

Overlay draw_badge(Padlock padlock, int view_height) {
    const int size = std::clamp(view_height / 14, 16, 72) & ~1;
    return paint(size, size, [&](cairo_t* context) {
        pill(context, size, size);
        draw_padlock(context, padlock, size * 0.18, size * 0.16, size * 0.64);
    });
}

}  // namespace vmr::mixer
