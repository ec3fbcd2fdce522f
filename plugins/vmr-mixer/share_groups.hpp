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

struct StreamId {
    MixId mix = kCommonMix;
    AudioFormat format;
    auto operator<=>(const StreamId&) const = default;
};

struct ShareGroups {
    std::vector<StreamId> streams;     // each distinct one once
    std::vector<std::size_t> members;  // members[i]: the stream of listener i
};

struct Listener {
    unsigned participant;
    AudioFormat format;
};

// Whoever is not in the sum hears the common mix; whoever is hears it without themselves.
// `in_sum` is sorted.
ShareGroups share_groups(std::span<const Listener> listeners, std::span<const unsigned> in_sum);

}  // namespace vmr::mixer
