#include "daemon/sdp/codec_choice.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "daemon/sdp/picture_limit.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

constexpr unsigned kOwnLevel = 0x1f;  // 3.1: 1280×720 at 30 Hz, in both directions
constexpr const char* kSingleNal = "profile-level-id=42e01f;packetization-mode=0;level-asymmetry-allowed=1";
constexpr const char* kHighProfile = "profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1";

struct CodecEntry {
    Codec codec;
    MediaKind kind;
    const char* encoding;
    std::uint32_t clock_rate;
    unsigned channels;
    const char* fmtp;
};
// opus is always 48000/2 in SDP (RFC 7587 section 7); without stereo=1 the stream is mono.
constexpr std::array<CodecEntry, 7> kCodecs = {{
    {Codec::opus, MediaKind::audio, "opus", 48000, 2, "minptime=10;useinbandfec=1"},
    {Codec::g722, MediaKind::audio, "g722", 8000, 1, ""},
    {Codec::pcmu, MediaKind::audio, "pcmu", 8000, 1, ""},
    {Codec::pcma, MediaKind::audio, "pcma", 8000, 1, ""},
    {Codec::vp8, MediaKind::video, "vp8", 90000, 1, ""},
    {Codec::h264, MediaKind::video, "h264", 90000, 1,
     "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"},
    {Codec::h224, MediaKind::camera, "h224", 4800, 1, ""},
}};

// Larger is better; 0: not usable. Constrained baseline first: the encoder of that is shared by all. To who
// offers Main or High alone we send High, or for Main constrained baseline, which its decoder takes, too
// (H.264 A.2).
unsigned rank(const H264Profile& profile) {
    const unsigned mode = profile.packetization_mode;
    if (profile.profile_idc == kH264Baseline) {
        const unsigned constrained = (profile.profile_iop & 0x40) != 0 ? 1 : 0;
        return 4 + 2 * mode + constrained;
    }
    return 1 + mode;
}

std::string h264_answer(const H264Profile& offered) {
    const unsigned level = offered.level_asymmetry ? kOwnLevel : std::min(offered.level_idc, kOwnLevel);
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "profile-level-id=%02x%02x%02x;packetization-mode=%u%s",
                  offered.profile_idc, offered.profile_iop, level, offered.packetization_mode,
                  offered.level_asymmetry ? ";level-asymmetry-allowed=1" : "");
    return text.data();
}

unsigned rank(const Format& format, Codec codec) {
    if (codec != Codec::h264) {
        return 1;
    }
    const auto profile = h264_profile(format.fmtp);
    return profile ? rank(*profile) : 0;
}

const CodecEntry& entry_of(Codec codec) {
    return *std::find_if(kCodecs.begin(), kCodecs.end(), [&](const auto& e) { return e.codec == codec; });
}

CodecPlan plan_for(const Media& offer, const Format& format, Codec codec) {
    CodecPlan plan;
    plan.codec = codec;
    plan.send_pt = plan.receive_pt = format.pt;
    plan.clock_rate = format.clock_rate;
    plan.channels = format.channels;
    plan.local_fmtp = entry_of(codec).fmtp;
    if (const auto profile = codec == Codec::h264 ? h264_profile(format.fmtp) : std::nullopt) {
        plan.local_fmtp = h264_answer(*profile);
        plan.packetization_mode = profile->packetization_mode;
    }
    take_remote(plan, format);
    if (format.feedback.nack) {
        plan.rtx_send_pt = plan.rtx_receive_pt = rtx_for(offer, format.pt);
    }
    return plan;
}

}  // namespace

std::optional<H264Profile> h264_profile(const Parameters& fmtp) {
    H264Profile profile;
    if (const auto* id = find(fmtp, "profile-level-id")) {
        const auto bytes =
            id->size() == 6
                ? text::hex_decode(id->substr(0, 2) + ':' + id->substr(2, 2) + ':' + id->substr(4), ':')
                : std::nullopt;
        if (!bytes) {
            return std::nullopt;
        }
        profile.profile_idc = bytes->at(0);
        profile.profile_iop = bytes->at(1);
        profile.level_idc = bytes->at(2);
    }
    if (const auto* mode = find(fmtp, "packetization-mode")) {
        const auto number = text::number(*mode, 1);  // 2 (interleaved) is not ours
        if (!number) {
            return std::nullopt;
        }
        profile.packetization_mode = static_cast<unsigned>(*number);
    }
    const auto* asymmetry = find(fmtp, "level-asymmetry-allowed");
    profile.level_asymmetry = asymmetry != nullptr && *asymmetry == "1";
    const auto idc = profile.profile_idc;
    return idc == kH264Baseline || idc == kH264Main || idc == kH264High ? std::optional(profile)
                                                                        : std::nullopt;
}

Codec codec_of(const Format& format, MediaKind kind) {
    for (const auto& entry : kCodecs) {
        if (entry.kind == kind && entry.encoding == format.encoding &&
            entry.clock_rate == format.clock_rate && entry.channels == format.channels) {
            return entry.codec;
        }
    }
    return Codec::none;
}

bool is_telephone_event(const Format& format) {
    return format.encoding == "telephone-event" && (format.clock_rate == 8000 || format.clock_rate == 48000);
}

std::vector<Codec> codecs_of(MediaKind kind, const Policy& policy) {
    return kind == MediaKind::audio   ? policy.audio_codecs
           : kind == MediaKind::video ? policy.video_codecs
                                      : std::vector{Codec::h224};
}

std::optional<CodecPlan> choose_codec(const Media& offer, const std::vector<Codec>& preference) {
    for (const auto codec : preference) {
        const Format* best = nullptr;
        unsigned best_rank = 0;
        for (const auto& format : offer.formats) {
            const unsigned format_rank = codec_of(format, offer.kind) == codec ? rank(format, codec) : 0;
            if (format_rank > best_rank) {
                best = &format;
                best_rank = format_rank;
            }
        }
        if (best != nullptr) {
            return plan_for(offer, *best, codec);
        }
    }
    return std::nullopt;
}

std::vector<DtmfPlan> choose_dtmf(const Media& offer, const CodecPlan& codec) {
    const Format* best = nullptr;
    for (const auto& format : offer.formats) {
        if (!is_telephone_event(format)) {
            continue;
        }
        const bool matches = format.clock_rate == codec.clock_rate;
        if (best == nullptr || (matches && best->clock_rate != codec.clock_rate)) {
            best = &format;
        }
    }
    if (best == nullptr) {
        return {};
    }
    return {{best->pt, best->pt, best->clock_rate}};
}

std::optional<std::uint8_t> rtx_for(const Media& media, unsigned pt) {
    for (const auto& format : media.formats) {
        const auto* apt = format.encoding == "rtx" ? find(format.fmtp, "apt") : nullptr;
        if (apt != nullptr && format.clock_rate == 90000 &&
            text::number(*apt, 127) == std::optional<std::uint64_t>(pt)) {
            return format.pt;
        }
    }
    return std::nullopt;
}

std::optional<FecPlan> choose_fec(const Media& media, bool retransmission) {
    const auto payload_type = [&](const char* encoding) -> std::optional<std::uint8_t> {
        const auto found = std::ranges::find_if(media.formats, [&](const Format& format) {
            return format.encoding == encoding && format.clock_rate == 90000;
        });
        return found == media.formats.end() ? std::nullopt : std::optional(found->pt);
    };
    const auto red = payload_type("red"), ulpfec = payload_type("ulpfec");
    if (media.kind != MediaKind::video || !red || !ulpfec) {
        return std::nullopt;
    }
    const auto rtx = retransmission ? rtx_for(media, *red) : std::nullopt;
    return FecPlan{*red, *red, *ulpfec, *ulpfec, rtx, rtx};
}

CodecPlan own_codec(Codec codec, std::uint8_t pt) {
    const auto& entry = entry_of(codec);
    CodecPlan plan;
    plan.codec = codec;
    plan.send_pt = plan.receive_pt = pt;
    plan.clock_rate = entry.clock_rate;
    plan.channels = entry.channels;
    plan.local_fmtp = entry.fmtp;
    plan.packetization_mode = codec == Codec::h264 ? 1 : 0;
    return plan;
}

CodecPlan own_h264_single_nal(std::uint8_t pt) {
    CodecPlan plan = own_codec(Codec::h264, pt);
    plan.local_fmtp = kSingleNal;
    plan.packetization_mode = 0;
    return plan;
}

CodecPlan own_h264_high(std::uint8_t pt) {
    CodecPlan plan = own_codec(Codec::h264, pt);
    plan.local_fmtp = kHighProfile;
    plan.high_profile = true;
    return plan;
}

bool is_answer_to(const CodecPlan& ours, const Format& format, MediaKind kind) {
    if (codec_of(format, kind) != ours.codec || ours.codec != Codec::h264) {
        return codec_of(format, kind) == ours.codec;
    }
    const auto profile = h264_profile(format.fmtp);
    return profile && profile->packetization_mode == ours.packetization_mode &&
           (profile->profile_idc == kH264High) == ours.high_profile;
}

void take_remote(CodecPlan& plan, const Format& format) {
    plan.remote_fmtp = format.fmtp;
    plan.remote_fmtp_text = format.fmtp_text;
    const auto profile = plan.codec == Codec::h264 ? h264_profile(format.fmtp) : std::nullopt;
    if (profile) {
        plan.high_profile = profile->profile_idc == kH264High;
        plan.limit = h264_limit(format.fmtp, *profile, kOwnLevel);
    } else if (plan.codec == Codec::vp8) {
        plan.limit = vp8_limit(format.fmtp);
    }
}

ExtmapPlan choose_extmaps(const Media& media, bool transport_cc) {
    ExtmapPlan plan;
    for (const auto& extmap : media.extmaps) {
        if (extmap.id < 1 || extmap.id > 14) {  // one-byte headers only (RFC 8285 section 4.2)
            continue;
        }
        if (extmap.uri == kUriMid) {
            plan.mid = extmap.id;
        } else if (extmap.uri == kUriAudioLevel && media.kind == MediaKind::audio) {
            plan.audio_level = extmap.id;
        } else if (extmap.uri == kUriTransportCc && transport_cc) {
            plan.transport_cc = extmap.id;
        }
    }
    return plan;
}

}  // namespace vmr::sdp
