// The offer/answer engine (RFC 3264, with the subset of RFC 8829 that browsers need) for all legs. Pure: no
// sockets, no clock, no randomness. A caller
//   answers:  parse(offer) → answer(offer, policy) → build what each TransportPlan asks → write_answer()
//   offers:   plan_offer() → build transports → write_offer() … parse(answer) → apply_answer()
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/sdp/session.hpp"

namespace vmr::sdp {

enum class LegKind { webrtc, sip };
enum class Encryption { required, best_effort, off };
enum class Codec { none, opus, g722, pcmu, pcma, vp8, h264, h224 };
const char* to_string(Codec codec);

struct Policy {
    LegKind kind = LegKind::sip;
    Encryption encryption = Encryption::best_effort;
    unsigned min_key_bits = 128;        // below it counts as unencrypted (room-rules 20); 0: no floor
    bool signalling_encrypted = false;  // SDES over clear signalling counts as unencrypted (room-rules 21)
    std::vector<Codec> audio_codecs = {Codec::opus, Codec::g722, Codec::pcma, Codec::pcmu};
    std::vector<Codec> video_codecs = {Codec::h264, Codec::vp8};
    bool video = true;
    bool content = true;
    bool far_end_camera = false;           // H.224 is passed on; SIP only
    bool floor = false;                    // there is a BFCP server for the content; SIP only
    bool ice = true;                       // take ICE when a SIP peer offers it; WebRTC always has it
    bool ice_offers = false;               // SIP: and write it into offers of ours
    bool ice_lite = false;                 // as the lite side (RFC 8445 section 2.5); SIP only
    bool sdes_gcm = true;                  // offer AEAD suites in SDES (some clients refuse the whole line)
    std::vector<CryptoSuite> sdes_suites;  // that may be used; empty: all
    std::uint32_t max_bitrate = 0;         // bit/s for one video stream, both ways; 0: no limit
};

// Why there is no session: what SIP answers 488 or 400 to and a browser is told.
struct Refusal {
    enum class Reason { malformed, encryption_required, no_common_codec };
    Reason reason = Reason::malformed;
    std::string detail;  // for logs; holds no keys
    unsigned sip_status() const { return reason == Reason::malformed ? 400 : 488; }
};
const char* to_string(Refusal::Reason reason);  // "malformed", "encryption_required", "no_common_codec"

template <typename T>
class [[nodiscard]] Outcome {
public:
    Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Outcome(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}
    bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }
    T& value() { return std::get<0>(state_); }
    const T& value() const { return std::get<0>(state_); }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Refusal& refusal() const { return std::get<1>(state_); }

private:
    std::variant<T, Refusal> state_;
};

enum class Role { main, content };
enum class KeyManagement { none, sdes, dtls };

// What the peer's decoder takes of a picture; 0: no limit.
struct PictureLimit {
    std::uint32_t frame_size = 0;       // macroblocks of 16×16
    std::uint32_t macroblock_rate = 0;  // macroblocks a second
    std::uint32_t framerate = 0;        // pictures a second
    std::uint32_t bitrate = 0;          // bit/s
    bool operator==(const PictureLimit&) const = default;
};

struct CodecPlan {
    Codec codec = Codec::none;
    std::uint8_t send_pt = 0;      // on packets we send
    std::uint8_t receive_pt = 0;   // on packets the peer sends
    std::uint32_t clock_rate = 0;  // Hz on the wire (8000 for G.722)
    unsigned channels = 1;
    unsigned packetization_mode = 0;  // H.264: 0 means one NAL unit a packet, no FU-A, no STAP-A
    bool high_profile = false;        // H.264: what we send, too; else constrained baseline
    PictureLimit limit;               // of what we send
    Parameters remote_fmtp;           // limits what we may send
    std::string remote_fmtp_text;
    std::string local_fmtp;  // what we write for our receiver; empty: no a=fmtp
    std::optional<std::uint8_t> rtx_send_pt;
    std::optional<std::uint8_t> rtx_receive_pt;
};

struct DtmfPlan {  // telephone-event (RFC 4733)
    std::uint8_t send_pt = 0;
    std::uint8_t receive_pt = 0;
    std::uint32_t clock_rate = 8000;
};

struct FecPlan {  // RED (RFC 2198) with ULPFEC (RFC 5109) in it, of pictures
    std::uint8_t red_send_pt = 0, red_receive_pt = 0;
    std::uint8_t ulpfec_send_pt = 0, ulpfec_receive_pt = 0;
    std::optional<std::uint8_t> rtx_send_pt, rtx_receive_pt;  // of RED
};

struct ExtmapPlan {  // header extension ids (RFC 8285), 1–14; 0: not negotiated
    unsigned mid = 0;
    unsigned audio_level = 0;  // RFC 6464
    unsigned transport_cc = 0;
};
inline constexpr const char* kUriMid = "urn:ietf:params:rtp-hdrext:sdes:mid";
inline constexpr const char* kUriAudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
inline constexpr const char* kUriTransportCc =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

// What numbers stand for in an m-line, or stood: "opus/48000/2" and the like.
using PayloadNumbers = std::map<std::uint8_t, std::string>;

struct MediaPlan {
    std::size_t index = 0;  // of the m-line
    MediaKind kind = MediaKind::other;
    Role role = Role::main;
    bool accepted = false;
    std::string mid;
    Proto proto = Proto::other;
    Direction direction = Direction::inactive;  // from our side: sends() is us to the peer
    bool held = false;                          // the peer put us on hold (receives nothing of us)
    // What we send is codecs.front(); what we may be sent is any of them. An answer of ours holds one.
    std::vector<CodecPlan> codecs;
    std::vector<DtmfPlan> dtmf;
    std::optional<FecPlan> fec;
    ExtmapPlan extmaps;
    RtcpFeedback feedback;
    bool rtcp_rsize = false;
    std::vector<Ssrc> remote_ssrcs;  // empty: unknown, learn from the packets
    std::vector<std::pair<std::uint32_t, std::uint32_t>> remote_rtx;  // FID: media ssrc, rtx ssrc
    std::string remote_msid;
    std::uint32_t max_send_bitrate = 0;     // bit/s; 0: not limited
    std::uint32_t max_receive_bitrate = 0;  // bit/s, what we ask for; 0: not limited
    std::size_t transport = 0;  // index into Negotiated::transports; meaningless when not accepted
    // As offered, to be echoed.
    std::string kind_name, proto_name, label, content;
    std::vector<std::string> format_names;
    PayloadNumbers numbers;  // of all descriptions of the session so far
};

struct SdesPlan {
    unsigned tag = 0;
    CryptoSuite suite = CryptoSuite::none;
    std::string suite_name;  // as the peer spells it
    CryptoKey remote;        // what the peer encrypts with
    // In each packet of ours; an answer's is the offer's, so that both directions have one.
    std::vector<std::uint8_t> local_mki;
};

struct DtlsPlan {
    std::vector<Fingerprint> remote_fingerprints;  // one of them must match the peer's certificate
    Setup local_setup = Setup::passive;            // passive: we are the DTLS server; active: the client
    unsigned min_key_bits = 0;                     // suites below it must not be offered
    std::string tls_id;                            // the peer's, of the association; empty: not given
};

struct IcePlan {
    Ice remote;  // candidates with names instead of addresses are left out
    bool controlling = false;
};

struct TransportPlan {
    // The same in every re-offer for as long as the transport is to live on.
    std::size_t id = 0;
    std::vector<std::size_t> media;  // m-line indices, the first owns the address
    std::string remote_address;      // see has_remote()
    std::uint16_t remote_port = 0;
    std::string remote_rtcp_address;
    std::uint16_t remote_rtcp_port = 0;  // equals remote_port with rtcp_mux
    bool ipv6 = false;                   // our side, for as long as the transport lives
    bool bundled = false;
    bool rtcp_mux = false;
    KeyManagement keying = KeyManagement::none;
    SdesPlan sdes;  // when keying == sdes
    DtlsPlan dtls;  // when keying == dtls
    std::optional<IcePlan> ice;
    // Against the negotiation before. New: to be set up, as in a first negotiation; else only what follows.
    bool is_new = true;
    bool ice_restarted = false;
    bool rekeyed = false;  // remote SDES key or fingerprint differs
    // Rule 20, 21: at least min_key_bits, and its keys did not travel in the clear. DTLS: once connected.
    bool counts_as_encrypted = false;

    // Else there is nowhere to send to: hold by address (RFC 2543), or an ICE agent that has yet to say.
    bool has_remote() const {
        return !remote_address.empty() && !is_unspecified(remote_address) && remote_port != 0;
    }
};

// BFCP (RFC 8856): we are the server of the floor that the content has.
struct FloorPlan {
    std::size_t index = 0;          // of its m-line
    bool tcp = false;               // else UDP
    bool passive = true;            // TCP: the peer connects to us
    bool keeps_connection = false;  // ... a=connection:existing
    std::string remote_address;
    std::uint16_t remote_port = 0;
    std::string stream;  // label of the content's m-line
};

struct Negotiated {
    LegKind kind = LegKind::sip;
    std::vector<MediaPlan> media;  // one per m-line, in order
    std::vector<TransportPlan> transports;
    std::size_t next_transport = 0;  // its id: none that was given in this session comes again
    std::optional<FloorPlan> floor;
    bool bundle = false;
    bool trickle = false;  // the peer takes trickled candidates
    bool extmap_allow_mixed = false;
    bool counts_as_encrypted = false;                                     // all transports do
    const MediaPlan* find(MediaKind kind, Role role = Role::main) const;  // accepted ones only
};

// Answers an offer. `previous` is what a re-offer changes: transports keep their id where they live on.
Outcome<Negotiated> answer(const Session& offer, const Policy& policy, const Negotiated* previous = nullptr);

struct LocalCrypto {
    unsigned tag = 1;
    CryptoSuite suite = CryptoSuite::none;
    std::vector<std::uint8_t> key;  // key || salt, info(suite).key_salt_size bytes
};

struct LocalTransport {
    std::size_t id = 0;   // TransportPlan::id (OfferTransport::id)
    std::string address;  // IPv4 or IPv6
    std::uint16_t port = 0;
    std::uint16_t rtcp_port = 0;      // ignored with rtcp-mux
    std::vector<LocalCrypto> crypto;  // answer: the chosen suite is looked up; offer: all, strongest first
    std::vector<Fingerprint> fingerprints;
    std::string ice_ufrag, ice_pwd;
    std::vector<Candidate> candidates;
    bool end_of_candidates = false;
};

struct LocalMedia {
    std::size_t index = 0;       // of the m-line
    std::uint32_t ssrc = 0;      // 0: write none
    std::uint32_t rtx_ssrc = 0;  // 0: none
    std::string msid;            // "stream track"; empty: none
};

struct LocalFloor {
    std::string address;
    std::uint16_t port = 0;
    std::uint32_t conference = 0;  // the same for all in a room
    std::uint16_t user = 0;        // the peer's
    std::uint16_t floor = 0;       // that goes with what is shown
    bool connected = false;        // over TCP
};

struct LocalParams {
    std::uint64_t session_id = 0;
    std::uint64_t session_version = 0;  // one more with each description that differs (RFC 3264 section 8)
    std::string session_name = "-";
    std::string cname;
    std::vector<LocalTransport> transports;
    std::vector<LocalMedia> media;
    bool ice_lite = false;
    std::optional<LocalFloor> floor;  // without it BFCP is refused, and not offered
};

std::string write_answer(const Negotiated& negotiated, const LocalParams& local);

// ---- Our own offers (SIP delayed offer, dial-out, re-INVITE) ----

struct OfferWish {  // what the leg wants to have; a first offer leaves out what is inactive
    Direction audio = Direction::sendrecv;
    Direction video = Direction::sendrecv;
    Direction content = Direction::sendrecv;
    bool ice = false;
    // Re-offer: all that we can do, as in a first one, with what is in use in front (RFC 3261 section 14.2);
    // otherwise the session as it is.
    bool anew = false;
    bool dtls = false;  // first offer only: UDP/TLS/RTP/SAVPF instead of SDES
};

struct OfferMedia {
    MediaKind kind = MediaKind::other;
    Role role = Role::main;
    bool enabled = true;  // false: the m-line keeps its place, with port 0
    std::string mid;
    Proto proto = Proto::rtp_avp;
    Direction direction = Direction::sendrecv;
    std::vector<CodecPlan> codecs;  // receive_pt is what we write
    std::vector<DtmfPlan> dtmf;
    std::optional<FecPlan> fec;
    ExtmapPlan extmaps;
    RtcpFeedback feedback;
    std::uint32_t max_receive_bitrate = 0;
    std::size_t transport = 0;  // index into OfferPlan::transports
    std::string kind_name, proto_name, label;
    std::vector<std::string> format_names;  // for m-lines that are no concern of ours
};

struct OfferTransport {
    std::size_t id = 0;  // as TransportPlan::id
    bool bundled = false;
    bool rtcp_mux = true;
    KeyManagement keying = KeyManagement::none;
    std::vector<CryptoSuite> suites;  // SDES: to be given keys in LocalTransport::crypto, tags from 1
    std::vector<std::uint8_t> mki;    // SDES, in a re-offer: of the key that we use so far
    bool ice = false;
    Setup setup = Setup::actpass;
};

struct OfferPlan {
    Policy policy;
    std::vector<OfferMedia> media;
    std::vector<OfferTransport> transports;
    std::optional<FloorPlan> floor;
    bool bundle = false;
};

// A first offer, or with `current` a re-offer: its m-lines, payload types, and transports are kept. What they
// are protected and reached by stays, but for the suites of SDES.
OfferPlan plan_offer(const Policy& policy, const OfferWish& wish, const Negotiated* current = nullptr);
std::string write_offer(const OfferPlan& plan, const LocalParams& local);
// `local` is what the offer was written with (its SDES tags say which key of ours is meant).
Outcome<Negotiated> apply_answer(const OfferPlan& plan, const LocalParams& local, const Session& answer,
                                 const Negotiated* previous = nullptr);

}  // namespace vmr::sdp
