#include "daemon/media/transport/stun_responder.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "daemon/stun/message.hpp"

namespace vmr::media {
namespace {

struct Check {
    std::string username;
    std::size_t integrity_at = 0;  // of its attribute; 0: none
    bool fingerprint = false;
    bool nominates = false;
    bool controlled = false;  // the peer thinks that we control
    std::uint32_t priority = 0;
    std::vector<std::uint16_t> unknown;
};

// Of one attribute. False: the message is not to be answered.
bool read_attribute(const stun::Attribute& attribute, Bytes message, Check& check) {
    if (attribute.type == stun::kFingerprint) {
        check.fingerprint = true;
        return stun::fingerprint_fits(message, attribute);
    }
    if (check.integrity_at != 0) {
        return true;  // what follows MESSAGE-INTEGRITY and is no fingerprint does not count
    }
    switch (attribute.type) {
        case stun::kUsername:
            check.username.assign(attribute.value.begin(), attribute.value.end());
            return true;
        case stun::kMessageIntegrity:
            check.integrity_at = attribute.at;
            return attribute.value.size() == stun::kIntegritySize;
        case stun::kUseCandidate:
            check.nominates = true;
            return true;
        case stun::kIceControlled:
            check.controlled = true;
            return true;
        case stun::kPriority:
            check.priority = attribute.value.size() == 4 ? read32(attribute.value, 0) : 0;
            return attribute.value.size() == 4;
        default:
            if (attribute.type < stun::kOptional && check.unknown.size() < stun::kMaxUnknown) {
                check.unknown.push_back(attribute.type);
            }
            return true;
    }
}

std::optional<Check> read_check(Bytes message) {
    Check check;
    if (!StunResponder::is_stun(message) || !stun::is_binding_request(message) ||
        !stun::each_attribute(message, [&](const stun::Attribute& attribute) {
            return read_attribute(attribute, message, check);
        })) {
        return std::nullopt;
    }
    return check;
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

StunResponder::StunResponder() : ufrag_(random_text(8)), password_(random_text(24)) {}

bool StunResponder::is_stun(Bytes datagram) {
    return stun::is_message(datagram) && datagram[0] < 4;
}

std::optional<StunResponder::Answer> StunResponder::answer(Bytes datagram, const std::string& peer_ufrag,
                                                           const sockaddr_storage& from) const {
    const auto check = read_check(datagram);
    const std::string username = ufrag_ + ':' + peer_ufrag;
    if (!check || !check->fingerprint || check->integrity_at == 0 ||
        (peer_ufrag.empty() ? !check->username.starts_with(username) : check->username != username) ||
        !stun::integrity_fits(datagram, check->integrity_at, password_)) {
        return std::nullopt;
    }
    Answer answer;
    // Who is lite never controls (RFC 8445 section 6.1.1); 487 has the peer change its mind
    // (section 7.3.1.1).
    answer.valid = check->unknown.empty() && !check->controlled;
    answer.nominated = answer.valid && check->nominates;
    answer.priority = check->priority;
    stun::Writer writer(answer.valid ? stun::Type::binding_success : stun::Type::binding_error, datagram);
    if (answer.valid) {
        writer.add_mapped_address(from);
    } else if (check->unknown.empty()) {
        writer.add_error(487);
    } else {
        writer.add_error(420);
        writer.add_unknown(check->unknown);
    }
    if (!writer.add_integrity(password_)) {
        return std::nullopt;
    }
    writer.add_fingerprint();
    answer.bytes = writer.take();
    return answer;
}

}  // namespace vmr::media
