// Tiles that glide from one place to the next.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "layout.hpp"

namespace vmr::mixer {

struct TileId {
    unsigned participant;
    bool content;
    auto operator<=>(const TileId&) const = default;
};

// Of one view.
class Transition {
public:
    // Where the tiles are at `now` (seconds, never going back) on their way to `targets`: they
    // arrive 0.3 s after these changed. Who is new grows out of the middle of its place; a
    // view's first tiles are in place at once.
    std::vector<Rect> step(double now, std::span<const TileId> ids, std::span<const Rect> targets);
    // Everybody is in place.
    bool settled() const { return settled_; }

private:
    struct Move {
        Rect from, to;
        bool operator==(const Move&) const = default;
    };
    bool same_targets(std::span<const TileId> ids, std::span<const Rect> targets) const;
    void set_out(std::span<const TileId> ids, std::span<const Rect> targets);
    Rect place(const Move& move) const;

    std::map<TileId, Move> moves_;
    double began_ = 0.0;
    double way_ = 1.0;  // how much of it is done, eased
    bool settled_ = true;
};

}  // namespace vmr::mixer
