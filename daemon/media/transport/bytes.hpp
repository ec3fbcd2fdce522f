// Numbers in network order.
#pragma once
#include <cstdint>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

inline uint16_t read16(Bytes data, size_t at) {
    return static_cast<uint16_t>(data[at] << 8 | data[at + 1]);
}
inline uint32_t read32(Bytes data, size_t at) {
    return static_cast<uint32_t>(read16(data, at)) << 16 | read16(data, at + 2);
}
inline void put16(std::span<uint8_t> data, size_t at, uint16_t number) {
    data[at] = static_cast<uint8_t>(number >> 8);
    data[at + 1] = static_cast<uint8_t>(number);
}
inline void put32(std::span<uint8_t> data, size_t at, uint32_t number) {
    put16(data, at, static_cast<uint16_t>(number >> 16));
    put16(data, at + 2, static_cast<uint16_t>(number));
}

}  // namespace vmr::media
