// The RTP of a transport: SRTP, and a bin. Audio goes its own way (audio_rtp.hpp); for the rest, once there
// is any, the bin has rtpbin (one session) and one send chain for each media. Packets enter and leave rtpbin
// through free-standing pads, not through elements that own sockets.
#pragma once
#include <gst/gst.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "base/signal.hpp"
#include "daemon/media/transport/audio_rtp.hpp"
#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/data_line.hpp"
#include "daemon/media/transport/peer_sources.hpp"
#include "daemon/media/transport/picture_return.hpp"
#include "daemon/media/transport/queue_trend.hpp"
#include "daemon/media/transport/rtcp_bitrate.hpp"
#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_router.hpp"
#include "daemon/media/transport/srtp.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

class RtpSessionEvents {
public:
    virtual ~RtpSessionEvents() = default;
    // Any thread that sends. As it goes on the wire; false: it did not get there.
    virtual bool on_packet_made(Component component, Bytes packet) = 0;
    virtual void on_packet_withheld() = 0;  // … made before the keys
    virtual void on_packet_refused() = 0;   // … not RTP, too large, or its index was used before
    // Streaming threads; the pad holds its data back until release_stream().
    virtual void on_stream_made(const StreamInfo& stream, PadPtr pad) = 0;
    virtual void on_stream_gone(const StreamInfo& stream, PadPtr pad) = 0;
    virtual void on_bye_read(unsigned media, uint32_t ssrc) = 0;
    virtual void on_key_pressed(unsigned media, char key) = 0;
    virtual void on_queue_grown() = 0;  // on the way to the peer
    virtual void on_message_read(unsigned media, Bytes message) = 0;
};

struct RtpSessionParams {
    std::string name;
    unsigned latency_ms = 60;
    bool feedback = true;
    bool rtcp_reduced_size = true;
    double bandwidth = 0;
};

enum class ReceiveResult { delivered, malformed, not_ready, auth_failed, unrouted };

class RtpSession : private AudioRtpHost {
public:
    static Result<std::unique_ptr<RtpSession>> create(const RtpSessionParams& params,
                                                      RtpSessionEvents& events);
    ~RtpSession() override;  // control thread; receive() must not be called any more
    RtpSession(const RtpSession&) = delete;
    RtpSession& operator=(const RtpSession&) = delete;

    GstElement* bin() const { return bin_.get(); }

    // Control thread.
    Status add_media(const MediaParams& media);
    GstPad* send_pad(unsigned media) const;
    // Opens the way for packets: empty keys are plain RTP. Called again: new keys.
    Status install(const std::optional<SrtpKeys>& keys);
    void set_sending(unsigned media, bool sending);  // audio
    void set_fec(unsigned media, unsigned percentage);
    void release_stream(GstPad* pad);
    void send_bye();
    void limit_sources(const std::map<unsigned, uint32_t>& bitrates);
    void fill_stats(TransportStats& stats) const;
    std::optional<PathTrend> trend() const;

    // Any thread. False: no such data line, or the message does not fit.
    bool send_message(unsigned media, Bytes message);
    // Any thread, never waits: protects a plain packet of ours and sends it, past rtpbin.
    bool send(Component component, Bytes packet) override;

    // media-io
    void report_audio();
    bool ready() const { return ready_; }
    ReceiveResult receive(Component component, Bytes packet);

private:
    struct Stream {
        StreamInfo info;
        PadPtr pad;
        PadPtr target;
        gulong block = 0;
    };
    struct Sending {
        std::mutex mutex;  // innermost
        FecSender sender;
        bool agreed = false;
        bool pushing = false;  // of the pad's streaming thread
    };
    struct SendChain {
        MediaParams params;
        ElementPtr caps, rtx;
        PadPtr funnel_pad, pad;
        std::unique_ptr<Sending> sending = std::make_unique<Sending>();
    };
    struct FecReceiving {
        unsigned media = 0;
        FecReceiver receiver;
    };

    RtpSession(const RtpSessionParams& params, RtpSessionEvents& events);
    Status build_rtpbin();
    void configure_session();
    void connect_signals();
    ElementPtr add_element(const char* factory);
    Status build_ports(const std::array<PadPtr, 2>& out, const std::array<PadPtr, 2>& in);
    Status build_send_chain(SendChain& chain);
    bool is_heard(unsigned media, const RtpRouter::Source& source);
    void send_rtcp_soon();
    Status add_to_rtpbin(const MediaParams& media);
    AudioRtp* audio_of(unsigned media) const;
    std::vector<AudioRtp*> audio_lines() const;
    void fill_from_rtpbin(TransportStats& stats) const;
    void add_reports(MediaStats& stats, const MediaParams& params) const;
    void take_arrivals(const GstStructure* told);
    void update_rtx(const SendChain& chain);
    void update_sending(const SendChain& chain);
    void prepare(GstElement* jitterbuffer, uint32_t ssrc);
    void prepare_late(uint32_t ssrc);
    void omit_fec(GstElement* jitterbuffer, uint32_t ssrc);
    std::vector<RtpBytes> take_fec(GstBuffer* buffer, uint32_t ssrc, const FecFormat& format);
    void fill_fec(MediaStats& stats) const;
    void fill_media_stats(MediaStats& stats, const MediaParams& params, const GValueArray* sources) const;

    static GstFlowReturn on_buffer_out(GstPad* pad, GstObject* parent, GstBuffer* buffer);
    static GstCaps* on_pt_map_requested(GstElement* rtpbin, guint session, guint pt, gpointer self);
    static GstElement* on_aux_receiver_requested(GstElement* rtpbin, guint session, gpointer self);
    static void on_jitterbuffer_made(GstElement* rtpbin, GstElement* jitterbuffer, guint session, guint ssrc,
                                     gpointer self);
    static void on_pad_added(GstElement* rtpbin, GstPad* pad, gpointer self);
    static void on_pad_removed(GstElement* rtpbin, GstPad* pad, gpointer self);
    static gboolean on_rtcp_made(GObject* session, GstBuffer* compound, gboolean early, gpointer self);
    struct Watch;
    static GstPadProbeReturn drop_if_unlinked(GstPad* pad, GstPadProbeInfo* info, gpointer watch);
    static GstPadProbeReturn on_arrivals_told(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstPadProbeReturn on_repaired_received(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstPadProbeReturn on_packet_gathered(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstPadProbeReturn on_picture_sent(GstPad* pad, GstPadProbeInfo* info, gpointer sending);
    static void on_bye_received(GstElement* rtpbin, guint session, guint ssrc, gpointer self);
    // AudioRtpHost
    void on_audio_started(const StreamInfo& stream, PadPtr pad) override;
    void on_key_pressed(unsigned media, char key) override { events_.on_key_pressed(media, key); }
    void on_bye_read(unsigned media, uint32_t ssrc) override { events_.on_bye_read(media, ssrc); }
    void add_stream(GstPad* target, const StreamInfo& info);
    ReceiveResult unprotect(Component component, MutableBytes packet, size_t& size);
    ReceiveResult take_rtp(Bytes packet);
    bool take_data(unsigned media, Bytes packet);
    ReceiveResult take_rtcp(Bytes compound);
    ReceiveResult push_rtp(const RtpHeader& header, Bytes packet);
    ReceiveResult push_rtcp(Bytes compound);
    ReceiveResult push(Component component, Bytes packet);

    const RtpSessionParams params_;
    const std::string cname_;  // says nothing about this host (RFC 7022)
    RtpSessionEvents& events_;
    ElementPtr bin_, rtpbin_, funnel_, rtx_receive_;
    GPtr<GObject> session_;  // rtpbin's RTPSession
    std::vector<SignalConnection> signals_;
    std::array<PadPtr, 2> rx_, tx_;  // by Component; free-standing
    std::map<unsigned, SendChain> sends_;
    std::map<unsigned, MediaParams> media_;
    RtpRouter router_;
    RtcpReports reports_;
    RtcpBitrate bitrate_;
    PeerSources peer_sources_;  // media-io
    struct Heard {
        uint64_t packets = 0;  // of RtpRouter::Source
        int64_t since_us = 0;  // monotonic
    };
    std::map<unsigned, Heard> heard_;  // of the control thread, by media
    SrtpSession srtp_;
    std::atomic<bool> secure_ = false;  // set before ready_, then constant
    std::atomic<bool> ready_ = false;
    std::atomic<bool> has_rtpbin_ = false;  // and all of it is linked

    mutable std::mutex audio_mutex_;  // innermost; the lines themselves stay until the end
    std::map<unsigned, std::unique_ptr<AudioRtp>> audio_;

    std::mutex data_mutex_;  // leaf
    std::map<unsigned, DataLine> data_;

    mutable std::mutex trend_mutex_;  // innermost
    QueueTrend trend_;
    uint64_t arrival_reports_ = 0;
    std::atomic<unsigned> sent_twcc_extension_ = 0;  // 0: none
    std::atomic<uint64_t> unreported_ = 0;           // packets that were sent since

    mutable std::mutex fec_mutex_;          // innermost
    std::map<uint32_t, FecReceiving> fec_;  // by SSRC
    bool pushing_repaired_ = false;         // media-io

    std::mutex streams_mutex_;  // innermost
    bool closing_ = false;      // under it: nothing may block any more
    std::vector<Stream> streams_;
    std::map<unsigned, std::shared_ptr<PictureReturn>> pictures_;  // by media
    std::map<uint32_t, ElementPtr> unprepared_;  // jitter buffers of SSRCs from which no packet came yet
    unsigned next_stream_ = 0;
};

}  // namespace vmr::media
