// The pads of vmr-rtp-io: one GObject type, with the properties of the leg that the pad belongs to.
#pragma once
#include <gst/gst.h>

#include <memory>

#include "leg.hpp"

namespace vmr::rtp_io {

struct PadState {
    std::shared_ptr<Leg> leg;
    DatagramKind kind = DatagramKind::rtp;
    bool ended = false;  // EOS came into this sink pad; guarded by the element
};

PadState& state_of(GstPad* pad);
GstPad* new_pad(GstPadTemplate* templ, const char* name, std::shared_ptr<Leg> leg, DatagramKind kind);
void add_pad_templates(GstElementClass* klass);
GType srtp_suite_type();

// These two are with the element, which knows its RtpIo.
void attach_callbacks(GstPad* pad);
// When `local-port` has changed: the socket follows.
void rebind_leg(GstElement* element, const std::shared_ptr<Leg>& leg);

}  // namespace vmr::rtp_io
