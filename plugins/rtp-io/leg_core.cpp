#include "leg_core.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace vmr::rtp_io {
namespace {

constexpr std::size_t kLongestKey = 128;  // characters; the longest suite needs 64

// Empty: not base64 (RFC 4648 section 4, padded).
std::vector<std::uint8_t> decoded(const std::string& base64) {
    if (base64.empty() || base64.size() % 4 != 0 || base64.size() > kLongestKey) {
        return {};
    }
    std::vector<std::uint8_t> bytes(base64.size() / 4 * 3);
    const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                     static_cast<int>(base64.size()));
    if (size < 0) {
        return {};
    }
    std::size_t padding = 0;
    while (padding < 2 && base64[base64.size() - 1 - padding] == '=') {
        ++padding;
    }
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

// False: nothing changed. An unchanged key must not begin anew: its packet indices would repeat.
bool replace_key(std::vector<std::uint8_t>& key, std::vector<std::uint8_t> changed) {
    if (key == changed) {
        return false;
    }
    OPENSSL_cleanse(key.data(), key.size());
    key = std::move(changed);
    return true;
}

}  // namespace

void LegCore::set_remote(const std::string& address, std::uint16_t port) {
    if (address == remote_address_ && port == remote_port_) {
        return;
    }
    remote_address_ = address;
    remote_port_ = port;
    remote_ = SocketAddress::from(address, port).value_or(SocketAddress());
    latched_ = false;
}

void LegCore::set_symmetric(bool symmetric) {
    latched_ = latched_ && symmetric;
    symmetric_ = symmetric;
}

void LegCore::set_any_source(bool any) {
    latched_ = latched_ && (any || source_.same_host(remote_));
    any_source_ = any;
}

void LegCore::set_suite(srtp::Suite suite) {
    if (suite == suite_) {
        return;
    }
    suite_ = suite;
    latched_ = false;  // what was believed under another suite proves nothing
    sender_ = srtp::Sender::make(suite_, send_key_);
    receiver_ = srtp::Receiver::make(suite_, receive_key_);
}

void LegCore::set_send_key(const std::string& base64) {
    if (replace_key(send_key_, decoded(base64))) {
        sender_ = srtp::Sender::make(suite_, send_key_);
    }
}

void LegCore::set_receive_key(const std::string& base64) {
    if (replace_key(receive_key_, decoded(base64))) {
        receiver_ = srtp::Receiver::make(suite_, receive_key_);
    }
}

bool LegCore::from_peer(const SocketAddress& from) const {
    if (exclusive()) {
        return from == target();
    }
    return symmetric_ && (any_source_ || from.same_host(remote_));
}

DatagramKind LegCore::receive(MutableBytes datagram, std::size_t& size, const SocketAddress& from,
                              std::int64_t now) {
    if (!from_peer(from)) {
        ++counts_.wrong_source;
        return DatagramKind::garbage;
    }
    const DatagramKind kind = kind_of(datagram);
    const auto header = kind == DatagramKind::rtp ? parse_rtp(datagram) : std::nullopt;
    if (kind == DatagramKind::garbage || (kind == DatagramKind::rtp && !header)) {
        ++counts_.garbage;
        return DatagramKind::garbage;
    }
    if (header && payload_types_.any() && !payload_types_[header->payload_type]) {
        ++counts_.unknown_payload;
        return DatagramKind::garbage;
    }
    size = datagram.size();
    if (!genuine(kind, datagram, size)) {
        return DatagramKind::garbage;
    }
    last_received_ = now;
    if (header) {
        on_rtp_accepted(*header, size, from, now);
    } else {
        ++counts_.rtcp_received;
    }
    return kind;
}

bool LegCore::genuine(DatagramKind kind, MutableBytes datagram, std::size_t& size) {
    if (suite_ == srtp::Suite::none) {
        return true;
    }
    if (!receiver_) {
        ++counts_.not_keyed;
        return false;
    }
    const srtp::Outcome result = kind == DatagramKind::rtp ? receiver_->unprotect_rtp(datagram, size)
                                                           : receiver_->unprotect_rtcp(datagram, size);
    count_refusal(result);
    return result == srtp::Outcome::ok;
}

void LegCore::count_refusal(srtp::Outcome result) {
    switch (result) {
        case srtp::Outcome::ok:
            break;
        case srtp::Outcome::malformed:
            ++counts_.garbage;
            break;
        case srtp::Outcome::replayed:
            ++counts_.replays;
            break;
        case srtp::Outcome::unauthenticated:
        case srtp::Outcome::exhausted:
            ++counts_.auth_failures;
            break;
    }
}

void LegCore::on_rtp_accepted(const RtpHeader& header, std::size_t size, const SocketAddress& from,
                              std::int64_t now) {
    if (symmetric_ && !latched_) {
        latched_ = true;
        source_ = from;
    }
    ++counts_.packets_received;
    counts_.bytes_received += size;
    quality_.add(header, now, clock_rate_);
}

bool LegCore::protect(DatagramKind kind, MutableBytes space, std::size_t& size) {
    if (suite_ == srtp::Suite::none) {
        return true;
    }
    if (!sender_) {
        ++counts_.not_keyed;
        return false;
    }
    const srtp::Outcome result =
        kind == DatagramKind::rtcp ? sender_->protect_rtcp(space, size) : sender_->protect_rtp(space, size);
    if (result != srtp::Outcome::ok) {
        ++counts_.send_errors;
        return false;
    }
    return true;
}

}  // namespace vmr::rtp_io
