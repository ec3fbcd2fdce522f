#include "icons.hpp"

#include <array>
#include <numbers>

namespace vmr::mixer {
namespace {

struct Colour3 {
    double red, green, blue;
};
constexpr Colour3 kWarning{1.0, 0.42, 0.38};
constexpr Colour3 kSafe{0.55, 0.9, 0.62};

// Icons are drawn on a grid of 24 by 24.
class Grid {
public:
    Grid(cairo_t* context, double x, double y, double size) : context_(context) {
        cairo_save(context);
        cairo_translate(context, x, y);
        cairo_scale(context, size / 24.0, size / 24.0);
        cairo_set_line_width(context, 2.0);
        cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
    }
    ~Grid() { cairo_restore(context_); }
    Grid(const Grid&) = delete;
    Grid& operator=(const Grid&) = delete;

private:
    cairo_t* context_;
};

void ink(cairo_t* context, const Colour3& colour) {
    cairo_set_source_rgb(context, colour.red, colour.green, colour.blue);
}

void line(cairo_t* context, double x1, double y1, double x2, double y2) {
    cairo_move_to(context, x1, y1);
    cairo_line_to(context, x2, y2);
    cairo_stroke(context);
}

// A stroke with a clear rim, so that it reads on top of the icon.
void strike(cairo_t* context) {
    cairo_save(context);
    cairo_set_operator(context, CAIRO_OPERATOR_CLEAR);
    cairo_set_line_width(context, 5.0);
    line(context, 4.5, 4.0, 19.5, 20.0);
    cairo_restore(context);
    line(context, 4.5, 4.0, 19.5, 20.0);
}

void rounded(cairo_t* context, double x, double y, double width, double height, double radius) {
    constexpr double kQuarter = std::numbers::pi / 2;
    cairo_new_sub_path(context);
    cairo_arc(context, x + width - radius, y + radius, radius, -kQuarter, 0);
    cairo_arc(context, x + width - radius, y + height - radius, radius, 0, kQuarter);
    cairo_arc(context, x + radius, y + height - radius, radius, kQuarter, 2 * kQuarter);
    cairo_arc(context, x + radius, y + radius, radius, 2 * kQuarter, 3 * kQuarter);
    cairo_close_path(context);
}

}  // namespace

void draw_struck_microphone(cairo_t* context, double x, double y, double size) {
    const Grid grid(context, x, y, size);
    cairo_push_group(context);
    ink(context, kWarning);
    rounded(context, 9.0, 3.0, 6.0, 11.0, 3.0);
    cairo_fill(context);
    cairo_arc(context, 12.0, 11.0, 6.5, 0.15, std::numbers::pi - 0.15);
    cairo_stroke(context);
    line(context, 12.0, 17.5, 12.0, 21.0);
    line(context, 9.0, 21.0, 15.0, 21.0);
    strike(context);
    cairo_pop_group_to_source(context);
    cairo_paint(context);
}

void draw_padlock(cairo_t* context, Padlock padlock, double x, double y, double size) {
    if (padlock == Padlock::none) {
        return;
    }
    const Grid grid(context, x, y, size);
    cairo_push_group(context);
    ink(context, padlock == Padlock::closed ? kSafe : kWarning);
    rounded(context, 5.0, 10.5, 14.0, 10.5, 2.0);
    cairo_fill(context);
    cairo_move_to(context, 8.0, 10.5);
    cairo_line_to(context, 8.0, 7.5);
    cairo_arc(context, 12.0, 7.5, 4.0, std::numbers::pi, 2 * std::numbers::pi);
    cairo_line_to(context, 16.0, 10.5);
    cairo_stroke(context);
    if (padlock == Padlock::struck) {
        strike(context);
    }
    cairo_pop_group_to_source(context);
    cairo_paint(context);
}

}  // namespace vmr::mixer
