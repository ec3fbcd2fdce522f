// The media side of one leg: offer/answer (daemon/sdp) on one hand, transports and the leg's bin on the
// other. Control thread only.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/token_bucket.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/media/bitrate_estimate.hpp"
#include "daemon/media/fec_share.hpp"
#include "daemon/media/floor.hpp"
#include "daemon/media/leg_bin.hpp"
#include "daemon/media/local_address.hpp"
#include "daemon/media/network.hpp"
#include "daemon/media/source_limit.hpp"
#include "daemon/media/transport/transport.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace vmr::media {

// What all sessions of the daemon share.
struct MediaEnvironment {
    const Pipelines* pipelines = nullptr;
    std::shared_ptr<MediaIoPool> io;
    std::shared_ptr<DtlsCertificate> certificate;
    UdpParams udp;
    std::function<IceParams()> ice;  // asked for each session: TURN credentials may be short-lived
    AdvertisedAddresses advertised;
    std::chrono::milliseconds jitter_buffer{60};
    // DSCP of what a transport sends (RFC 8837 section 5): one that carries sound is marked as sound, with
    // all that is bundled with it.
    std::uint8_t audio_dscp = 46;  // EF
    std::uint8_t video_dscp = 34;  // AF41
};

struct SessionStats {
    Slot slot = Slot::audio;
    MediaStats rtp;
    SlotTaps taps;
};

class Session final : public MediaSession {
public:
    // `peer_address` is the signalling peer's, for SDP when the offer is ours.
    Session(const MediaEnvironment& environment, const std::string& name, sdp::Policy policy,
            std::string peer_address);
    ~Session() override;

    SdpResult answer(std::string_view offer) override;
    SdpResult offer() override { return make_offer(false); }
    SdpResult offer_anew() override { return make_offer(true); }
    SdpResult accept_answer(std::string_view answer) override;
    void discard_offer() override;
    void add_candidate(std::string_view candidate, std::string_view mid, int mline) override;
    void set_callbacks(Callbacks callbacks) override { callbacks_ = std::move(callbacks); }
    void set_signalling(const std::string& protection) override;
    void set_peer_address(const std::string& address) override { peer_address_ = address; }
    void send_keyframe() override;
    vmr::CryptoReceipt crypto_receipt() const override;

    LegBin& bin() { return bin_; }
    // Slots were gained or a state changed: the room links what is new.
    void set_on_changed(std::function<void()> on_changed) { on_changed_ = std::move(on_changed); }
    // Media may flow both ways for the first time. The session may go meanwhile.
    void set_on_ready(std::function<void()> on_ready) { on_ready_ = std::move(on_ready); }

    // A queue began to grow on the way to the peer: time to follow_network().
    void set_on_congested(std::function<void()> on_congested) { on_congested_ = std::move(on_congested); }
    // The peer asks for the floor, or gives it back; without callbacks it does not get it.
    void set_floor_callbacks(FloorCallbacks callbacks) { floor_callbacks_ = std::move(callbacks); }
    // Who shares, for a peer with floor control.
    void set_floor_holder(FloorHolder holder);

    // Far-end camera control (H.224 frames, RFC 4573): what the peer sends, and to the peer.
    void set_on_camera_steered(std::function<void(const std::vector<std::uint8_t>&)> on_steered) {
        on_camera_steered_ = std::move(on_steered);
    }
    bool takes_camera_control() const;
    bool steer_camera(Bytes message);  // false: it could not be sent

    // From now on descriptions are agreed on as `policy` demands of their encryption.
    void demand(const sdp::Policy& policy) {
        policy_.encryption = policy.encryption;
        policy_.min_key_bits = policy.min_key_bits;
    }
    bool ready() const { return ready_; }
    // Our next offers put the peer on hold (sendonly: it hears us, and sends nothing; inactive: neither), or
    // take it back. The leg is to renegotiate then.
    void set_hold(std::optional<sdp::Direction> hold) { hold_ = hold; }
    // Of all m-lines together, from our side.
    sdp::Direction direction() const;
    // Since anything valid came on any transport; empty: nothing yet.
    std::optional<std::chrono::milliseconds> silence() const;
    std::vector<SessionStats> stats() const;
    // DSCP of this session's packets, before there are any paths; -1: as the environment says.
    void set_marking(int audio_dscp, int video_dscp) {
        audio_dscp_ = audio_dscp;
        video_dscp_ = video_dscp;
    }
    // To be called each second: asks the peer for no more video than the room shows of it, and tells what its
    // network does to what we send; video of at most `ceiling` bit/s.
    Network follow_network(uint32_t ceiling);

private:
    struct Path {
        std::unique_ptr<RtpTransport> transport;
        std::map<sdp::CryptoSuite, sdp::LocalCrypto> keys;  // ours
        bool agent = false;                                 // full ICE; else UDP
        bool lite = false;                                  // UDP that answers checks
        bool sound = true;                                  // carries some
        bool secured = false;
        std::vector<std::size_t> media;  // m-lines
        std::set<GstPad*> streams;       // what arrives; borrowed
    };

    MediaProblem problem(const sdp::Refusal& refusal) const;
    struct PathWish {
        bool ice = false;
        bool rtcp_mux = false;
        bool feedback = false;
        bool controlling = false;
        bool sound = true;
        std::string remote_address;
        std::uint16_t port = 0;  // 0: any
    };
    std::optional<MediaProblem> unusable(const sdp::Negotiated& negotiated) const;
    Status ensure_path(std::size_t id, const PathWish& wish);
    IceParams ice_params(bool controlling, bool sound) const;
    bool restarts(const sdp::Negotiated& negotiated) const;
    void cancel_restarts(const sdp::Negotiated& negotiated);
    std::uint16_t leave_agent(std::size_t id);
    bool steers_camera(const Path& path) const;
    std::uint8_t dscp(bool sound) const;
    SdpResult make_offer(bool anew);
    Result<sdp::LocalTransport> offer_transport(std::size_t index);
    std::optional<MediaProblem> take(const sdp::Negotiated& negotiated);
    Status apply(const sdp::Negotiated& negotiated);
    Status apply_transport(const sdp::TransportPlan& plan);
    Status apply_media(const sdp::MediaPlan& plan, RtpTransport& transport, bool is_new);
    sdp::LocalParams local_params(const sdp::Negotiated& negotiated);
    sdp::LocalTransport local_transport(std::size_t id, const std::string& remote_address);
    const sdp::LocalCrypto& key(Path& path, sdp::CryptoSuite suite, unsigned tag);
    std::string sdp_address(const std::string& remote_address) const;
    void drop_unused_paths();
    void drop_left_paths();
    bool awaits_keys(std::size_t path) const;
    bool may_connect(const std::string& address) const;
    bool ensure_floor(const sdp::FloorPlan& plan);
    void leave_floor();
    std::optional<sdp::LocalFloor> local_floor(const std::optional<sdp::FloorPlan>& plan);
    void report_if_ready();
    void on_stream_added(std::size_t path, const StreamInfo& stream, GstPad* pad);
    void on_state_changed(TransportState state, const std::string& reason);
    void on_candidate_found(std::size_t path, const std::string& candidate);
    static uint64_t random_number();
    void begin_streams(const sdp::TransportPlan& plan);
    uint32_t ssrc(std::size_t media) { return ssrc(media, false); }
    uint32_t ssrc(std::size_t media, bool retransmission);
    std::map<Slot, MediaStats> rtp_stats() const;
    std::optional<uint32_t> video_carried(const std::optional<MediaStats>& video, uint32_t ceiling);
    bool takes_fec() const;
    void protect_pictures(const std::map<Slot, MediaStats>& stats);
    std::optional<PathTrend> video_trend() const;
    void limit_sources();
    void ask_for_keyframe(Slot slot);

    const MediaEnvironment& environment_;
    std::string name_;
    sdp::Policy policy_;
    std::string peer_address_;
    std::string signalling_ = "none";
    Callbacks callbacks_;
    std::function<void()> on_changed_, on_ready_, on_congested_;
    std::function<void(const std::vector<std::uint8_t>&)> on_camera_steered_;
    bool ready_ = false;
    std::optional<sdp::Direction> hold_;

    LegBin bin_;
    TokenBucket restarts_;               // of ICE
    std::map<std::size_t, Path> paths_;  // by TransportPlan::id; go before bin_
    std::map<std::size_t, std::map<sdp::CryptoSuite, sdp::LocalCrypto>>
        kept_keys_;                                           // of a path that is replaced
    std::map<std::pair<std::size_t, bool>, uint32_t> ssrcs_;  // by m-line; true: of retransmissions
    std::unique_ptr<Floor> floor_;
    FloorCallbacks floor_callbacks_;
    FloorHolder floor_holder_ = FloorHolder::nobody;
    std::map<Slot, SourceLimit> source_limits_;
    std::map<Slot, FecShare> fec_shares_;
    std::optional<BitrateEstimate> network_;
    std::optional<sdp::Negotiated> negotiated_;
    std::optional<sdp::OfferPlan> offered_;
    std::optional<sdp::LocalParams> offered_local_;
    int audio_dscp_ = -1, video_dscp_ = -1;
    uint64_t session_id_;
    uint64_t session_version_ = 0;
};

}  // namespace vmr::media
