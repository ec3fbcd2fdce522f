// What is drawn with Cairo and Pango: placeholders, name labels, banners.
#pragma once
#include <string>

#include "icons.hpp"
#include "image.hpp"

namespace vmr::mixer {

// Up to two letters: of the first and the last word.
std::string initials(const std::string& name);

// A whole tile for someone without a camera: a disc with initials.
Overlay draw_placeholder(const std::string& name, int width, int height);

struct LabelText {
    std::string name;
    bool muted = false;
    Padlock padlock = Padlock::none;
    bool operator==(const LabelText&) const = default;
    bool empty() const { return name.empty() && !muted && padlock == Padlock::none; }
};

// For the bottom left corner of a tile: icons and the name, cut where it is too long.
Overlay draw_label(const LabelText& label, int tile_width, int tile_height);

// For the top of a view: one line of text, centred, cut where it is too long.
Overlay draw_banner(const std::string& text, int view_width, int view_height);

// For the top right corner of a view.
Overlay draw_badge(Padlock padlock, int view_height);

}  // namespace vmr::mixer
