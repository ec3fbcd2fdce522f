// libgstvmr.so: the entry point that GStreamer looks for.
#include <gst/gst.h>

#include "plugins/cdr-tap/element.hpp"
#include "plugins/lobby-gate/element.hpp"
#include "plugins/pin-ivr/element.hpp"
#include "plugins/rtp-io/element.hpp"
#include "plugins/vmr-mixer/element.hpp"

namespace {

gboolean plugin_init(GstPlugin* plugin) {
    return vmr::cdr_tap::register_element(plugin) && vmr::lobby_gate::register_element(plugin) &&
           vmr::pin_ivr::register_element(plugin) && vmr::rtp_io::register_element(plugin) &&
           vmr::mixer::register_element(plugin);
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vmr, "Elements of a virtual meeting room",
                  plugin_init, VMR_VERSION, "LGPL", "vmr", "https://vmr.invalid/")
