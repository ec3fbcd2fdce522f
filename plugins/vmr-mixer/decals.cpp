#include "decals.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr int kOpaque = 256;

// Whole chroma samples.
Rect even_area(int x, int y, const Overlay& art, int width, int height) {
    const Rect area{std::max(0, x) & ~1, y & ~1, (art.width + 1) & ~1, (art.height + 1) & ~1};
    return {area.x, area.y, std::min(area.width, width - area.x), std::min(area.height, height - area.y)};
}

}  // namespace

const std::vector<Decals::Mark>& Decals::update(const Banners::Shown& banner, Padlock badge, int width,
                                                int height) {
    marks_.clear();
    art_.clear();
    const int inset = height / 40;
    if (badge != badge_) {
        badge_ = badge;
        badge_art_ = badge == Padlock::none ? Overlay{} : draw_badge(badge, height);
    }
    if (badge != Padlock::none) {
        const int x = width - badge_art_.width - inset;
        // Banners count from 1 upwards: the badges' numbers are the highest.
        marks_.push_back(
            {~static_cast<std::uint64_t>(badge), even_area(x, inset, badge_art_, width, height), kOpaque});
        art_.push_back(&badge_art_);
    }
    const int opacity = static_cast<int>(std::lround(banner.opacity * kOpaque));
    if (banner.id != 0 && opacity > 0) {
        if (banner.id != banner_id_) {
            banner_id_ = banner.id;
            banner_ = draw_banner(banner.text, width, height);
        }
        marks_.push_back(
            {banner.id, even_area((width - banner_.width) / 2, inset, banner_, width, height), opacity});
        art_.push_back(&banner_);
    }
    return marks_;
}

void Decals::draw(const Planes& canvas) const {
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        blend(*art_[i], canvas, marks_[i].area.x, marks_[i].area.y, marks_[i].opacity);
    }
}

}  // namespace vmr::mixer
