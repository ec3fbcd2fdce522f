// The element's properties of how RTP is received and voices are treated.
#pragma once
#include <glib-object.h>

#include "settings.hpp"

namespace vmr::mixer {

// Their ids begin where no other property's are.
void install_voice_properties(GObjectClass* klass);
// False: not one of these.
bool set_voice_property(Settings& settings, guint id, const GValue* value);
bool get_voice_property(const Settings& settings, guint id, GValue* value);

}  // namespace vmr::mixer
