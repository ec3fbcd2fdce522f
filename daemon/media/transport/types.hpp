// The plain values that a media transport is set up with and reports. Nothing
// here knows SDP: the caller maps what was negotiated to these.
#pragma once
#include <openssl/crypto.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/gst_ptr.hpp"
#include "daemon/media/transport/fec_receiver.hpp"
#include "daemon/media/transport/fec_sender.hpp"
#include "srtp/suite.hpp"

namespace vmr::media {

// ---- path ---------------------------------------------------------------

struct UdpParams {
    std::string local_address = "0.0.0.0";  // an IPv4 or IPv6 address of this host
    uint16_t port_min = 10000;              // RTP takes an even port of this range,
    uint16_t port_max = 20000;              // RTCP the odd one after it
    uint16_t fixed_port = 0;                // not 0: RTP takes this one, RTCP the next
    bool rtcp_mux = false;                  // RFC 5761: no RTCP socket is opened
    bool ice_lite = false;  // answers the checks of a peer that does ICE: RFC 8445 section 2.5
    uint8_t dscp = 46;      // 0..63; 46 is EF
};

struct UdpRemote {
    std::string address;  // of the same IP version as the local one
    uint16_t rtp_port = 0;
    uint16_t rtcp_port = 0;  // ignored with rtcp_mux; 0 is rtp_port + 1
    // The peer muxes (RFC 5761), and there may be an RTCP socket nevertheless; or it does not, and there may
    // be none: then its RTCP is sent to its port from our one.
    bool rtcp_mux = false;
    // Symmetric RTP from any address (for peers behind a NAT), not only from the signalled one. The peer is
    // whoever sends the first valid packet: for protected media only.
    bool comedia = false;
    // With ice_lite, of a peer that checks: it is where its checks come from. Empty: it is where it says.
    std::string ice_ufrag;
    std::string rtcp_address;  // empty: `address`
    // It answers an offer of ours, whose credentials stay, whoever it is that answers (a transfer by a
    // controller).
    bool answers = false;
};

struct TurnServer {
    std::string address;  // IP address
    uint16_t port = 3478;
    std::string username;
    std::string password;
    enum class Transport { udp, tcp, tls } transport = Transport::udp;
};

struct IceParams {
    // Empty: every address libnice finds (loopback is never among them).
    std::vector<std::string> local_addresses;
    // Of a one-to-one NAT in front of us, which keeps ports; announced beside each host candidate of the
    // family.
    std::vector<std::string> advertised_addresses;
    uint16_t port_min = 0;  // 0: any
    uint16_t port_max = 0;
    std::string stun_address;  // IP address, empty: none
    uint16_t stun_port = 3478;
    std::vector<TurnServer> turn_servers;
    bool controlling = false;  // true if we made the offer
    bool lite = false;         // RFC 8445 section 2.5
    uint8_t dscp = 46;
    // A peer that is not there after this time has failed.
    std::chrono::milliseconds connect_deadline{30000};
};

struct IceRemote {
    std::string ufrag;
    std::string password;
    std::vector<std::string> candidates;  // values or lines: "candidate:…", "a=candidate:…"
    bool complete = false;                // no more candidates will trickle in
};

// ---- keys ---------------------------------------------------------------

struct PlainSecurity {};

using SrtpSuite = srtp::Suite;  // never `none`: that is PlainSecurity

// RFC 4568/6188/7714: key and salt in one string of bytes, not base64.
struct SdesKeys {
    SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
    std::string local;   // what we encrypt with
    std::string remote;  // what the peer encrypts with
    // In each packet of that direction (RFC 3711 section 3.1), up to 4 bytes; empty: none.
    std::string local_mki, remote_mki;
    ~SdesKeys() {
        OPENSSL_cleanse(local.data(), local.size());
        OPENSSL_cleanse(remote.data(), remote.size());
    }
};

enum class FingerprintHash { sha256, sha384, sha512 };

struct Fingerprint {
    FingerprintHash hash = FingerprintHash::sha256;
    std::string value;  // hex pairs with colons; upper or lower case
};

struct DtlsParams {
    // The peer's; one that matches is enough (RFC 8122 section 5). Never empty.
    std::vector<Fingerprint> fingerprints;
    enum class Role { server, client } role = Role::server;  // server: a=setup:passive
    std::chrono::milliseconds deadline{30000};               // from the connected path to the keys
};

using Security = std::variant<PlainSecurity, SdesKeys, DtlsParams>;

struct CryptoReceipt {
    enum class KeyExchange { none, sdes, dtls } key_exchange = KeyExchange::none;
    std::string suite;      // the RFC's name, empty when plain
    unsigned key_bits = 0;  // 0, 128, 256
};

// ---- media --------------------------------------------------------------

struct MediaParams {
    unsigned index = 0;        // of the m-line; names the pads
    bool audio = false;        // goes past rtpbin: see audio_rtp.hpp
    bool data = false;         // messages, not a stream: see data_line.hpp
    unsigned clock_rate = 0;   // Hz, of `data`
    uint8_t send_payload = 0;  // of `data`
    std::string mid;           // empty: no MID
    unsigned mid_extmap = 0;   // id of urn:ietf:params:rtp-hdrext:sdes:mid that we receive; 0: none
    // What may arrive: payload type → application/x-rtp caps (clock-rate, encoding-name,
    // fmtp, rtcp-fb-*, extmap-*). Others are dropped. RTX types belong in `rtx` only.
    std::map<uint8_t, CapsPtr> receive_caps;
    std::vector<uint32_t> remote_ssrcs;  // signalled by a=ssrc, if any
    // RFC 4588: RTX payload type → the one it repairs. Empty: no retransmission.
    std::map<uint8_t, uint8_t> rtx;
    // What is sent: one structure for each payload type, each with payload, ssrc,
    // extmap-* and, for MID, a-mid. Null: nothing is sent, there is no sink pad.
    CapsPtr send_caps;
    // How the peer may be asked to send less (rtcp_bitrate.hpp), as negotiated.
    bool remb = false, tmmbr = false;
    uint32_t send_ssrc = 0;
    // The same for what we send again; empty: we never do.
    std::map<uint8_t, uint8_t> send_rtx;
    uint32_t send_rtx_ssrc = 0;
    // RED and ULPFEC of pictures; empty: not agreed on. Their payload types are in receive_caps, too.
    std::optional<FecFormat> fec;
    std::optional<FecSender::Format> send_fec;
};

// Builds `application/x-rtp` caps with the fields that GStreamer's (de)payloaders,
// rtpsession and rtpjitterbuffer read.
struct RtpFormat {
    std::string media;          // "audio", "video"
    std::string encoding_name;  // as in a=rtpmap
    uint8_t payload = 0;
    unsigned clock_rate = 8000;
    unsigned channels = 0;                    // 0: not given
    std::map<std::string, std::string> fmtp;  // lower-case names as in a=fmtp
    std::vector<std::string> rtcp_fb;         // "nack", "nack pli", "ccm fir", "transport-cc"
    std::map<unsigned, std::string> extmap;   // id → URI
    uint32_t ssrc = 0;                        // 0: not given
    std::string mid;                          // of what we send: a-mid; empty: not given
};
CapsPtr rtp_caps(const RtpFormat& format);

// ---- reports ------------------------------------------------------------

// States only advance; `ready` is when media may flow both ways.
enum class TransportState { created, connecting, connected, ready, failed, closed };

struct StreamInfo {
    unsigned media = 0;
    uint32_t ssrc = 0;
    uint8_t payload_type = 0;
};

struct MediaStats {
    unsigned media = 0;
    uint64_t received_packets = 0;
    uint64_t received_bytes = 0;  // RTP payload
    int64_t lost_packets = 0;     // RFC 3550 cumulative; duplicates make it negative
    double jitter_ms = 0;
    uint64_t sent_packets = 0;
    uint64_t sent_bytes = 0;
    // As the peer reports of what we send; empty until its first report.
    std::optional<double> round_trip_ms;
    std::optional<double> remote_jitter_ms;
    std::optional<int64_t> remote_lost_packets;
    std::optional<double> remote_fraction_lost;  // 0..1, last interval
    uint64_t remote_reports = 0;                 // so far
    std::optional<uint32_t> remote_limit;        // bit/s, the most that the peer asked for
    unsigned nacks_sent = 0, plis_sent = 0, firs_sent = 0;
    unsigned nacks_received = 0, plis_received = 0, firs_received = 0;
    // Packets of forward error correction, and those that came back by it.
    uint64_t fec_sent = 0, fec_received = 0, fec_recovered = 0;
};

// How packets fare on the way to the peer, by its transport-wide feedback.
struct PathTrend {
    uint64_t reports = 0;  // so far
    bool queue_grows = false;
    double carried = 1;             // of what is sent, see QueueTrend
    uint32_t received_bitrate = 0;  // bit/s that arrived within a second
};

struct DropCounts {
    uint64_t garbage = 0;        // neither RTP, RTCP, DTLS nor STUN of the agent
    uint64_t oversized = 0;      // more than 2048 bytes
    uint64_t wrong_source = 0;   // not from the peer
    uint64_t before_keys = 0;    // arrived or to be sent before the keys were there
    uint64_t auth_failures = 0;  // SRTP or SRTCP: wrong key, forged or replayed
    uint64_t unrouted = 0;       // belongs to no media: payload type, MID or SSRC unknown
    uint64_t send_failures = 0;
};

struct TransportStats {
    TransportState state = TransportState::created;
    CryptoReceipt crypto;
    DropCounts drops;
    uint64_t received_datagrams = 0;
    uint64_t sent_datagrams = 0;
    // From transport-wide congestion control feedback of the peer (bit/s); empty: none.
    std::optional<unsigned> twcc_sent_bitrate, twcc_received_bitrate;
    std::optional<double> twcc_packet_loss;  // 0..1
    std::vector<MediaStats> media;
};

}  // namespace vmr::media
