// Octets that belong to somebody else, and the numbers in them in network order. Whoever reads or writes has
// looked that they fit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vmr {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::uint16_t read16(Bytes data, std::size_t at) {
    return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
}
inline std::uint32_t read32(Bytes data, std::size_t at) {
    return static_cast<std::uint32_t>(read16(data, at)) << 16 | read16(data, at + 2);
}
inline void put16(MutableBytes data, std::size_t at, std::uint16_t number) {
    data[at] = static_cast<std::uint8_t>(number >> 8);
    data[at + 1] = static_cast<std::uint8_t>(number);
}
inline void put32(MutableBytes data, std::size_t at, std::uint32_t number) {
    put16(data, at, static_cast<std::uint16_t>(number >> 16));
    put16(data, at + 2, static_cast<std::uint16_t>(number));
}

}  // namespace vmr
