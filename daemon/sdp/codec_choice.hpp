// Which formats of an m-line we use, and what we say of them.
#pragma once
#include <optional>
#include <vector>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp {

inline constexpr unsigned kH264Baseline = 0x42, kH264Main = 0x4d, kH264High = 0x64;

struct H264Profile {  // RFC 6184 section 8.1
    unsigned profile_idc = 0x42;
    unsigned profile_iop = 0;
    unsigned level_idc = 0x0a;
    unsigned packetization_mode = 0;
    bool level_asymmetry = false;
};
std::optional<H264Profile> h264_profile(const Parameters& fmtp);  // none: malformed, or a profile we refuse

Codec codec_of(const Format& format, MediaKind kind);  // none when it is not one of ours
bool is_telephone_event(const Format& format);

// What the policy takes of a kind, the best first.
std::vector<Codec> codecs_of(MediaKind kind, const Policy& policy);

// The best offered format by our preference, ready for an answer (payload types are the offer's).
std::optional<CodecPlan> choose_codec(const Media& offer, const std::vector<Codec>& preference);
// The telephone-event that goes with the codec's clock; else one at 8000 Hz; none when there is neither.
std::vector<DtmfPlan> choose_dtmf(const Media& offer, const CodecPlan& codec);
// rtx of `pt`, in `media`.
std::optional<std::uint8_t> rtx_for(const Media& media, unsigned pt);

// RED and ULPFEC, where the m-line has both. RED is sent again only where the codec is.
std::optional<FecPlan> choose_fec(const Media& media, bool retransmission);

// What we write for a codec in our own offers.
CodecPlan own_codec(Codec codec, std::uint8_t pt);
// H.264 for who knows one NAL unit a packet only, and for who knows the High profile.
CodecPlan own_h264_single_nal(std::uint8_t pt);
CodecPlan own_h264_high(std::uint8_t pt);
// Whether `format`, of an answer, is what `ours` offered.
bool is_answer_to(const CodecPlan& ours, const Format& format, MediaKind kind);
// What an answer's format says of what we may send.
void take_remote(CodecPlan& plan, const Format& format);
ExtmapPlan choose_extmaps(const Media& media, bool transport_cc);

}  // namespace vmr::sdp
