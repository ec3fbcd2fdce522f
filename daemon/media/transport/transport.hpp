// One media transport: a path (UDP or ICE), its security (plain, SDES or DTLS) and
// one RTP session, which carries one media or a bundle of them.
//
//   RX  socket or agent (thread media-io) → SRTP → rtpbin → rtp_src_<media>_<n>
//   TX  rtp_sink_<media> → rtpfunnel → rtpbin → SRTP → socket or agent
//
// Audio has neither rtpbin nor a thread (audio_rtp.hpp):
//
//   RX  socket or agent → SRTP → rtp_src_<media>, in the order of arrival
//   TX  rtp_sink_<media> → SRTP → socket or agent
//
// Order of calls: create, local() for the SDP, add_media, set_remote, set_security;
// in any order after create, and bin() may be added to the pipeline at any time.
// Each may be called again when a re-negotiation changes it. Nothing is sent before
// the peer is known and, with SRTP, the keys are there.
//
// All calls come from the control thread, and all callbacks are made there (on
// `control`), never from within a call and never after the destructor.
#pragma once
#include <gst/gst.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "daemon/media/transport/dtls_certificate.hpp"
#include "daemon/media/transport/media_io.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

struct TransportCallbacks {
    // ICE only. One value "candidate:…"; an empty one ends them.
    std::function<void(const std::string& candidate)> on_candidate_found;
    // `reason` says why on failed and closed; no keys or addresses of peers in it.
    std::function<void(TransportState state, const std::string& reason)> on_state_changed;
    // A new stream has a pad of the bin: rtp packets, to depayload outside. The pad
    // holds back its data until this returns; link it here. One that stays unlinked
    // drops its packets. PT change within an SSRC (telephone-event) is a stream of its own. Comes again for a
    // picture that was left (unlinked) and that the peer has gone back to.
    std::function<void(const StreamInfo& stream, GstPad* pad)> on_stream_added;
    // Audio: all streams of an m-line have the same pad; this comes for each anew.
    // The stream's pad is gone (time-out, BYE, PT no longer negotiated).
    std::function<void(const StreamInfo& stream, GstPad* pad)> on_stream_removed;
    // A queue began to grow on the way to the peer.
    std::function<void()> on_congested;
    // The peer said RTCP BYE for this SSRC.
    std::function<void(unsigned media, uint32_t ssrc)> on_bye_received;
    // A data line: what the peer sent, at most 512 bytes, 40 times a second.
    std::function<void(unsigned media, const std::vector<uint8_t>& message)> on_message_received;
    // Audio: a key came as telephone-event (RFC 4733): 0–9 * # A–D.
    std::function<void(unsigned media, char key)> on_key_pressed;
};

struct TransportParams {
    std::shared_ptr<MediaIo> io;                   // must be set: the thread it lives on
    std::shared_ptr<DtlsCertificate> certificate;  // must be set for DTLS
    std::string name = "transport";                // of the bin and in the log
    std::variant<UdpParams, IceParams> path;
    std::chrono::milliseconds latency{60};  // of the jitter buffer
    bool feedback = true;                   // AVPF/SAVPF: early RTCP; else AVP/SAVP
    bool rtcp_reduced_size = true;          // RFC 5506, when a=rtcp-rsize was negotiated
    double bandwidth = 2'000'000;           // bit/s; what RTCP's share is taken from
    GMainContext* control = nullptr;        // null: GLib's default context
};

struct LocalDescription {
    std::string address;     // UDP: as given; ICE: of the default candidate when gathered
    uint16_t rtp_port = 0;   // UDP
    uint16_t rtcp_port = 0;  // equal to rtp_port when muxed
    std::string ice_ufrag, ice_password;
    bool ice_lite = false;
    std::vector<std::string> candidates;  // so far: values "candidate:…"
    bool gathering_done = false;
};

class RtpTransport {
public:
    static Result<std::unique_ptr<RtpTransport>> create(TransportParams params, TransportCallbacks callbacks);
    // Stops, takes the bin out of its pipeline and frees it. Safe in PLAYING while
    // packets arrive. What feeds rtp_sink_<media> must be unlinked (or blocked) before.
    virtual ~RtpTransport() = default;

    virtual GstElement* bin() const = 0;
    virtual LocalDescription local() const = 0;

    virtual Status set_remote(const UdpRemote& remote) = 0;
    virtual Status set_remote(const IceRemote& remote) = 0;
    // RFC 8445 section 9. local(), set_remote() and candidates are of a new agent from then on, which the
    // path changes over to when it has connected; keys and streams stay. Again before that: another takes its
    // place.
    virtual Status restart_ice(const IceParams& params) = 0;
    // They are of the agent in use again, unless the path has changed over.
    virtual void cancel_ice_restart() = 0;
    // One trickled candidate; empty: no more. `.local` names are ignored, not errors.
    virtual Status add_remote_candidate(const std::string& candidate) = 0;

    // New SDES keys of a re-negotiation replace those in use at once. For DTLS the
    // first call counts; a later one with the same fingerprints is a no-op, with others
    // an error (make a new transport).
    virtual Status set_security(const Security& security) = 0;

    // Adds or replaces the media of that index. Its sink pad, "rtp_sink_<index>" of
    // the bin, exists from then on if there is something to send.
    virtual Status add_media(const MediaParams& media) = 0;
    virtual GstPad* send_pad(unsigned media) const = 0;  // null: none; borrowed
    // Audio: hold. What comes at its pad is dropped until resumed.
    virtual void set_sending(unsigned media, bool sending) = 0;

    // Pictures: packets of forward error correction for a hundred of them, where it was agreed on.
    virtual void set_fec(unsigned media, unsigned percentage) = 0;

    // A data line; false: it has none, is not ready or the message does not fit.
    virtual bool send_message(unsigned media, Bytes message) = 0;

    virtual TransportState state() const = 0;
    virtual TransportStats stats() const = 0;
    virtual CryptoReceipt crypto() const = 0;
    // Empty: the peer reports no arrival times (TWCC).
    virtual std::optional<PathTrend> trend() const = 0;
    // Since the last valid (authenticated) RTP or RTCP packet; empty: none came yet.
    virtual std::optional<std::chrono::milliseconds> last_packet_age() const = 0;

    // Asks the peer to send no more than so many bit/s, by media: those that negotiated it, and that do send.
    // To be called again each second or so; others are asked for nothing.
    virtual void limit_sources(const std::map<unsigned, uint32_t>& bitrates) = 0;

    // Says RTCP BYE to the peer for what we send; sending is over after it.
    virtual void send_bye() = 0;
};

}  // namespace vmr::media
