#include "rtp_caps.hpp"

#include <cstring>

namespace vmr::mixer {
namespace {

constexpr const char* kAudioLevelUri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
constexpr unsigned kHighestOneByteId = 14;  // RFC 8285 section 4.2

struct NamedCodec {
    const char* name;
    AudioCodec codec;
    int clock_rate;    // Hz, of RTP timestamps
    int sample_rate;   // Hz
    int payload_type;  // RFC 3551 section 6; Opus has none, this one is usual
};
constexpr NamedCodec kCodecs[] = {{"OPUS", AudioCodec::opus, 48000, 48000, 96},
                                  {"PCMU", AudioCodec::mulaw, 8000, 8000, 0},
                                  {"PCMA", AudioCodec::alaw, 8000, 8000, 8},
                                  {"G722", AudioCodec::g722, 8000, 16000, 9}};

// Null: a codec or clock rate that is not ours.
const NamedCodec* named_codec(const GstStructure* structure) {
    const char* name = gst_structure_get_string(structure, "encoding-name");
    for (const NamedCodec& known : kCodecs) {
        int clock_rate = known.clock_rate;
        gst_structure_get_int(structure, "clock-rate", &clock_rate);
        if (g_strcmp0(name, known.name) == 0 && clock_rate == known.clock_rate) {
            return &known;
        }
    }
    return nullptr;
}

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
    const NamedCodec* known = named_codec(structure);
    if (known == nullptr) {
        return std::nullopt;
    }
    RtpLeg::Format format{.codec = known->codec, .level_id = audio_level_id(structure)};
    int payload_type = 0;
    if (gst_structure_get_int(structure, "payload", &payload_type) && payload_type >= 0 &&
        payload_type <= 127) {
        format.payload_type = static_cast<std::uint8_t>(payload_type);
    }
    return format;
}

const char* const kRtpSinkCaps =
    "application/x-rtp, media=(string)audio, encoding-name=(string){OPUS,PCMU,PCMA,G722}";
const char* const kRtpSrcCaps =
    "application/x-rtp, media=(string)audio, encoding-name=(string)OPUS, clock-rate=(int)48000, "
    "payload=(int)[0,127]; "
    "application/x-rtp, media=(string)audio, encoding-name=(string){G722,PCMU,PCMA}, clock-rate=(int)8000, "
    "payload=(int)[0,127]";

void fixate_rtp(GstStructure* structure, const RtpIdentity& identity) {
    gst_structure_fixate_field(structure, "encoding-name");
    if (const NamedCodec* known = named_codec(structure); known != nullptr) {
        gst_structure_fixate_field_nearest_int(structure, "payload", known->payload_type);
    }
    const auto complete = [structure](const char* field, std::uint32_t value) {
        guint given = 0;
        if (!gst_structure_get_uint(structure, field, &given)) {
            gst_structure_set(structure, field, G_TYPE_UINT, value, nullptr);
        }
    };
    complete("ssrc", identity.ssrc);
    complete("timestamp-offset", identity.timestamp_offset);
    complete("seqnum-offset", identity.sequence);
}

std::optional<AudioFormat> rtp_audio_format(const GstCaps* caps) {
    const NamedCodec* known = named_codec(gst_caps_get_structure(caps, 0));
    if (known == nullptr) {
        return std::nullopt;
    }
    return AudioFormat{known->codec, known->sample_rate};
}

RtpStream rtp_stream(const GstCaps* caps, const RtpIdentity& identity) {
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    RtpStream stream{.level_id = audio_level_id(structure), .identity = identity};
    int payload_type = 0;
    gst_structure_get_int(structure, "payload", &payload_type);
    gst_structure_get_int(structure, "clock-rate", &stream.clock_rate);
    stream.payload_type = static_cast<std::uint8_t>(payload_type & 0x7F);
    guint sequence = identity.sequence;
    gst_structure_get_uint(structure, "ssrc", &stream.identity.ssrc);
    gst_structure_get_uint(structure, "timestamp-offset", &stream.identity.timestamp_offset);
    gst_structure_get_uint(structure, "seqnum-offset", &sequence);
    stream.identity.sequence = static_cast<std::uint16_t>(sequence);
    return stream;
}

}  // namespace vmr::mixer
