// Joins a channel, the DTLS handshake and the RTP session to one RtpTransport.
//
// Threads: the public calls and `…_on_control` run on the control thread; Channel and
// Dtls events on the transport's media-io thread; RtpSession events on streaming threads. media-io never
// waits for the control thread, so the control thread may wait for it.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/media/transport/dtls_session.hpp"
#include "daemon/media/transport/ice_path.hpp"
#include "daemon/media/transport/io_timer.hpp"
#include "daemon/media/transport/rtp_session.hpp"
#include "daemon/media/transport/transport.hpp"
#include "daemon/media/transport/udp_channel.hpp"

namespace vmr::media {

class TransportImpl final : public RtpTransport,
                            private ChannelEvents,
                            private DtlsEvents,
                            private RtpSessionEvents {
public:
    TransportImpl(TransportParams params, TransportCallbacks callbacks);
    ~TransportImpl() override;
    Status open();

    GstElement* bin() const override { return session_->bin(); }
    LocalDescription local() const override;
    Status set_remote(const UdpRemote& remote) override;
    Status set_remote(const IceRemote& remote) override;
    Status add_remote_candidate(const std::string& candidate) override;
    Status restart_ice(const IceParams& params) override;
    void cancel_ice_restart() override;
    Status set_security(const Security& security) override;
    Status add_media(const MediaParams& media) override;
    void set_sending(unsigned media, bool sending) override { session_->set_sending(media, sending); }
    void set_fec(unsigned media, unsigned percentage) override { session_->set_fec(media, percentage); }
    GstPad* send_pad(unsigned media) const override { return session_->send_pad(media); }
    TransportState state() const override { return state_; }
    TransportStats stats() const override;
    CryptoReceipt crypto() const override { return crypto_; }
    std::optional<std::chrono::milliseconds> last_packet_age() const override;
    void limit_sources(const std::map<unsigned, uint32_t>& bitrates) override {
        session_->limit_sources(bitrates);
    }
    std::optional<PathTrend> trend() const override { return session_->trend(); }
    void send_bye() override { session_->send_bye(); }
    bool send_message(unsigned media, Bytes message) override {
        return session_->send_message(media, message);
    }

private:
    struct EarlyPacket {
        Component component;
        std::vector<uint8_t> bytes;
    };
    struct Counters {
        std::atomic<uint64_t> garbage = 0, oversized = 0, wrong_source = 0, before_keys = 0,
                              auth_failures = 0, unrouted = 0, send_failures = 0, received = 0, sent = 0;
    };

    // ChannelEvents
    void on_datagram_received(Component component, Bytes datagram) override;
    void on_oversized_received() override { counters_.oversized++; }
    void on_stranger_received() override { counters_.wrong_source++; }
    void on_path_connected() override;
    void on_path_failed(const std::string& reason) override;
    void on_local_candidate_found(const std::string& ufrag, const std::string& candidate) override;
    // DtlsEvents
    void on_dtls_datagram_made(Bytes datagram) override;
    void on_dtls_keyed(const SrtpKeys& keys) override;
    void on_dtls_failed(const std::string& reason) override;
    void on_dtls_closed() override;
    // RtpSessionEvents
    bool on_packet_made(Component component, Bytes packet) override;
    void on_packet_withheld() override { counters_.before_keys++; }
    void on_packet_refused() override { counters_.send_failures++; }
    void on_stream_made(const StreamInfo& stream, PadPtr pad) override;
    void on_stream_gone(const StreamInfo& stream, PadPtr pad) override;
    void on_bye_read(unsigned media, uint32_t ssrc) override;
    void on_key_pressed(unsigned media, char key) override;
    void on_queue_grown() override;
    void on_message_read(unsigned media, Bytes message) override;

    // control
    void notify(std::function<void()> task);
    void advance(TransportState state, const std::string& reason);
    void update_readiness();
    void start_reports();
    Status use_keys(CryptoReceipt receipt, const std::optional<SrtpKeys>& keys);
    Status use_dtls(const DtlsParams& params);
    // media-io
    void handle_dtls(Bytes datagram);
    void handle_media(Component component, Bytes packet);
    void keep_early(Component component, Bytes packet);
    void replay_early();
    void start_dtls();
    void rearm_dtls_timer();
    void plan_report(std::chrono::microseconds delay);
    void flush_dtls();

    TransportParams params_;
    TransportCallbacks callbacks_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<RtpSession> session_;
    std::unique_ptr<UdpChannel> udp_;
    std::unique_ptr<IcePath> ice_;
    Channel* channel_ = nullptr;  // the one of the two

    // control
    TransportState state_ = TransportState::created;
    CryptoReceipt crypto_;
    bool path_connected_ = false;
    bool keys_installed_ = false;
    bool has_audio_ = false;
    bool reports_started_ = false;
    std::optional<DtlsParams> dtls_params_;

    // media-io
    std::unique_ptr<DtlsSession> dtls_;
    IoTimer dtls_timer_, dtls_deadline_, report_timer_;
    bool connected_ = false;
    bool dtls_started_ = false;
    bool security_known_ = false;
    std::vector<std::vector<uint8_t>> unsent_dtls_;  // made before the path was there
    std::vector<std::vector<uint8_t>> early_dtls_;   // arrived before set_security
    std::vector<EarlyPacket> early_;                 // arrived before the keys were in use

    std::atomic<bool> halted_ = false;  // failed or closed: nothing passes any more
    std::atomic<int64_t> last_packet_us_ = 0;
    mutable Counters counters_;
};

}  // namespace vmr::media
