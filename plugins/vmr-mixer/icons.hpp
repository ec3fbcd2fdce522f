// The small pictures on tiles, as Cairo paths.
#pragma once
#include <cairo.h>

namespace vmr::mixer {

// How a participant's media travel.
enum class Padlock { none, closed, struck };

// Each fills a square of `size` pixels at x, y.
void draw_struck_microphone(cairo_t* context, double x, double y, double size);
// Closed, or open and struck through: somebody's media is not encrypted.
void draw_padlock(cairo_t* context, Padlock padlock, double x, double y, double size);

}  // namespace vmr::mixer
