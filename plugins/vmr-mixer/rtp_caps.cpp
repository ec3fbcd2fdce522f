#include "rtp_caps.hpp"

#include <cstring>

namespace vmr::mixer {
namespace {

constexpr const char* kAudioLevelUri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
constexpr unsigned kHighestOneByteId = 14;  // RFC 8285 section 4.2

struct NamedCodec {
    const char* name;
    AudioCodec codec;
    int clock_rate;
};
constexpr NamedCodec kCodecs[] = {{"OPUS", AudioCodec::opus, 48000},
                                  {"PCMU", AudioCodec::mulaw, 8000},
                                  {"PCMA", AudioCodec::alaw, 8000},
                                  {"G722", AudioCodec::g722, 8000}};

// extmap-N is a string, or an array of direction, URI and attributes.
bool names_audio_level(const GValue* value) {
    if (G_VALUE_HOLDS_STRING(value)) {
        return g_strcmp0(g_value_get_string(value), kAudioLevelUri) == 0;
    }
    if (!GST_VALUE_HOLDS_ARRAY(value) || gst_value_array_get_size(value) < 2) {
        return false;
    }
    const GValue* uri = gst_value_array_get_value(value, 1);
    return G_VALUE_HOLDS_STRING(uri) && g_strcmp0(g_value_get_string(uri), kAudioLevelUri) == 0;
}

unsigned audio_level_id(const GstStructure* structure) {
    for (unsigned id = 1; id <= kHighestOneByteId; ++id) {
        char field[16];
        g_snprintf(field, sizeof field, "extmap-%u", id);
        const GValue* value = gst_structure_get_value(structure, field);
        if (value != nullptr && names_audio_level(value)) {
            return id;
        }
    }
    return 0;
}

}  // namespace

bool is_rtp(const GstCaps* caps) {
    return gst_structure_has_name(gst_caps_get_structure(caps, 0), "application/x-rtp") != FALSE;
}

std::optional<RtpLeg::Format> rtp_leg_format(const GstCaps* caps) {
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    const char* name = gst_structure_get_string(structure, "encoding-name");
    for (const NamedCodec& known : kCodecs) {
        int clock_rate = known.clock_rate;
        gst_structure_get_int(structure, "clock-rate", &clock_rate);
        if (g_strcmp0(name, known.name) != 0 || clock_rate != known.clock_rate) {
            continue;
        }
        RtpLeg::Format format{.codec = known.codec, .level_id = audio_level_id(structure)};
        int payload_type = 0;
        if (gst_structure_get_int(structure, "payload", &payload_type) && payload_type >= 0 &&
            payload_type <= 127) {
            format.payload_type = static_cast<std::uint8_t>(payload_type);
        }
        return format;
    }
    return std::nullopt;
}

}  // namespace vmr::mixer
