#include "share_groups.hpp"

#include <algorithm>

namespace vmr::mixer {

void share_groups(std::span<const Listener> listeners, std::span<const unsigned> in_sum,
                  ShareGroups& groups) {
    groups.streams.clear();
    groups.members.clear();
    groups.members.reserve(listeners.size());
    std::size_t last = 0;  // most listeners are like the one before
    for (const Listener& listener : listeners) {
        const bool summed = std::binary_search(in_sum.begin(), in_sum.end(), listener.participant);
        const StreamId id{summed ? MixId{listener.participant} : kCommonMix, listener.format};
        if (last >= groups.streams.size() || groups.streams[last] != id) {
            const auto found = std::find(groups.streams.begin(), groups.streams.end(), id);
            last = static_cast<std::size_t>(found - groups.streams.begin());
            if (found == groups.streams.end()) {
                groups.streams.push_back(id);
            }
        }
        groups.members.push_back(last);
    }
}

}  // namespace vmr::mixer
