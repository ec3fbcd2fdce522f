// Pads of a pipeline that plays. Control thread only.
#pragma once
#include <string>

#include "base/gst_ptr.hpp"

namespace vmr::media {

// Unlinks a src pad and returns when nobody is pushing through it any more. Whoever pushes must not wait for
// the control thread.
void unlink_when_idle(GstPad* source);

// A pad that is there or, on demand, made by that name; throws if the element has none.
PadPtr pad_of(GstElement* element, const char* name);
void link_pads(GstPad* source, GstPad* sink);  // throws

// Leads a pad of an element in `bin` out of it, unless there is a ghost pad of that name already.
void expose(GstElement* bin, const std::string& name, GstPad* target);
// Takes that ghost pad away; nobody may be pushing through it.
void hide(GstElement* bin, const std::string& name);
// Null: there is none.
PadPtr ghost(GstElement* bin, const std::string& name);

}  // namespace vmr::media
