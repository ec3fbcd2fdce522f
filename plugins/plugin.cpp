// libgstvmr.so: registers the four elements of a virtual meeting room.
#include <gst/gst.h>

#include "plugins/vmr-mixer/element.hpp"
#ifdef VMR_HAVE_PIN_IVR
#include "plugins/pin-ivr/element.hpp"
#endif
#ifdef VMR_HAVE_LOBBY_GATE
#include "plugins/lobby-gate/element.hpp"
#endif
#ifdef VMR_HAVE_CDR_TAP
#include "plugins/cdr-tap/element.hpp"
#endif

namespace {

gboolean plugin_init(GstPlugin* plugin) {
    bool registered = vmr::mixer::register_element(plugin);
#ifdef VMR_HAVE_PIN_IVR
    registered = vmr::pin_ivr::register_element(plugin) && registered;
#endif
#ifdef VMR_HAVE_LOBBY_GATE
    registered = vmr::lobby_gate::register_element(plugin) && registered;
#endif
#ifdef VMR_HAVE_CDR_TAP
    registered = vmr::cdr_tap::register_element(plugin) && registered;
#endif
    return registered ? TRUE : FALSE;
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vmr, "Virtual meeting room elements", plugin_init,
                  VMR_VERSION, "LGPL", "vmr", "Unknown package origin")
