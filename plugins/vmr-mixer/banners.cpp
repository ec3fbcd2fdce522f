#include "banners.hpp"

#include <algorithm>

#include "clean_text.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kLongest = 120;  // characters
constexpr std::size_t kMost = 5;       // the shown one and four that wait
constexpr double kShortestTime = 0.5;  // s
constexpr double kLongestTime = 60.0;  // s
constexpr double kFadeTime = 0.25;     // s, at either end

}  // namespace

void Banners::add(const char* text, double seconds) {
    std::string clean = clean_text(text, kLongest);
    if (clean.empty()) {
        return;
    }
    const std::lock_guard held(lock_);
    if (banners_.size() >= kMost) {
        banners_.erase(banners_.begin() + 1);
    }
    banners_.push_back(
        {++last_id_, std::move(clean), std::clamp(seconds, kShortestTime, kLongestTime), -1.0});
}

Banners::Shown Banners::at(double now) {
    const std::lock_guard held(lock_);
    if (!banners_.empty() && banners_.front().began >= 0.0 &&
        now >= banners_.front().began + banners_.front().seconds) {
        banners_.pop_front();
    }
    if (banners_.empty()) {
        return {};
    }
    Banner& banner = banners_.front();
    if (banner.began < 0.0) {
        banner.began = now;
    }
    const double left = banner.began + banner.seconds - now;
    return {banner.id, banner.text, std::clamp(std::min(now - banner.began, left) / kFadeTime, 0.0, 1.0)};
}

void Banners::clear() {
    const std::lock_guard held(lock_);
    banners_.clear();
}

}  // namespace vmr::mixer
