// Octets that belong to somebody else.
#pragma once
#include <cstdint>
#include <span>

namespace vmr {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

}  // namespace vmr
