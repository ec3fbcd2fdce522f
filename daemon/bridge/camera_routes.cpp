#include "daemon/bridge/camera_routes.hpp"

#include <algorithm>

namespace vmr::bridge {

room::ParticipantId CameraRoutes::route(const room::ParticipantId& from, const std::vector<Side>& sides,
                                        Time now) {
    const auto has = [&](const room::ParticipantId& id) {
        return std::ranges::find(sides, id, &Side::id) != sides.end();
    };
    if (!has(from)) {
        return {};
    }
    if (const auto held = holds_.find(from);
        held != holds_.end() && now - held->second.at < kHold && has(held->second.by)) {
        return held->second.by;  // an answer
    }
    const auto spotlight = std::ranges::find(sides, true, &Side::spotlight);
    const Side* target = nullptr;
    if (spotlight != sides.end()) {
        target = spotlight->id == from ? nullptr : &*spotlight;
    } else if (sides.size() == 2) {
        target = &*std::ranges::find_if(sides, [&](const Side& side) { return side.id != from; });
    }
    if (target == nullptr) {
        return {};
    }
    Hold& hold = holds_[target->id];
    if (hold.by != from && !hold.by.empty() && now - hold.at < kHold && has(hold.by)) {
        return {};
    }
    hold = {from, now};
    return target->id;
}

void CameraRoutes::forget(const room::ParticipantId& id) {
    holds_.erase(id);
    std::erase_if(holds_, [&](const auto& held) { return held.second.by == id; });
}

}  // namespace vmr::bridge
