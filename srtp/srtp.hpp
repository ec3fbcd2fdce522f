// SRTP and SRTCP (RFC 3711) for one direction of one leg. Not thread-safe.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "srtp/cipher.hpp"
#include "srtp/replay_window.hpp"

namespace vmr::srtp {

enum class Outcome {
    ok,
    malformed,        // not a packet that can be protected, or room for the tag is missing
    unauthenticated,  // forged, damaged or another key
    replayed,         // was there already, or is too old to tell
    exhausted,        // the key has served its packets, or more streams than one peer has
};

// What a master key has sent or received: an index for each SSRC.
class Streams {
public:
    static constexpr std::size_t kMaxStreams = 256;

    struct Stream {
        std::uint32_t ssrc = 0;
        ReplayWindow window;
    };
    const Stream* find(std::uint32_t ssrc);
    // Of the SSRC last asked for. Null: too many.
    Stream* find_or_add(std::uint32_t ssrc);

    struct Highest {
        std::uint32_t ssrc = 0;
        std::uint64_t index = 0;
    };
    std::vector<Highest> highest() const;

private:
    Stream* lookup(std::uint32_t ssrc);

    // Nearly every leg has one, or one at a time: the one asked for last is at hand without a search.
    Stream current_;
    bool any_ = false;
    std::vector<Stream> others_;
};

// What names the master key in each packet, between the encrypted part and the tag (RFC 3711 section 3.1),
// and after a GCM's (RFC 7714 section 8.2). It is not authenticated.
class Mki {
public:
    Mki() = default;
    // Nothing where `bytes` are more than kMaxMki.
    static std::optional<Mki> make(Bytes bytes);

    std::size_t size() const { return size_; }
    Bytes bytes() const { return {bytes_.data(), size_}; }
    void write(std::uint8_t* at) const;
    bool stands_at(const std::uint8_t* at) const;

private:
    std::array<std::uint8_t, kMaxMki> bytes_{};
    std::size_t size_ = 0;
};

class Sender {
public:
    // Empty: the master key does not fit the suite.
    static std::optional<Sender> make(Suite suite, Bytes master);
    // In each packet from now on; packet indices go on.
    void set_mki(const Mki& mki) { mki_ = mki; }

    // In place: the packet is the first `size` bytes of `space`; `size` grows by the tag. A packet index is
    // never used twice with one key, as that would reveal both packets.
    Outcome protect_rtp(MutableBytes space, std::size_t& size);
    Outcome protect_rtcp(MutableBytes space, std::size_t& size);

private:
    Sender(Suite suite, const Cipher& rtp, const Cipher& rtcp) : suite_(suite), rtp_(rtp), rtcp_(rtcp) {}

    Suite suite_;
    Mki mki_;
    Cipher rtp_;
    Streams streams_;
    Cipher rtcp_;
    std::uint32_t rtcp_index_ = 0;  // 31 bits, common to all SSRCs of the key
};

class Receiver {
public:
    // Empty: the master key does not fit the suite.
    static std::optional<Receiver> make(Suite suite, Bytes master);
    // Packets without it, or with another, are of a key that is not ours.
    void set_mki(const Mki& mki) { mki_ = mki; }
    // This key comes after that of `before`. Who goes on with an SSRC goes on counting its roll-overs (RFC
    // 3711 section 3.3.1); who is another endpoint begins at 0 (RFC 4568 section 6.4). The SSRC's first
    // packet tells.
    void follow(const Receiver& before);

    // In place; `size` shrinks by the tag. State is kept only for SSRCs that authenticated.
    Outcome unprotect_rtp(MutableBytes packet, std::size_t& size);
    Outcome unprotect_rtcp(MutableBytes packet, std::size_t& size);

private:
    struct Packet;  // of RTP
    Receiver(Suite suite, const Cipher& rtp, const Cipher& rtcp) : suite_(suite), rtp_(rtp), rtcp_(rtcp) {}
    std::optional<std::uint64_t> index_before(std::uint32_t ssrc, std::uint16_t sequence) const;
    bool open(const Packet& packet, std::uint64_t index) const;

    Suite suite_;
    Mki mki_;
    Cipher rtp_;
    Streams streams_;
    std::vector<Streams::Highest> before_;  // under the keys before
    Cipher rtcp_;
    Streams rtcp_streams_;
};

}  // namespace vmr::srtp
