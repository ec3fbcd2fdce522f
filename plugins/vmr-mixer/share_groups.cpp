#include "share_groups.hpp"

#include <algorithm>
#include <map>

namespace vmr::mixer {

ShareGroups share_groups(std::span<const Listener> listeners, std::span<const unsigned> in_sum) {
    ShareGroups groups;
    groups.members.reserve(listeners.size());
    std::map<StreamId, std::size_t> known;
    for (const Listener& listener : listeners) {
        const bool summed = std::binary_search(in_sum.begin(), in_sum.end(), listener.participant);
        const StreamId id{summed ? MixId{listener.participant} : kCommonMix, listener.format};
        const auto [found, added] = known.try_emplace(id, groups.streams.size());
        if (added) {
            groups.streams.push_back(id);
        }
        groups.members.push_back(found->second);
    }
    return groups;
}

}  // namespace vmr::mixer
