// A number of an element's `stats`.
#pragma once
#include <gst/gst.h>

#include "base/gst_ptr.hpp"

namespace vmr::bench {

inline std::uint64_t stat(GstElement* element, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 value = 0;
    gst_structure_get_uint64(stats, field, &value);
    return value;
}

}  // namespace vmr::bench
