#include "srtp/srtp.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "srtp/rtp_packet.hpp"

namespace vmr::srtp {
namespace {

constexpr std::uint32_t kRtcpEncrypted = 0x80000000;  // the E flag (RFC 3711 section 3.4)
constexpr std::size_t kRtcpWord = 4;

std::uint32_t rounds_of(std::uint64_t index) {
    return static_cast<std::uint32_t>(index >> 16);
}

// Compares without telling by time where they differ.
bool tag_fits(const Cipher& cipher, Bytes packet, std::uint32_t word, Bytes tag) {
    std::array<std::uint8_t, Cipher::kMaxTag> expected{};
    return cipher.authenticate(packet, word, expected) &&
           CRYPTO_memcmp(expected.data(), tag.data(), tag.size()) == 0;
}

}  // namespace

Streams::Stream* Streams::lookup(std::uint32_t ssrc) {
    if (any_ && current_.ssrc == ssrc) {
        return &current_;
    }
    const auto found = std::find_if(others_.begin(), others_.end(),
                                    [ssrc](const Stream& stream) { return stream.ssrc == ssrc; });
    if (found == others_.end()) {
        return nullptr;
    }
    std::swap(current_, *found);
    return &current_;
}

const Streams::Stream* Streams::find(std::uint32_t ssrc) {
    return lookup(ssrc);
}

Streams::Stream* Streams::find_or_add(std::uint32_t ssrc) {
    if (Stream* known = lookup(ssrc); known != nullptr) {
        return known;
    }
    if (any_) {
        if (others_.size() + 1 >= kMaxStreams) {
            return nullptr;
        }
        others_.push_back(current_);
    }
    any_ = true;
    current_ = {.ssrc = ssrc, .window = {}};
    return &current_;
}

std::vector<Streams::Highest> Streams::highest() const {
    std::vector<Highest> all;
    if (any_) {
        all.push_back({current_.ssrc, current_.window.highest()});
    }
    for (const Stream& stream : others_) {
        all.push_back({stream.ssrc, stream.window.highest()});
    }
    return all;
}

std::optional<Mki> Mki::make(Bytes bytes) {
    if (bytes.size() > kMaxMki) {
        return std::nullopt;
    }
    Mki mki;
    std::copy(bytes.begin(), bytes.end(), mki.bytes_.begin());
    mki.size_ = bytes.size();
    return mki;
}

void Mki::write(std::uint8_t* at) const {
    std::copy_n(bytes_.begin(), size_, at);
}

bool Mki::stands_at(const std::uint8_t* at) const {
    return std::equal(at, at + size_, bytes_.begin());
}

std::optional<Sender> Sender::make(Suite suite, Bytes master) {
    const auto rtp = Cipher::make(suite, master, Protocol::rtp);
    const auto rtcp = Cipher::make(suite, master, Protocol::rtcp);
    return rtp && rtcp ? std::optional(Sender(suite, *rtp, *rtcp)) : std::nullopt;
}

Outcome Sender::protect_rtp(MutableBytes space, std::size_t& size) {
    const std::size_t tag_bytes = info_of(suite_).rtp_tag_bytes;
    const auto header = parse_rtp(space.first(size));
    if (!header || size + tag_bytes + mki_.size() > space.size()) {
        return Outcome::malformed;
    }
    Streams::Stream* stream = streams_.find_or_add(header->ssrc);
    const auto index = stream == nullptr ? std::nullopt : stream->window.index_of(header->sequence);
    if (!index) {
        return stream == nullptr ? Outcome::exhausted : Outcome::replayed;
    }
    if (!stream->window.is_new(*index)) {
        return Outcome::replayed;
    }
    stream->window.add(*index);  // also when what follows fails: key stream may have been used
    const MutableBytes payload = space.subspan(header->size, size - header->size);
    std::array<std::uint8_t, Cipher::kMaxTag> tag{};
    bool done = false;
    if (rtp_.gcm()) {
        done = rtp_.seal(header->ssrc, *index, space.first(header->size), {}, payload,
                         std::span<std::uint8_t, 16>(tag.data(), 16));
    } else {
        done = (payload.empty() || rtp_.crypt(header->ssrc, *index, payload)) &&
               rtp_.authenticate(space.first(size), rounds_of(*index), tag);
    }
    if (!done) {
        return Outcome::malformed;
    }
    std::uint8_t* end = space.data() + size;
    const bool gcm = rtp_.gcm();
    std::copy_n(tag.begin(), tag_bytes, gcm ? end : end + mki_.size());
    mki_.write(gcm ? end + tag_bytes : end);
    size += tag_bytes + mki_.size();
    return Outcome::ok;
}

Outcome Sender::protect_rtcp(MutableBytes space, std::size_t& size) {
    const std::size_t tag_bytes = info_of(suite_).rtcp_tag_bytes;
    if (size < kMinRtcp || size + kRtcpWord + tag_bytes + mki_.size() > space.size()) {
        return Outcome::malformed;
    }
    if (rtcp_index_ >= kRtcpEncrypted - 1) {
        return Outcome::exhausted;  // 2^31 packets a key (RFC 3711 section 9.2)
    }
    const std::uint32_t index = ++rtcp_index_;
    const std::uint32_t word = kRtcpEncrypted | index;
    const std::uint32_t ssrc = read32(space, 4);
    const MutableBytes payload = space.subspan(kMinRtcp, size - kMinRtcp);
    std::array<std::uint8_t, kRtcpWord> tail{};
    put32(tail, 0, word);
    std::array<std::uint8_t, Cipher::kMaxTag> tag{};
    std::uint8_t* end = &space[size];
    if (rtcp_.gcm()) {  // the tag, then the word and the MKI (RFC 7714 section 9.2)
        if (!rtcp_.seal(ssrc, index, space.first(kMinRtcp), tail, payload,
                        std::span<std::uint8_t, 16>(tag.data(), 16))) {
            return Outcome::malformed;
        }
        std::copy_n(tag.begin(), tag_bytes, end);
        std::copy(tail.begin(), tail.end(), end + tag_bytes);
        mki_.write(end + tag_bytes + kRtcpWord);
    } else {  // the word, the MKI, then the tag (RFC 3711 section 3.4)
        if ((!payload.empty() && !rtcp_.crypt(ssrc, index, payload)) ||
            !rtcp_.authenticate(space.first(size), word, tag)) {
            return Outcome::malformed;
        }
        std::copy(tail.begin(), tail.end(), end);
        mki_.write(end + kRtcpWord);
        std::copy_n(tag.begin(), tag_bytes, end + kRtcpWord + mki_.size());
    }
    size += kRtcpWord + tag_bytes + mki_.size();
    return Outcome::ok;
}

std::optional<Receiver> Receiver::make(Suite suite, Bytes master) {
    const auto rtp = Cipher::make(suite, master, Protocol::rtp);
    const auto rtcp = Cipher::make(suite, master, Protocol::rtcp);
    return rtp && rtcp ? std::optional(Receiver(suite, *rtp, *rtcp)) : std::nullopt;
}

void Receiver::follow(const Receiver& before) {
    before_ = before.streams_.highest();
    for (const Streams::Highest& older : before.before_) {
        const bool newer = std::ranges::any_of(
            before_, [&](const Streams::Highest& known) { return known.ssrc == older.ssrc; });
        if (!newer && before_.size() < Streams::kMaxStreams) {
            before_.push_back(older);
        }
    }
}

std::optional<std::uint64_t> Receiver::index_before(std::uint32_t ssrc, std::uint16_t sequence) const {
    const auto found = std::ranges::find(before_, ssrc, &Streams::Highest::ssrc);
    return found == before_.end() ? std::nullopt : nearest_index(found->index, sequence);
}

struct Receiver::Packet {
    std::uint32_t ssrc;
    Bytes whole, header;  // without tag and MKI
    MutableBytes payload;
    Bytes tag;
};

// In place; what a GCM leaves of a payload that it refused is no use.
bool Receiver::open(const Packet& packet, std::uint64_t index) const {
    if (rtp_.gcm()) {
        return rtp_.open(packet.ssrc, index, packet.header, {}, packet.payload,
                         std::span<const std::uint8_t, 16>(packet.tag.data(), 16));
    }
    return tag_fits(rtp_, packet.whole, rounds_of(index), packet.tag) &&
           (packet.payload.empty() || rtp_.crypt(packet.ssrc, index, packet.payload));
}

Outcome Receiver::unprotect_rtp(MutableBytes packet, std::size_t& size) {
    const std::size_t tag_bytes = info_of(suite_).rtp_tag_bytes;
    if (size < kMinRtp + tag_bytes + mki_.size()) {
        return Outcome::malformed;
    }
    const std::size_t plain = size - tag_bytes - mki_.size();
    const auto header = parse_rtp(packet.first(plain));
    if (!header) {
        return Outcome::malformed;
    }
    const bool gcm = rtp_.gcm();
    if (!mki_.stands_at(packet.data() + (gcm ? plain + tag_bytes : plain))) {
        return Outcome::unauthenticated;
    }
    const Streams::Stream* known = streams_.find(header->ssrc);
    auto index = known == nullptr ? header->sequence : known->window.index_of(header->sequence);
    if (!index || (known != nullptr && !known->window.is_new(*index))) {
        return Outcome::replayed;
    }
    const Packet parts{header->ssrc, packet.first(plain), packet.first(header->size),
                       packet.subspan(header->size, plain - header->size),
                       packet.subspan(gcm ? plain : plain + mki_.size(), tag_bytes)};
    bool opened = false;
    const auto before = known == nullptr ? index_before(header->ssrc, header->sequence) : std::nullopt;
    if (before && *before != *index) {
        const std::vector<std::uint8_t> sealed(parts.payload.begin(), parts.payload.end());
        opened = open(parts, *before);
        if (opened) {
            index = before;
        } else {
            std::ranges::copy(sealed, parts.payload.begin());
        }
    }
    if (!opened && !open(parts, *index)) {
        return Outcome::unauthenticated;
    }
    Streams::Stream* stream = streams_.find_or_add(header->ssrc);
    if (stream == nullptr) {
        return Outcome::exhausted;
    }
    stream->window.add(*index);
    size = plain;
    return Outcome::ok;
}

Outcome Receiver::unprotect_rtcp(MutableBytes packet, std::size_t& size) {
    const std::size_t tag_bytes = info_of(suite_).rtcp_tag_bytes;
    if (size < kMinRtcp + kRtcpWord + tag_bytes + mki_.size()) {
        return Outcome::malformed;
    }
    const std::size_t plain = size - kRtcpWord - tag_bytes - mki_.size();
    const bool gcm = rtcp_.gcm();
    const std::size_t word_at = gcm ? plain + tag_bytes : plain;
    const Bytes tail = packet.subspan(word_at, kRtcpWord);
    const Bytes tag = packet.subspan(gcm ? plain : plain + kRtcpWord + mki_.size(), tag_bytes);
    if (!mki_.stands_at(packet.data() + word_at + kRtcpWord)) {
        return Outcome::unauthenticated;
    }
    const std::uint32_t word = read32(tail, 0);
    const std::uint32_t index = word & ~kRtcpEncrypted;
    const std::uint32_t ssrc = read32(packet, 4);
    if ((word & kRtcpEncrypted) == 0) {
        return Outcome::unauthenticated;  // unencrypted SRTCP was never agreed on
    }
    const Streams::Stream* known = rtcp_streams_.find(ssrc);
    if (known != nullptr && !known->window.is_new(index)) {
        return Outcome::replayed;
    }
    const MutableBytes payload = packet.subspan(kMinRtcp, plain - kMinRtcp);
    if (gcm) {
        if (!rtcp_.open(ssrc, index, packet.first(kMinRtcp), tail, payload,
                        std::span<const std::uint8_t, 16>(tag.data(), 16))) {
            return Outcome::unauthenticated;
        }
    } else if (!tag_fits(rtcp_, packet.first(plain), word, tag) ||
               (!payload.empty() && !rtcp_.crypt(ssrc, index, payload))) {
        return Outcome::unauthenticated;
    }
    Streams::Stream* stream = rtcp_streams_.find_or_add(ssrc);
    if (stream == nullptr) {
        return Outcome::exhausted;
    }
    stream->window.add(index);
    size = plain;
    return Outcome::ok;
}

}  // namespace vmr::srtp
