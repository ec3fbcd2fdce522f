#include "transition.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::mixer {
namespace {

constexpr double kDuration = 0.3;  // s

int between(int from, int to, double way) {
    return static_cast<int>(std::lround(from + (to - from) * way)) & ~1;
}

Rect middle_of(const Rect& place) {
    const int width = std::max(2, (place.width / 2) & ~1);
    const int height = std::max(2, (place.height / 2) & ~1);
    return {place.x + (((place.width - width) / 2) & ~1), place.y + (((place.height - height) / 2) & ~1),
            width, height};
}

}  // namespace

bool Transition::same_targets(std::span<const TileId> ids, std::span<const Rect> targets) const {
    if (ids.size() != moves_.size()) {
        return false;
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto known = moves_.find(ids[i]);
        if (known == moves_.end() || known->second.to != targets[i]) {
            return false;
        }
    }
    return true;
}

Rect Transition::place(const Move& move) const {
    return {between(move.from.x, move.to.x, way_), between(move.from.y, move.to.y, way_),
            std::max(2, between(move.from.width, move.to.width, way_)),
            std::max(2, between(move.from.height, move.to.height, way_))};
}

void Transition::set_out(std::span<const TileId> ids, std::span<const Rect> targets) {
    const bool first = moves_.empty();
    std::map<TileId, Move> moves;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto known = moves_.find(ids[i]);
        const Rect start = first                   ? targets[i]
                           : known == moves_.end() ? middle_of(targets[i])
                                                   : place(known->second);
        moves.emplace(ids[i], Move{start, targets[i]});
    }
    moves_ = std::move(moves);
}

std::vector<Rect> Transition::step(double now, std::span<const TileId> ids, std::span<const Rect> targets) {
    const auto advance = [&] {
        const double linear = std::clamp((now - began_) / kDuration, 0.0, 1.0);
        way_ = linear * linear * (3.0 - 2.0 * linear);
    };
    advance();
    if (!same_targets(ids, targets)) {
        set_out(ids, targets);
        began_ = now;
        advance();
    }
    settled_ = true;
    std::vector<Rect> places;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        places.push_back(place(moves_.at(ids[i])));
        settled_ = settled_ && places.back() == targets[i];
    }
    return places;
}

}  // namespace vmr::mixer
