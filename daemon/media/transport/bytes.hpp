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

}  // namespace vmr::media
