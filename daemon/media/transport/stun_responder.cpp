#include "daemon/media/transport/stun_responder.hpp"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "srtp/rtp_packet.hpp"

namespace vmr::media {
namespace stun {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kMaxRequest = 548;  // bytes; RFC 8489 section 6.1
constexpr std::uint32_t kCookie = 0x2112a442;
constexpr unsigned kBindingRequest = 0x0001, kBindingSuccess = 0x0101, kBindingError = 0x0111;

enum Attribute : unsigned {
    kUsername = 0x0006,
    kMessageIntegrity = 0x0008,
    kErrorCode = 0x0009,
    kUnknownAttributes = 0x000a,
    kXorMappedAddress = 0x0020,
    kPriority = 0x0024,
    kUseCandidate = 0x0025,
    kFingerprint = 0x8028,
    kIceControlled = 0x8029,
    kIceControlling = 0x802a,
};
constexpr std::size_t kIntegritySize = 20, kFingerprintSize = 4;
constexpr std::uint32_t kFingerprintXor = 0x5354554e;

// CRC-32 of ISO 3309 (RFC 8489 section 14.7).
std::uint32_t crc32(Bytes bytes) {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> made{};
        for (std::uint32_t n = 0; n < 256; ++n) {
            std::uint32_t value = n;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1) != 0 ? 0xedb88320U ^ (value >> 1) : value >> 1;
            }
            made[n] = value;
        }
        return made;
    }();
    std::uint32_t crc = 0xffffffff;
    for (const auto byte : bytes) {
        crc = table[(crc ^ byte) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

using Integrity = std::array<std::uint8_t, kIntegritySize>;

void append16(std::vector<std::uint8_t>& out, unsigned value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}
void append_word(std::vector<std::uint8_t>& out, std::uint32_t value) {
    append16(out, value >> 16);
    append16(out, value & 0xffff);
}
void set_length(std::vector<std::uint8_t>& message, std::size_t length) {
    message[2] = static_cast<std::uint8_t>(length >> 8);
    message[3] = static_cast<std::uint8_t>(length);
}

// Over what stands before the attribute, with a length that ends with it (RFC 8489 section 14.5).
std::optional<Integrity> integrity(Bytes before, const std::string& password) {
    std::vector<std::uint8_t> text(before.begin(), before.end());
    set_length(text, before.size() - kHeader + 4 + kIntegritySize);
    Integrity made{};
    unsigned size = 0;
    if (HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()), text.data(), text.size(),
             made.data(), &size) == nullptr ||
        size != kIntegritySize) {
        return std::nullopt;
    }
    return made;
}

struct Request {
    std::string username;
    std::size_t integrity_at = 0;  // of its attribute; 0: none
    bool fingerprint = false;
    bool nominates = false;
    bool controlled = false;  // the peer thinks that we control
    std::vector<unsigned> unknown;
};

// Of one attribute. False: the message is not to be answered.
bool read_attribute(unsigned type, Bytes value, std::size_t at, Bytes message, Request& request) {
    if (type == kFingerprint) {
        request.fingerprint = true;
        return value.size() == kFingerprintSize && at + 4 + kFingerprintSize == message.size() &&
               read_u32(value.data()) == (crc32(message.first(at)) ^ kFingerprintXor);
    }
    if (request.integrity_at != 0) {
        return true;  // what follows MESSAGE-INTEGRITY and is no fingerprint does not count
    }
    switch (type) {
        case kUsername:
            request.username.assign(value.begin(), value.end());
            return true;
        case kMessageIntegrity:
            request.integrity_at = at;
            return value.size() == kIntegritySize;
        case kUseCandidate:
            request.nominates = true;
            return true;
        case kIceControlled:
            request.controlled = true;
            return true;
        default:
            if (type < 0x8000 && type != kPriority && request.unknown.size() < 8) {
                request.unknown.push_back(type);
            }
            return true;
    }
}

std::optional<Request> read_request(Bytes message) {
    if (!StunResponder::is_stun(message) || message.size() > kMaxRequest ||
        read_u16(message.data()) != kBindingRequest) {
        return std::nullopt;
    }
    Request request;
    for (std::size_t at = kHeader; at < message.size();) {
        if (message.size() - at < 4) {
            return std::nullopt;
        }
        const unsigned type = read_u16(&message[at]);
        const std::size_t size = read_u16(&message[at + 2]);
        const std::size_t padded = (size + 3) / 4 * 4;
        if (message.size() - at - 4 < padded ||
            !read_attribute(type, message.subspan(at + 4, size), at, message, request)) {
            return std::nullopt;
        }
        at += 4 + padded;
    }
    return request;
}

void append_mapped_address(std::vector<std::uint8_t>& out, Bytes transaction, const sockaddr_storage& from) {
    const bool ipv6 = from.ss_family == AF_INET6;
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    append16(out, kXorMappedAddress);
    append16(out, ipv6 ? 20 : 8);
    append16(out, ipv6 ? 2 : 1);
    append16(out, ntohs(ipv6 ? v6.sin6_port : v4.sin_port) ^ (kCookie >> 16));
    const auto* address = ipv6 ? v6.sin6_addr.s6_addr : reinterpret_cast<const std::uint8_t*>(&v4.sin_addr);
    for (std::size_t i = 0; i < (ipv6 ? 16U : 4U); ++i) {  // with the cookie, then the transaction's id
        out.push_back(static_cast<std::uint8_t>(address[i] ^ transaction[i]));
    }
}

void append_error(std::vector<std::uint8_t>& out, unsigned code, const std::vector<unsigned>& unknown) {
    append16(out, kErrorCode);
    append16(out, 4);
    append16(out, 0);
    append16(out, code / 100 << 8 | code % 100);
    if (!unknown.empty()) {
        append16(out, kUnknownAttributes);
        append16(out, static_cast<unsigned>(2 * unknown.size()));
        for (const auto type : unknown) {
            append16(out, type);
        }
        if (unknown.size() % 2 != 0) {
            append16(out, 0);
        }
    }
}

std::string random_text(std::size_t length) {
    // ice-char (RFC 8839 section 5.4) has 64 characters.
    static constexpr char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text(length, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(length)) != 1) {
        throw std::runtime_error("no random numbers");
    }
    std::ranges::transform(text, text.begin(), [](char c) { return characters[c & 63]; });
    return text;
}

}  // namespace
}  // namespace stun

StunResponder::StunResponder() : ufrag_(stun::random_text(8)), password_(stun::random_text(24)) {}

bool StunResponder::is_stun(Bytes datagram) {
    using namespace stun;
    return datagram.size() >= kHeader && datagram[0] < 4 && read_u32(&datagram[4]) == kCookie &&
           read_u16(&datagram[2]) % 4 == 0 && read_u16(&datagram[2]) + kHeader == datagram.size();
}

std::optional<StunResponder::Answer> StunResponder::answer(Bytes datagram, const std::string& peer_ufrag,
                                                           const sockaddr_storage& from) const {
    using namespace stun;
    const auto request = read_request(datagram);
    const std::string username = ufrag_ + ':' + peer_ufrag;
    if (!request || !request->fingerprint || request->integrity_at == 0 ||
        (peer_ufrag.empty() ? !request->username.starts_with(username) : request->username != username)) {
        return std::nullopt;
    }
    const auto expected = integrity(datagram.first(request->integrity_at), password_);
    if (!expected ||
        CRYPTO_memcmp(expected->data(), &datagram[request->integrity_at + 4], kIntegritySize) != 0) {
        return std::nullopt;
    }
    Answer answer;
    // Who is lite never controls (RFC 8445 section 6.1.1); 487 has the peer change its mind
    // (section 7.3.1.1).
    answer.valid = request->unknown.empty() && !request->controlled;
    answer.nominated = answer.valid && request->nominates;
    auto& out = answer.bytes;
    append16(out, answer.valid ? kBindingSuccess : kBindingError);
    append16(out, 0);
    out.insert(out.end(), datagram.begin() + 4, datagram.begin() + kHeader);
    if (answer.valid) {
        append_mapped_address(out, datagram.subspan(4, 16), from);
    } else {
        append_error(out, request->unknown.empty() ? 487 : 420, request->unknown);
    }
    const auto made = integrity(out, password_);
    if (!made) {
        return std::nullopt;
    }
    append16(out, kMessageIntegrity);
    append16(out, kIntegritySize);
    out.insert(out.end(), made->begin(), made->end());
    set_length(out, out.size() - kHeader + 4 + kFingerprintSize);
    const auto crc = crc32(out) ^ kFingerprintXor;
    append16(out, kFingerprint);
    append16(out, kFingerprintSize);
    append_word(out, crc);
    return answer;
}

}  // namespace vmr::media
