// STUN messages (RFC 8489) as far as one who answers Binding requests needs them: SIP's keep-alive over UDP
// (RFC 5626) and an ICE lite agent (RFC 8445). Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

struct sockaddr_storage;

namespace vmr::stun {

inline constexpr std::size_t kHeader = 20;       // bytes
inline constexpr std::size_t kMaxRequest = 548;  // bytes; section 6.1
inline constexpr std::size_t kMaxUnknown = 8;    // attributes that an error names
inline constexpr unsigned kOptional = 0x8000;  // from here on an attribute need not be understood; section 14
inline constexpr std::size_t kIntegritySize = 20, kFingerprintSize = 4;

enum class Type : std::uint16_t {
    binding_request = 0x0001,
    binding_success = 0x0101,
    binding_error = 0x0111
};

enum AttributeType : std::uint16_t {
    kUsername = 0x0006,
    kMessageIntegrity = 0x0008,
    kErrorCode = 0x0009,
    kUnknownAttributes = 0x000a,
    kXorMappedAddress = 0x0020,
    kPriority = 0x0024,
    kUseCandidate = 0x0025,
    kFingerprint = 0x8028,
    kIceControlled = 0x8029,
};

struct Attribute {
    std::uint16_t type;
    Bytes value;
    std::size_t at;  // where it begins in its message
};

// A header with the magic cookie, whatever follows it; no SIP message begins like this (RFC 5626
// section 8.1).
bool has_header(Bytes datagram);
// A header, and as many bytes behind it as it says.
bool is_message(Bytes datagram);
// A whole Binding request of a size that may come.
bool is_binding_request(Bytes datagram);

// Each attribute of a message (`is_message`), until `visit` says false. True: all were whole and visited.
template <typename Visit>
bool each_attribute(Bytes message, Visit&& visit) {
    for (std::size_t at = kHeader; at < message.size();) {
        if (message.size() - at < 4) {
            return false;
        }
        const std::size_t size = read16(message, at + 2);
        const std::size_t padded = (size + 3) / 4 * 4;
        if (message.size() - at - 4 < padded ||
            !visit(Attribute{read16(message, at), message.subspan(at + 4, size), at})) {
            return false;
        }
        at += 4 + padded;
    }
    return true;
}

// FINGERPRINT: right, and the last of its message (section 14.7).
bool fingerprint_fits(Bytes message, const Attribute& fingerprint);
// MESSAGE-INTEGRITY with a short-term credential (section 14.5), compared in constant time.
bool integrity_fits(Bytes message, std::size_t integrity_at, const std::string& password);

// An answer with its request's transaction.
class Writer {
public:
    Writer(Type type, Bytes request);

    void add_mapped_address(const sockaddr_storage& source);  // XOR-MAPPED-ADDRESS
    void add_error(unsigned code);                            // without a reason
    void add_unknown(const std::vector<std::uint16_t>& types);
    bool add_integrity(const std::string& password);  // false: OpenSSL refuses
    void add_fingerprint();                           // the last
    std::vector<std::uint8_t> take() { return std::move(bytes_); }

private:
    void begin(AttributeType type, std::size_t size);
    void append16(unsigned value);
    void append(Bytes value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }

    std::vector<std::uint8_t> bytes_;
};

}  // namespace vmr::stun
