// What lies over the tiles of one view: a banner and a badge, drawn by Cairo once and kept.
#pragma once
#include <vector>

#include "banners.hpp"
#include "image.hpp"
#include "layout.hpp"
#include "tile_art.hpp"

namespace vmr::mixer {

class Decals {
public:
    struct Mark {
        std::uint64_t id;  // never the same for two drawings
        Rect area;
        int opacity;  // 1 … 256
        bool operator==(const Mark&) const = default;
    };
    // What is to be seen on a view of this size.
    const std::vector<Mark>& update(const Banners::Shown& banner, Padlock badge, int width, int height);
    void draw(const Planes& canvas) const;

private:
    std::vector<Mark> marks_;
    std::vector<const Overlay*> art_;  // of each mark
    std::uint64_t banner_id_ = 0;
    Overlay banner_;
    Padlock badge_ = Padlock::none;
    Overlay badge_art_;
};

}  // namespace vmr::mixer
