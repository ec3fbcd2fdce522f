// Memories and buffers of ticks that have gone by, filled again once nobody else holds them.
#pragma once
#include <gst/gst.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::mixer {

// Whoever holds the only reference is the only one who can make another.
template <typename Object>
bool nobody_else_has(const GPtr<Object>& object) {
    return GST_MINI_OBJECT_REFCOUNT_VALUE(object.get()) == 1;
}

// Of one thread. What it gives is shared with others, and not to be written to by anybody.
class SpareBuffers {
public:
    GPtr<GstMemory> memory(std::span<const std::uint8_t> bytes);
    BufferPtr buffer(GstMemory* memory);  // without times and flags

private:
    std::vector<GPtr<GstMemory>> memories_;
    std::vector<BufferPtr> buffers_;
    std::size_t next_memory_ = 0, next_buffer_ = 0;
};

}  // namespace vmr::mixer
