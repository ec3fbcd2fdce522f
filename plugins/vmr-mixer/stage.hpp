// Who is shown, in which order, and who sees which picture.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "layout.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

// Follows the speaker without flicker: a challenger must have talked loudest for 0.36 s, and clearly
// louder than a speaker who goes on talking (0.25 s when the speaker is silent); a speaker stays at
// least 1.5 s. So whoever talks alone is on stage within half a second,
// the detector's 60 ms of voice, a tick and a picture included.
class ActiveSpeaker {
public:
    struct Candidate {
        unsigned participant;
        bool talking;
        double loudness_db;
    };
    // `now` in seconds, never going back. Empty candidates: nobody.
    std::optional<unsigned> update(double now, std::span<const Candidate> candidates);

private:
    bool outlasted(double now, bool speaker_talks) const;

    std::optional<unsigned> speaker_;
    double since_ = 0.0;
    std::optional<unsigned> challenger_;
    double challenged_ = 0.0;
};

// The order of the room: who holds the first place, then who spoke last, then who came first.
class Stage {
public:
    // `first`: spotlight or speaker. Participants who are not in `present` are forgotten.
    void update(std::span<const unsigned> present, std::optional<unsigned> first);
    // Who a picture for `without` (kCommonView: nobody left out) shows, tile by tile.
    std::vector<unsigned> tiles(LayoutKind layout, ViewId without, std::size_t capacity) const;
    const std::vector<unsigned>& order() const { return order_; }

private:
    std::vector<unsigned> order_;
};

// The view of each viewer: the first `max_views` participants on stage get one without
// themselves; everybody else, and who is not on stage, shares the common view.
std::map<unsigned, ViewId> plan_views(const Stage& stage, std::size_t capacity, std::size_t max_views,
                                      std::span<const unsigned> viewers);

}  // namespace vmr::mixer
