// The caps of the pads, and how a src pad agrees with what is linked to it.
#pragma once
#include <gst/gst.h>

#include <optional>

#include "audio_format.hpp"
#include "base/gst_ptr.hpp"
#include "video_format.hpp"

namespace vmr::mixer {

extern const char* const kVideoSinkCaps;
CapsPtr audio_sink_caps();
CapsPtr audio_src_caps();
extern const char* const kVideoSrcCaps;

// The first of what downstream takes, made definite. Empty caps: nothing fits (yet).
CapsPtr choose_caps(GstPad* src_pad);
std::optional<AudioFormat> audio_format_from(const GstCaps* caps);
std::optional<VideoFormat> video_format_from(const GstCaps* caps);

// Runs on a pushing thread: asks downstream, sends stream-start, caps and segment, and notes the
// format in the pad. On failure the pad has no format and the engine tries again later.
void negotiate(GstPad* src_pad);

// Promises between elements that know each other: docs/elements/vmr-mixer.md. Who answers the first never
// blocks a push; who answers the second takes the event of that name, and pushes what has come meanwhile.
inline constexpr const char* kNonBlocking = "vmr-non-blocking";
inline constexpr const char* kDrain = "vmr-drain";
bool peer_promises(GstPad* pad, const char* what);

}  // namespace vmr::mixer
