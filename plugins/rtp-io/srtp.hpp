// SRTP and SRTCP for one direction of one leg. Not thread-safe.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "replay_window.hpp"
#include "srtp_cipher.hpp"

namespace vmr::rtp_io {

enum class SrtpResult {
    ok,
    malformed,        // not a packet that can be protected, or room for the tag is missing
    unauthenticated,  // forged, damaged or another key
    replayed,         // was there already, or is too old to tell
    exhausted,        // the key has served its packets, or more streams than one peer has
};

// What a master key has sent or received: an index for each SSRC.
class SrtpStreams {
public:
    static constexpr std::size_t kMaxStreams = 256;

    struct Stream {
        std::uint32_t ssrc = 0;
        ReplayWindow window;
    };
    const Stream* find(std::uint32_t ssrc);
    // Of the SSRC last asked for. Null: too many.
    Stream* find_or_add(std::uint32_t ssrc);

private:
    Stream* lookup(std::uint32_t ssrc);

    // Nearly every leg has one, or one at a time: the one asked for last is at hand without a search.
    Stream current_;
    bool any_ = false;
    std::vector<Stream> others_;
};

class SrtpSender {
public:
    // Empty: the master key does not fit the suite.
    static std::optional<SrtpSender> make(SrtpSuite suite, Bytes master);

    // In place: the packet is the first `size` bytes of `space`; `size` grows by the tag. A packet index is
    // never used twice with one key, as that would reveal both packets.
    SrtpResult protect_rtp(MutableBytes space, std::size_t& size);
    SrtpResult protect_rtcp(MutableBytes space, std::size_t& size);

private:
    SrtpSender(SrtpSuite suite, const SrtpCipher& rtp, const SrtpCipher& rtcp)
        : suite_(suite), rtp_(rtp), rtcp_(rtcp) {}

    SrtpSuite suite_;
    SrtpCipher rtp_;
    SrtpStreams streams_;
    SrtpCipher rtcp_;
    std::uint32_t rtcp_index_ = 0;  // 31 bits, common to all SSRCs of the key
};

class SrtpReceiver {
public:
    // Empty: the master key does not fit the suite.
    static std::optional<SrtpReceiver> make(SrtpSuite suite, Bytes master);

    // In place; `size` shrinks by the tag. State is kept only for SSRCs that authenticated.
    SrtpResult unprotect_rtp(MutableBytes packet, std::size_t& size);
    SrtpResult unprotect_rtcp(MutableBytes packet, std::size_t& size);

private:
    SrtpReceiver(SrtpSuite suite, const SrtpCipher& rtp, const SrtpCipher& rtcp)
        : suite_(suite), rtp_(rtp), rtcp_(rtcp) {}

    SrtpSuite suite_;
    SrtpCipher rtp_;
    SrtpStreams streams_;
    SrtpCipher rtcp_;
    SrtpStreams rtcp_streams_;
};

}  // namespace vmr::rtp_io
