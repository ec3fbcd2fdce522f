#include "daemon/media/session_map.hpp"

#include <algorithm>

#include "daemon/sdp/text.hpp"

namespace vmr::media {
namespace {

std::vector<std::string> feedback_of(const sdp::MediaPlan& plan) {
    std::vector<std::string> feedback;
    const std::pair<bool, const char*> known[] = {{plan.feedback.nack, "nack"},
                                                  {plan.feedback.nack_pli, "nack pli"},
                                                  {plan.feedback.ccm_fir, "ccm fir"},
                                                  {plan.feedback.transport_cc, "transport-cc"}};
    for (const auto& [negotiated, name] : known) {
        if (negotiated) {
            feedback.emplace_back(name);
        }
    }
    return feedback;
}

std::map<unsigned, std::string> extensions_of(const sdp::MediaPlan& plan) {
    std::map<unsigned, std::string> extensions;
    if (plan.extmaps.mid != 0) {
        extensions[plan.extmaps.mid] = sdp::kUriMid;
    }
    if (plan.extmaps.audio_level != 0) {
        extensions[plan.extmaps.audio_level] = sdp::kUriAudioLevel;
    }
    if (plan.extmaps.transport_cc != 0) {
        extensions[plan.extmaps.transport_cc] = sdp::kUriTransportCc;
    }
    return extensions;
}

// Names as GStreamer's caps and RTP depayloaders have them.
const char* encoding_name(sdp::Codec codec) {
    switch (codec) {
        case sdp::Codec::opus:
            return "OPUS";
        case sdp::Codec::g722:
            return "G722";
        case sdp::Codec::pcmu:
            return "PCMU";
        case sdp::Codec::pcma:
            return "PCMA";
        case sdp::Codec::vp8:
            return "VP8";
        case sdp::Codec::h264:
            return "H264";
        case sdp::Codec::h224:
            return "H224";
        case sdp::Codec::none:
            break;
    }
    return "";
}

// As in the names of pipelines/receive-, encode- and pay-<codec>.launch.
std::string description_name(sdp::Codec codec) {
    std::string name = encoding_name(codec);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
}

RtpFormat format_of(const sdp::MediaPlan& plan, const sdp::CodecPlan& codec, uint8_t payload) {
    RtpFormat format;
    format.media = plan.kind == sdp::MediaKind::audio   ? "audio"
                   : plan.kind == sdp::MediaKind::video ? "video"
                                                        : "application";
    format.encoding_name = encoding_name(codec.codec);
    format.payload = payload;
    format.clock_rate = codec.clock_rate;
    format.rtcp_fb = feedback_of(plan);
    format.extmap = extensions_of(plan);
    return format;
}

constexpr std::size_t kMaxParameterSets = 2048;  // characters

// RFC 6184 section 8.1: base64, with commas between the sets. Empty: there are none, or it is not that.
std::string parameter_sets(const sdp::CodecPlan& codec) {
    const auto* sets =
        codec.codec == sdp::Codec::h264 ? sdp::find(codec.remote_fmtp, "sprop-parameter-sets") : nullptr;
    if (sets == nullptr || sets->size() > kMaxParameterSets) {
        return "";
    }
    for (std::string_view rest = *sets; !rest.empty();) {
        const auto bytes = sdp::text::base64_decode(sdp::text::take(rest, ','));
        if (!bytes || bytes->empty()) {
            return "";
        }
    }
    return *sets;
}

RtpFormat received_format(const sdp::MediaPlan& plan, const sdp::CodecPlan& codec) {
    RtpFormat format = format_of(plan, codec, codec.receive_pt);
    if (auto sets = parameter_sets(codec); !sets.empty()) {
        format.fmtp["sprop-parameter-sets"] = std::move(sets);
    }
    return format;
}

RtpFormat sent_format(const sdp::MediaPlan& plan, uint32_t ssrc) {
    RtpFormat format = format_of(plan, plan.codecs.front(), plan.codecs.front().send_pt);
    format.ssrc = ssrc;
    // RFC 6464 asks for a level in every packet: the mix has no single talker's, so none is promised.
    std::erase_if(format.extmap, [](const auto& entry) { return entry.second == sdp::kUriAudioLevel; });
    if (plan.extmaps.mid != 0) {
        format.mid = plan.mid;
    }
    return format;
}

constexpr uint16_t kTricklePort = 9;  // RFC 8840 section 4.1.1

// Priorities: RFC 8445 section 5.1.2.1, of a host with one address.
sdp::Candidate host_candidate(const std::string& address, uint16_t port, unsigned component) {
    sdp::Candidate candidate;
    candidate.foundation = "1";
    candidate.component = component;
    candidate.transport = "udp";
    candidate.priority = (126U << 24) + (65535U << 8) + (256U - component);
    candidate.address = address;
    candidate.port = port;
    candidate.type = "host";
    return candidate;
}

std::string hex_with_colons(const std::vector<uint8_t>& bytes) {
    static const char* digits = "0123456789ABCDEF";
    std::string text;
    for (const uint8_t byte : bytes) {
        if (!text.empty()) {
            text += ':';
        }
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

// RED, ULPFEC and RTX of RED. Of an H.264 picture nothing tells that what was lost behind it was FEC; then
// its loss must be mended, too. And what is sent again must be, with FEC as without.
void add_fec(MediaParams& params, const sdp::MediaPlan& plan) {
    const sdp::FecPlan& fec = *plan.fec;
    FecFormat format{fec.red_receive_pt, fec.ulpfec_receive_pt, {}, {}, plan.extmaps.transport_cc};
    for (const auto& codec : plan.codecs) {
        format.pictures.set(codec.receive_pt);
        format.vp8.set(codec.receive_pt, codec.codec == sdp::Codec::vp8);
    }
    for (const auto& [payload, name] :
         {std::pair(fec.red_receive_pt, "RED"), {fec.ulpfec_receive_pt, "ULPFEC"}}) {
        RtpFormat wire = format_of(plan, plan.codecs.front(), payload);
        wire.encoding_name = name;
        params.receive_caps[payload] = rtp_caps(wire);
    }
    if (fec.rtx_receive_pt) {
        params.rtx[*fec.rtx_receive_pt] = fec.red_receive_pt;
    }
    params.fec = format;
    const auto& sent = plan.codecs.front();
    if (fec.rtx_send_pt ? sent.rtx_send_pt.has_value() : !sent.rtx_send_pt && sent.codec == sdp::Codec::vp8) {
        params.send_fec = {fec.red_send_pt, fec.ulpfec_send_pt, plan.extmaps.transport_cc};
        if (fec.rtx_send_pt) {
            params.send_rtx[*fec.rtx_send_pt] = fec.red_send_pt;
        }
    }
}

}  // namespace

bool has_slot(const sdp::MediaPlan& plan) {
    return plan.kind == sdp::MediaKind::audio || plan.kind == sdp::MediaKind::video;
}

Slot slot_of(const sdp::MediaPlan& plan) {
    if (plan.kind == sdp::MediaKind::audio) {
        return Slot::audio;
    }
    return plan.role == sdp::Role::content ? Slot::content : Slot::video;
}

SrtpSuite srtp_suite(sdp::CryptoSuite suite) {
    switch (suite) {
        case sdp::CryptoSuite::aes_cm_128_hmac_sha1_32:
            return SrtpSuite::aes_cm_128_hmac_sha1_32;
        case sdp::CryptoSuite::aead_aes_128_gcm:
            return SrtpSuite::aead_aes_128_gcm;
        case sdp::CryptoSuite::aes_256_cm_hmac_sha1_32:
            return SrtpSuite::aes_256_cm_hmac_sha1_32;
        case sdp::CryptoSuite::aes_256_cm_hmac_sha1_80:
            return SrtpSuite::aes_256_cm_hmac_sha1_80;
        case sdp::CryptoSuite::aead_aes_256_gcm:
            return SrtpSuite::aead_aes_256_gcm;
        default:
            return SrtpSuite::aes_cm_128_hmac_sha1_80;
    }
}

Result<DtlsParams> dtls_params(const sdp::DtlsPlan& plan) {
    DtlsParams params;
    for (const auto& fingerprint : plan.remote_fingerprints) {
        const std::string value = hex_with_colons(fingerprint.digest);
        if (fingerprint.hash == "sha-256") {
            params.fingerprints.push_back({FingerprintHash::sha256, value});
        } else if (fingerprint.hash == "sha-384") {
            params.fingerprints.push_back({FingerprintHash::sha384, value});
        } else if (fingerprint.hash == "sha-512") {
            params.fingerprints.push_back({FingerprintHash::sha512, value});
        }
    }
    if (params.fingerprints.empty()) {
        return Error{"no fingerprint of SHA-256 or stronger"};
    }
    params.role =
        plan.local_setup == sdp::Setup::active ? DtlsParams::Role::client : DtlsParams::Role::server;
    return params;
}

sdp::Fingerprint sdp_fingerprint(const std::string& value) {
    sdp::Fingerprint fingerprint{"sha-256", {}};
    for (std::size_t i = 0; i + 1 < value.size(); i += 3) {
        fingerprint.digest.push_back(static_cast<uint8_t>(std::stoul(value.substr(i, 2), nullptr, 16)));
    }
    return fingerprint;
}

IceRemote ice_remote(const sdp::IcePlan& plan) {
    IceRemote remote{plan.remote.ufrag, plan.remote.pwd, {}, plan.remote.end_of_candidates};
    for (const auto& candidate : plan.remote.candidates) {
        remote.candidates.push_back(sdp::to_string(candidate));
    }
    return remote;
}

UdpRemote udp_remote(const sdp::TransportPlan& plan) {
    // Who is lite, too, sends no checks.
    const bool checks = plan.ice && !plan.ice->remote.lite;
    return {plan.remote_address,
            plan.remote_port,
            plan.remote_rtcp_port,
            plan.rtcp_mux,
            plan.keying != sdp::KeyManagement::none,
            checks ? plan.ice->remote.ufrag : "",
            sdp::is_unspecified(plan.remote_rtcp_address) ? "" : plan.remote_rtcp_address};
}

void describe_path(const LocalDescription& local, const std::string& address, bool trickle,
                   sdp::LocalTransport& description) {
    description.address = address;
    description.port = local.rtp_port;
    description.rtcp_port = local.rtcp_port;
    description.ice_ufrag = local.ice_ufrag;
    description.ice_pwd = local.ice_password;
    description.end_of_candidates = !local.ice_ufrag.empty() && (local.gathering_done || !trickle);
    for (const auto& text : local.candidates) {
        if (auto candidate = sdp::parse_candidate(text)) {
            description.candidates.push_back(*candidate);
        }
    }
    if (trickle) {
        description.port = description.rtcp_port = kTricklePort;
        return;
    }
    if (local.rtp_port != 0) {
        if (local.ice_lite) {
            description.candidates = {host_candidate(address, local.rtp_port, 1)};
            if (local.rtcp_port != local.rtp_port) {
                description.candidates.push_back(host_candidate(address, local.rtcp_port, 2));
            }
        }
        return;
    }
    // An agent's: the port of its candidate at that address, or of the first, behind a NAT that keeps ports.
    const auto of_family = [&](const sdp::Candidate& candidate) {
        return (candidate.address.find(':') != std::string::npos) == (address.find(':') != std::string::npos);
    };
    auto at = std::ranges::find(description.candidates, address, &sdp::Candidate::address);
    if (at == description.candidates.end()) {
        at = std::ranges::find_if(description.candidates, of_family);
    }
    if (at != description.candidates.end()) {
        description.port = at->port;
        if (at->address != address) {
            description.candidates.push_back(host_candidate(address, at->port, 1));
        }
    }
}

MediaParams media_params(const sdp::MediaPlan& plan, uint32_t ssrc, uint32_t rtx_ssrc) {
    MediaParams params;
    params.index = static_cast<unsigned>(plan.index);
    params.audio = plan.kind == sdp::MediaKind::audio;
    params.data = plan.kind == sdp::MediaKind::camera;
    params.clock_rate = plan.codecs.front().clock_rate;
    params.send_payload = plan.codecs.front().send_pt;
    params.mid = plan.mid;
    params.mid_extmap = plan.extmaps.mid;
    for (const auto& codec : plan.codecs) {
        params.receive_caps[codec.receive_pt] = rtp_caps(received_format(plan, codec));
        if (codec.rtx_receive_pt) {
            params.rtx[*codec.rtx_receive_pt] = codec.receive_pt;
        }
    }
    for (const auto& dtmf : plan.dtmf) {
        RtpFormat format;
        format.media = "audio";
        format.encoding_name = "TELEPHONE-EVENT";
        format.payload = dtmf.receive_pt;
        format.clock_rate = dtmf.clock_rate;
        format.extmap = extensions_of(plan);
        params.receive_caps[dtmf.receive_pt] = rtp_caps(format);
    }
    for (const auto& remote : plan.remote_ssrcs) {
        params.remote_ssrcs.push_back(remote.id);
    }
    params.send_caps = rtp_caps(sent_format(plan, ssrc));
    params.remb = plan.feedback.goog_remb;
    params.tmmbr = plan.feedback.ccm_tmmbr;
    params.send_ssrc = ssrc;
    if (const auto& sent = plan.codecs.front(); sent.rtx_send_pt) {
        params.send_rtx = {{*sent.rtx_send_pt, sent.send_pt}};
        params.send_rtx_ssrc = rtx_ssrc;
    }
    if (plan.fec) {
        add_fec(params, plan);
    }
    return params;
}

SendParams send_params(const sdp::MediaPlan& plan, uint32_t ssrc) {
    SendParams params;
    params.codec = description_name(plan.codecs.front().codec);
    params.rtp_caps = rtp_caps(sent_format(plan, ssrc));
    params.payload = plan.codecs.front().send_pt;
    params.ssrc = ssrc;
    params.bitrate = plan.max_send_bitrate;
    if (plan.kind == sdp::MediaKind::video) {
        const sdp::CodecPlan& sent = plan.codecs.front();
        params.size = largest_picture(sent.limit);
        params.high_profile = sent.high_profile;
        params.single_nal = sent.codec == sdp::Codec::h264 && sent.packetization_mode == 0;
    }
    return params;
}

bool same_picture(const SendParams& one, const SendParams& other) {
    return one.size == other.size && one.high_profile == other.high_profile &&
           one.single_nal == other.single_nal;
}

std::string codec_of(const sdp::MediaPlan& plan, uint8_t payload_type) {
    for (const auto& codec : plan.codecs) {
        if (codec.receive_pt == payload_type) {
            return description_name(codec.codec);
        }
    }
    return "";
}

}  // namespace vmr::media
