// A session description (RFC 8866) as parsed: typed, bounded, and with what the session level gives to
// each m-line (connection, direction, fingerprint, ICE, setup, crypto) already inherited.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vmr::sdp {

// Bounds on hostile input. Whole-description bounds are errors; within one m-line what is over a bound of
// an optional list (candidates, ssrcs) is left out.
inline constexpr std::size_t kMaxSize = 64 * 1024;  // bytes
inline constexpr std::size_t kMaxLine = 8 * 1024;   // bytes
inline constexpr std::size_t kMaxMedia = 16;
inline constexpr std::size_t kMaxAttributes = 512;  // per m-line, and at session level
inline constexpr std::size_t kMaxFormats = 96;      // per m-line
inline constexpr std::size_t kMaxCandidates = 32;   // per m-line
inline constexpr std::size_t kMaxCryptos = 16;      // per m-line
inline constexpr std::size_t kMaxSsrcs = 16;        // per m-line
inline constexpr std::size_t kMaxMki = 128;         // bytes (RFC 4568 section 9.1)
inline constexpr std::size_t kMaxToken = 256;       // bytes of an id, ufrag, password, mid

enum class MediaKind {
    audio,
    video,
    camera,  // m=application of H224 over RTP: far-end camera control (RFC 4573)
    other
};

enum class Direction { inactive, sendonly, recvonly, sendrecv };
constexpr bool sends(Direction d) {
    return d == Direction::sendonly || d == Direction::sendrecv;
}
constexpr bool receives(Direction d) {
    return d == Direction::recvonly || d == Direction::sendrecv;
}
constexpr Direction make_direction(bool send, bool receive) {
    return send ? (receive ? Direction::sendrecv : Direction::sendonly)
                : (receive ? Direction::recvonly : Direction::inactive);
}

enum class Proto { rtp_avp, rtp_avpf, rtp_savp, rtp_savpf, udp_tls_savp, udp_tls_savpf, other };
constexpr bool is_secure(Proto p) {
    return p == Proto::rtp_savp || p == Proto::rtp_savpf || p == Proto::udp_tls_savp ||
           p == Proto::udp_tls_savpf;
}
constexpr bool is_dtls(Proto p) {
    return p == Proto::udp_tls_savp || p == Proto::udp_tls_savpf;
}
constexpr bool has_feedback(Proto p) {
    return p == Proto::rtp_avpf || p == Proto::rtp_savpf || p == Proto::udp_tls_savpf;
}
const char* to_string(Proto proto);
const char* to_string(Direction direction);

// SRTP suites that both SDES (RFC 4568, 6188, 7714) and DTLS-SRTP know; weakest first.
enum class CryptoSuite {
    none,
    aes_cm_128_hmac_sha1_32,
    aes_cm_128_hmac_sha1_80,
    aead_aes_128_gcm,
    aes_256_cm_hmac_sha1_32,
    aes_256_cm_hmac_sha1_80,
    aead_aes_256_gcm,
};
struct SuiteInfo {
    const char* name;           // as registered for SDES
    unsigned key_bits;          // 128 or 256
    std::size_t key_salt_size;  // bytes of key || salt
};
const SuiteInfo& info(CryptoSuite suite);
CryptoSuite suite_from_name(std::string_view name);  // none when unknown

struct CryptoKey {
    std::vector<std::uint8_t> key;  // key || salt; never logged
    std::uint64_t lifetime = 0;     // packets; 0: not given
    std::vector<std::uint8_t> mki;  // empty: none
};
struct Crypto {
    unsigned tag = 0;
    CryptoSuite suite = CryptoSuite::none;
    std::string suite_name;  // as written
    CryptoKey key;
    std::string session_params;  // as written
    bool usable = false;         // known suite, right key length, no session parameter we would have to obey
};

enum class Setup { none, actpass, active, passive, holdconn };

struct Fingerprint {
    std::string hash;  // "sha-256", lower case
    std::vector<std::uint8_t> digest;
};

struct Candidate {
    std::string foundation;
    unsigned component = 1;  // 1 RTP, 2 RTCP
    std::string transport;   // "udp" or "tcp", lower case
    std::uint32_t priority = 0;
    std::string address;  // an IP address, or a name (mDNS)
    std::uint16_t port = 0;
    std::string type;  // host, srflx, prflx, relay
    std::string related_address;
    std::uint16_t related_port = 0;
    std::string tcptype;
};
// The value of an a=candidate line, with or without "a=" and "candidate:"; a trickled one too.
Result<Candidate> parse_candidate(std::string_view text);
std::string to_string(const Candidate& candidate);  // "candidate:…", without "a="

struct Ice {
    std::string ufrag;
    std::string pwd;
    bool lite = false;
    bool trickle = false;
    bool end_of_candidates = false;
    bool mismatch = false;
    std::vector<Candidate> candidates;
    bool present() const { return !ufrag.empty() && !pwd.empty(); }
};

bool is_unspecified(std::string_view address);  // 0.0.0.0, or :: however it is written

struct Connection {
    std::string address;  // empty: no c= line
    bool ipv6 = false;
    // RFC 2543 hold, kept by RFC 3264 section 8.4.
    bool unspecified() const { return is_unspecified(address); }
};

using Parameters = std::vector<std::pair<std::string, std::string>>;  // a=fmtp, names in lower case
const std::string* find(const Parameters& parameters, std::string_view name);

struct RtcpFeedback {
    bool nack = false;
    bool nack_pli = false;
    bool ccm_fir = false;
    bool transport_cc = false;
    bool goog_remb = false;
    bool ccm_tmmbr = false;
    bool operator==(const RtcpFeedback&) const = default;
};

struct Format {  // one payload type of an m-line
    std::uint8_t pt = 0;
    std::string encoding;  // lower case; from a=rtpmap or the static table (RFC 3551); empty: unknown
    std::uint32_t clock_rate = 0;
    unsigned channels = 1;
    Parameters fmtp;
    std::string fmtp_text;  // as written
    RtcpFeedback feedback;  // "*" lines included
};

struct Extmap {
    unsigned id = 0;
    std::string uri;
    std::optional<Direction> direction;
};

struct Bandwidth {
    std::uint32_t as_kbps = 0;   // b=AS, kbit/s; 0: not given
    std::uint32_t tias_bps = 0;  // b=TIAS, bit/s; 0: not given
};

struct Ssrc {
    std::uint32_t id = 0;
    std::string cname;
    std::string msid;  // "stream track"
};

// Of an m-line of BFCP (RFC 8856): a=floorctrl, a=confid, a=userid and the first a=floorid.
struct Floor {
    bool client = true, server = false;  // parts that the writer would take; without a=floorctrl the client's
    std::uint32_t conference = 0;
    std::uint16_t user = 0;
    std::uint16_t floor = 0;
    std::string stream;             // label of the m-line that the floor is of
    bool keeps_connection = false;  // RFC 4145 section 5
};

struct SsrcGroup {
    std::string semantics;  // FID
    std::vector<std::uint32_t> ids;
};

struct Media {
    MediaKind kind = MediaKind::other;
    std::string kind_name;  // as written: audio, video, application, …
    std::uint16_t port = 0;
    Proto proto = Proto::other;
    std::string proto_name;  // as written, to be echoed when refused
    std::vector<Format> formats;
    std::vector<std::string> format_names;  // as written, to be echoed when refused

    Connection connection;
    Direction direction = Direction::sendrecv;  // as the writer of the description means it
    Bandwidth bandwidth;
    std::string mid;
    std::string label;    // RFC 4574
    std::string content;  // RFC 4796, lower case: "main", "slides", …
    std::string msid;     // "stream track"
    unsigned ptime = 0;   // ms; 0: not given
    unsigned max_ptime = 0;

    bool rtcp_mux = false;
    bool rtcp_mux_only = false;
    bool rtcp_rsize = false;
    bool bundle_only = false;
    std::uint16_t rtcp_port = 0;  // 0: not given, then port + 1
    std::string rtcp_address;

    std::vector<Crypto> cryptos;
    std::vector<Fingerprint> fingerprints;
    Setup setup = Setup::none;
    std::string tls_id;
    Ice ice;
    std::vector<Extmap> extmaps;
    std::vector<Ssrc> ssrcs;
    std::vector<SsrcGroup> ssrc_groups;
    Floor floor;

    // Refused or switched off (RFC 3264 section 6); a bundle-only line has port 0 and is alive (RFC 8843).
    bool disabled() const { return port == 0 && !bundle_only; }
    const Format* format(unsigned pt) const;
};

struct Session {
    std::string origin_username;
    std::uint64_t origin_id = 0;
    std::uint64_t origin_version = 0;
    std::string name;
    Connection connection;
    Bandwidth bandwidth;
    bool ice_lite = false;
    bool extmap_allow_mixed = false;
    std::vector<std::vector<std::string>> bundle_groups;  // mids
    std::vector<Media> media;
};

// Bounded, and never reads outside `text`. The error says which line was wrong, without its content
// (a=crypto holds keys).
Result<Session> parse(std::string_view text);

}  // namespace vmr::sdp
