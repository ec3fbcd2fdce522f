#include "spare_buffers.hpp"

#include <algorithm>
#include <cstring>

namespace vmr::mixer {
namespace {

constexpr std::size_t kMost = 64;     // kept of each
constexpr std::size_t kBytes = 2048;  // a raw tick of 20 ms has 1920

// The one that was given out longest ago is the first to come back. Null: none is free.
template <typename Object>
GPtr<Object>* free_one(std::vector<GPtr<Object>>& kept, std::size_t& next) {
    for (std::size_t i = 0; i < kept.size(); ++i) {
        GPtr<Object>& each = kept[(next + i) % kept.size()];
        if (nobody_else_has(each)) {
            next = (next + i + 1) % kept.size();
            return &each;
        }
    }
    return nullptr;
}

template <typename Object>
void keep(std::vector<GPtr<Object>>& kept, const GPtr<Object>& fresh) {
    if (kept.size() < kMost) {
        kept.push_back(fresh);
    }
}

}  // namespace

GPtr<GstMemory> SpareBuffers::memory(std::span<const std::uint8_t> bytes) {
    GPtr<GstMemory> memory;
    if (GPtr<GstMemory>* spare = bytes.size() <= kBytes ? free_one(memories_, next_memory_) : nullptr) {
        memory = *spare;
    } else {
        memory =
            GPtr<GstMemory>::adopt(gst_allocator_alloc(nullptr, std::max(kBytes, bytes.size()), nullptr));
        keep(memories_, memory);
    }
    gst_memory_resize(memory.get(), 0, bytes.size());
    GstMapInfo map;
    if (gst_memory_map(memory.get(), &map, GST_MAP_WRITE) != FALSE) {
        std::memcpy(map.data, bytes.data(), bytes.size());
        gst_memory_unmap(memory.get(), &map);
    }
    return memory;
}

BufferPtr SpareBuffers::buffer(GstMemory* memory) {
    if (BufferPtr* spare = free_one(buffers_, next_buffer_)) {
        gst_buffer_replace_memory(spare->get(), 0, gst_memory_ref(memory));
        GST_BUFFER_FLAGS(spare->get()) = 0;
        return *spare;
    }
    const BufferPtr fresh = BufferPtr::adopt(gst_buffer_new());
    gst_buffer_append_memory(fresh.get(), gst_memory_ref(memory));
    keep(buffers_, fresh);
    return fresh;
}

}  // namespace vmr::mixer
