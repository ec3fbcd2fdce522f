// Which listeners would receive the same bits.
#pragma once
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "audio_format.hpp"

namespace vmr::mixer {

// The participant that a mix leaves out, or nobody: the common mix.
using MixId = std::int64_t;
inline constexpr MixId kCommonMix = -1;
inline constexpr MixId kNoMix = -2;  // nothing was heard yet

struct StreamId {
    MixId mix = kCommonMix;
    AudioFormat format;
    auto operator<=>(const StreamId&) const = default;
};

struct Listener {
    unsigned participant;
    AudioFormat format;
    StreamId heard{kNoMix, {}};  // last; whoever makes the mixes keeps it up to date
};

struct ShareGroups {
    std::vector<StreamId> streams;     // each distinct one once
    std::vector<std::size_t> members;  // members[i]: the stream of listener i
};

// Whoever is not in the sum hears the common mix; whoever is hears it without themselves.
// `in_sum` is sorted. The memory of `groups` is used again.
void share_groups(std::span<const Listener> listeners, std::span<const unsigned> in_sum, ShareGroups& groups);

}  // namespace vmr::mixer
