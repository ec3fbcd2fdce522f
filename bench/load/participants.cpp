#include "participants.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace vmr::bench {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLevelExtension = 8;  // RFC 8285: profile, length, one element of id 1, padding

Bytes from_base64(const std::string& text) {
    Bytes bytes(text.size() / 4 * 3);
    const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) {
        throw std::invalid_argument("--key");
    }
    bytes.resize(bytes.size() - (text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U));
    return bytes;
}

void put16(Bytes& bytes, std::uint32_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

srtp::Suite suite_named(const std::string& name) {
    if (name == "none") {
        return srtp::Suite::none;
    }
    if (name == "aes-128-cm-80") {
        return srtp::Suite::aes_cm_128_hmac_sha1_80;
    }
    if (name == "aead-aes-256-gcm") {
        return srtp::Suite::aead_aes_256_gcm;
    }
    throw std::invalid_argument("--suite");
}

Participant::Participant(const Options& options, unsigned leg, unsigned port, const std::string& bridge_key)
    : leg_(leg),
      port_(port),
      secure_(options.suite != "none"),
      audio_level_(options.audio_level),
      payload_type_(options.codec == "opus" ? 111 : 0),
      step_(options.codec == "opus" ? 960 : 160),
      ssrc_(0x10000 + leg) {
    if (secure_) {
        sender_ = srtp::Sender::make(suite_named(options.suite), from_base64(options.key));
        receiver_ = srtp::Receiver::make(suite_named(options.suite), from_base64(bridge_key));
        if (!sender_ || !receiver_) {
            throw std::invalid_argument("--key does not fit the suite");
        }
    }
}

Bytes Participant::packet(std::span<const std::uint8_t> payload, std::uint8_t level) {
    Bytes bytes;
    bytes.reserve(kHeader + kLevelExtension + payload.size() + srtp::kMaxTrailer);
    bytes.push_back(audio_level_ ? 0x90 : 0x80);
    bytes.push_back(payload_type_);
    put16(bytes, sequence_++);
    put16(bytes, timestamp_ >> 16);
    put16(bytes, timestamp_);
    put16(bytes, ssrc_ >> 16);
    put16(bytes, ssrc_);
    if (audio_level_) {
        const std::uint8_t voice = level < 127 ? 0x80 : 0;
        bytes.insert(bytes.end(), {0xBE, 0xDE, 0, 1, 0x10, static_cast<std::uint8_t>(voice | level), 0, 0});
    }
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    timestamp_ += step_;
    if (secure_) {
        std::size_t size = bytes.size();
        bytes.resize(size + srtp::kMaxTrailer);
        if (sender_->protect_rtp(bytes, size) != srtp::Outcome::ok) {
            throw std::runtime_error("SRTP does not protect");
        }
        bytes.resize(size);
    }
    return bytes;
}

bool Participant::is_media(std::span<const std::uint8_t> packet) const {
    return packet.size() >= kHeader && packet[0] >> 6 == 2 && (packet[1] & 0x7F) == payload_type_;
}

std::optional<Heard> Participant::open(std::span<std::uint8_t> packet, std::int64_t arrival_ns) {
    std::size_t size = packet.size();
    if (!is_media(packet) || (secure_ && receiver_->unprotect_rtp(packet, size) != srtp::Outcome::ok)) {
        return std::nullopt;
    }
    std::size_t start = kHeader + 4U * (packet[0] & 0x0F);
    if ((packet[0] & 0x10) != 0 && start + 4 <= size) {
        start += 4U + 4U * static_cast<std::size_t>(packet[start + 2] << 8 | packet[start + 3]);
    }
    if (size < kHeader || start > size) {
        return std::nullopt;
    }
    return Heard{static_cast<std::uint16_t>(packet[2] << 8 | packet[3]), arrival_ns,
                 packet.subspan(start, size - start)};
}

}  // namespace vmr::bench
