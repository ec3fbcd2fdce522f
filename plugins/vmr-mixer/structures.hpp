// Lists inside GstStructures.
#pragma once
#include <gst/gst.h>

#include <span>

namespace vmr::mixer {

// A GstValueArray of guint, and of gdouble.
void set_participants(GstStructure* structure, const char* field, std::span<const unsigned> participants);
void set_doubles(GstStructure* structure, const char* field, std::span<const double> values);

}  // namespace vmr::mixer
