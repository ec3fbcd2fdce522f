#include "daemon/stun/message.hpp"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>

#include <array>
#include <optional>

namespace vmr::stun {
namespace {

constexpr std::uint32_t kCookie = 0x2112a442;
constexpr std::size_t kTransactionAt = 4, kTransactionSize = 16;  // with the cookie, as addresses are masked
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

void set_length(MutableBytes message, std::size_t length) {
    put16(message, 2, static_cast<std::uint16_t>(length));
}

using Integrity = std::array<std::uint8_t, kIntegritySize>;

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

}  // namespace

bool has_header(Bytes datagram) {
    return datagram.size() >= kHeader && datagram[0] < 0x40 && read32(datagram, 4) == kCookie;
}

bool is_message(Bytes datagram) {
    return has_header(datagram) && read16(datagram, 2) % 4 == 0 &&
           read16(datagram, 2) + kHeader == datagram.size();
}

bool is_binding_request(Bytes datagram) {
    return is_message(datagram) && datagram.size() <= kMaxRequest &&
           read16(datagram, 0) == static_cast<std::uint16_t>(Type::binding_request);
}

bool fingerprint_fits(Bytes message, const Attribute& fingerprint) {
    return fingerprint.value.size() == kFingerprintSize &&
           fingerprint.at + 4 + kFingerprintSize == message.size() &&
           read32(fingerprint.value, 0) == (crc32(message.first(fingerprint.at)) ^ kFingerprintXor);
}

bool integrity_fits(Bytes message, std::size_t integrity_at, const std::string& password) {
    const auto expected = integrity(message.first(integrity_at), password);
    return expected && message.size() - integrity_at >= 4 + kIntegritySize &&
           CRYPTO_memcmp(expected->data(), &message[integrity_at + 4], kIntegritySize) == 0;
}

Writer::Writer(Type type, Bytes request) {
    append16(static_cast<unsigned>(type));
    append16(0);
    append(request.subspan(kTransactionAt, kTransactionSize));
}

void Writer::add_mapped_address(const sockaddr_storage& source) {
    const bool ipv6 = source.ss_family == AF_INET6;
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(source);
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(source);
    const std::size_t size = ipv6 ? 16 : 4;
    begin(kXorMappedAddress, 4 + size);
    append16(ipv6 ? 2 : 1);
    append16(ntohs(ipv6 ? v6.sin6_port : v4.sin_port) ^ (kCookie >> 16));
    const auto* address = ipv6 ? v6.sin6_addr.s6_addr : reinterpret_cast<const std::uint8_t*>(&v4.sin_addr);
    for (std::size_t i = 0; i < size; ++i) {
        bytes_.push_back(static_cast<std::uint8_t>(address[i] ^ bytes_[kTransactionAt + i]));
    }
}

void Writer::add_error(unsigned code) {
    begin(kErrorCode, 4);
    append16(0);
    append16(code / 100 << 8 | code % 100);
}

void Writer::add_unknown(const std::vector<std::uint16_t>& types) {
    begin(kUnknownAttributes, 2 * types.size());
    for (const auto type : types) {
        append16(type);
    }
    if (types.size() % 2 != 0) {
        append16(0);
        set_length(bytes_, bytes_.size() - kHeader);
    }
}

bool Writer::add_integrity(const std::string& password) {
    const auto made = integrity(bytes_, password);
    if (made) {
        begin(kMessageIntegrity, kIntegritySize);
        append(*made);
    }
    return made.has_value();
}

void Writer::add_fingerprint() {
    begin(kFingerprint, kFingerprintSize);
    const std::uint32_t crc = crc32(Bytes(bytes_).first(bytes_.size() - 4)) ^ kFingerprintXor;
    append16(crc >> 16);
    append16(crc & 0xffff);
}

// The header's length is right once the value is there.
void Writer::begin(AttributeType type, std::size_t size) {
    set_length(bytes_, bytes_.size() - kHeader + 4 + size);
    append16(type);
    append16(static_cast<unsigned>(size));
}

void Writer::append16(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes_.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace vmr::stun
