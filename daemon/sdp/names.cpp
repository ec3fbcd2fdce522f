// The tables: names of protos, directions, suites, codecs.
#include <array>

#include "daemon/sdp/negotiation.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

const char* to_string(Proto proto) {
    switch (proto) {
        case Proto::rtp_avp:
            return "RTP/AVP";
        case Proto::rtp_avpf:
            return "RTP/AVPF";
        case Proto::rtp_savp:
            return "RTP/SAVP";
        case Proto::rtp_savpf:
            return "RTP/SAVPF";
        case Proto::udp_tls_savp:
            return "UDP/TLS/RTP/SAVP";
        case Proto::udp_tls_savpf:
            return "UDP/TLS/RTP/SAVPF";
        case Proto::other:
            break;
    }
    return "other";
}

const char* to_string(Direction direction) {
    switch (direction) {
        case Direction::sendonly:
            return "sendonly";
        case Direction::recvonly:
            return "recvonly";
        case Direction::sendrecv:
            return "sendrecv";
        case Direction::inactive:
            break;
    }
    return "inactive";
}

const char* to_string(Codec codec) {
    switch (codec) {
        case Codec::opus:
            return "opus";
        case Codec::g722:
            return "G722";
        case Codec::pcmu:
            return "PCMU";
        case Codec::pcma:
            return "PCMA";
        case Codec::vp8:
            return "VP8";
        case Codec::h264:
            return "H264";
        case Codec::h224:
            return "H224";
        case Codec::none:
            break;
    }
    return "none";
}

const char* to_string(Refusal::Reason reason) {
    switch (reason) {
        case Refusal::Reason::encryption_required:
            return "encryption_required";
        case Refusal::Reason::no_common_codec:
            return "no_common_codec";
        case Refusal::Reason::malformed:
            break;
    }
    return "malformed";
}

const SuiteInfo& info(CryptoSuite suite) {
    // In the order of CryptoSuite. Key and salt: RFC 4568 6.2 (16+14), RFC 6188 (32+14), RFC 7714 (16+12,
    // 32+12).
    static constexpr std::array<SuiteInfo, 7> table = {{
        {"none", 0, 0},
        {"AES_CM_128_HMAC_SHA1_32", 128, 30},
        {"AES_CM_128_HMAC_SHA1_80", 128, 30},
        {"AEAD_AES_128_GCM", 128, 28},
        {"AES_256_CM_HMAC_SHA1_32", 256, 46},
        {"AES_256_CM_HMAC_SHA1_80", 256, 46},
        {"AEAD_AES_256_GCM", 256, 44},
    }};
    return table.at(static_cast<std::size_t>(suite));
}

CryptoSuite suite_from_name(std::string_view name) {
    constexpr std::array suites = {
        CryptoSuite::aead_aes_256_gcm,        CryptoSuite::aes_256_cm_hmac_sha1_80,
        CryptoSuite::aes_256_cm_hmac_sha1_32, CryptoSuite::aead_aes_128_gcm,
        CryptoSuite::aes_cm_128_hmac_sha1_80, CryptoSuite::aes_cm_128_hmac_sha1_32,
    };
    for (const auto suite : suites) {
        if (text::equals_ignore_case(name, info(suite).name)) {
            return suite;
        }
    }
    // The drafts of RFC 6188, and many clients, had it the other way round.
    if (text::equals_ignore_case(name, "AES_CM_256_HMAC_SHA1_80")) {
        return CryptoSuite::aes_256_cm_hmac_sha1_80;
    }
    if (text::equals_ignore_case(name, "AES_CM_256_HMAC_SHA1_32")) {
        return CryptoSuite::aes_256_cm_hmac_sha1_32;
    }
    return CryptoSuite::none;
}

const std::string* find(const Parameters& parameters, std::string_view name) {
    for (const auto& [key, value] : parameters) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

const Format* Media::format(unsigned pt) const {
    for (const auto& format : formats) {
        if (format.pt == pt) {
            return &format;
        }
    }
    return nullptr;
}

const MediaPlan* Negotiated::find(MediaKind kind, Role role) const {
    for (const auto& plan : media) {
        if (plan.accepted && plan.kind == kind && plan.role == role) {
            return &plan;
        }
    }
    return nullptr;
}

}  // namespace vmr::sdp
