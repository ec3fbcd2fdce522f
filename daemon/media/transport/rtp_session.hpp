// The GStreamer side of a transport: a bin with rtpbin (one session), srtpdec and
// srtpenc once there are keys, and one send chain for each media. Packets enter and
// leave through free-standing pads, not through elements that own sockets.
#pragma once
#include <gst/gst.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "base/signal.hpp"
#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_router.hpp"
#include "daemon/media/transport/srtp.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

class RtpSessionEvents {
public:
    virtual ~RtpSessionEvents() = default;
    virtual void on_packet_made(Component component, Bytes packet) = 0;  // any streaming thread
    virtual void on_packet_withheld() = 0;                               // … made before the keys
    // Streaming threads; the pad holds its data back until release_stream().
    virtual void on_stream_made(const StreamInfo& stream, PadPtr pad) = 0;
    virtual void on_stream_gone(const StreamInfo& stream, PadPtr pad) = 0;
    virtual void on_bye_read(unsigned media, uint32_t ssrc) = 0;
};

struct RtpSessionParams {
    std::string name;
    unsigned latency_ms = 60;
    bool feedback = true;
    bool rtcp_reduced_size = true;
    double bandwidth = 0;
};

enum class ReceiveResult { delivered, malformed, not_ready, auth_failed, unrouted };

class RtpSession {
public:
    static Result<std::unique_ptr<RtpSession>> create(const RtpSessionParams& params,
                                                      RtpSessionEvents& events);
    ~RtpSession();  // control thread; receive() must not be called any more
    RtpSession(const RtpSession&) = delete;
    RtpSession& operator=(const RtpSession&) = delete;

    GstElement* bin() const { return bin_.get(); }

    // Control thread.
    Status add_media(const MediaParams& media);
    GstPad* send_pad(unsigned media) const;
    // Opens the way for packets: empty keys are plain RTP. Called again: new keys.
    Status install(const std::optional<SrtpKeys>& keys);
    void release_stream(GstPad* pad);
    void send_bye();
    void fill_stats(TransportStats& stats) const;

    // media-io
    bool ready() const { return ready_; }
    ReceiveResult receive(Component component, Bytes packet);

private:
    struct Stream {
        StreamInfo info;
        PadPtr pad;
        PadPtr target;
        gulong block = 0;
    };
    struct SendChain {
        MediaParams params;
        ElementPtr caps, rtx;
        PadPtr funnel_pad, pad;
    };
    struct Gate {
        PadPtr pad;
        gulong probe = 0;
    };

    explicit RtpSession(RtpSessionEvents& events) : events_(events) {}
    Status build(const RtpSessionParams& params);
    void configure_session(const RtpSessionParams& params);
    void connect_signals();
    ElementPtr add_element(const char* factory);
    Gate close_gate(const char* pad_name);
    void open_gate(Gate& gate);
    Status build_crypto(const SrtpKeys& keys);
    Status build_ports(PadPtr rtp_out, PadPtr rtcp_out, PadPtr rtp_in, PadPtr rtcp_in);
    Status build_send_chain(SendChain& chain);
    void update_rtx(const SendChain& chain);
    void fill_media_stats(MediaStats& stats, const MediaParams& params, const GValueArray* sources) const;

    static GstFlowReturn on_buffer_out(GstPad* pad, GstObject* parent, GstBuffer* buffer);
    static GstPadProbeReturn on_withheld(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstPadProbeReturn on_rtp_in(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstPadProbeReturn on_rtcp_in(GstPad* pad, GstPadProbeInfo* info, gpointer self);
    static GstCaps* on_pt_map_requested(GstElement* rtpbin, guint session, guint pt, gpointer self);
    static GstElement* on_aux_receiver_requested(GstElement* rtpbin, guint session, gpointer self);
    static GstCaps* on_key_requested(GstElement* srtpdec, guint ssrc, gpointer self);
    static void on_jitterbuffer_made(GstElement* rtpbin, GstElement* jitterbuffer, guint session, guint ssrc,
                                     gpointer self);
    static void on_pad_added(GstElement* rtpbin, GstPad* pad, gpointer self);
    static void on_pad_removed(GstElement* rtpbin, GstPad* pad, gpointer self);
    static void on_bye_received(GstElement* rtpbin, guint session, guint ssrc, gpointer self);
    void add_stream(GstPad* target, const StreamInfo& info);

    RtpSessionEvents& events_;
    ElementPtr bin_, rtpbin_, funnel_, srtpdec_, srtpenc_, rtx_receive_;
    GPtr<GObject> session_;  // rtpbin's RTPSession
    std::vector<SignalConnection> signals_;
    std::array<PadPtr, 2> rx_, tx_;  // by Component; free-standing
    PadPtr recv_rtp_, recv_rtcp_;    // of rtpbin
    Gate rtp_gate_, rtcp_gate_;
    std::map<unsigned, SendChain> sends_;
    std::map<unsigned, MediaParams> media_;
    RtpRouter router_;
    RtcpReports reports_;
    std::atomic<bool> ready_ = false;

    // media-io, within receive()
    bool authenticated_ = false;
    bool routed_ = false;
    std::set<uint32_t> proven_ssrcs_;

    // Lock order: streams_mutex_ and keys_mutex_ are each innermost.
    std::mutex streams_mutex_;
    std::vector<Stream> streams_;
    unsigned next_stream_ = 0;
    std::mutex keys_mutex_;
    std::optional<SrtpKeys> keys_;
};

}  // namespace vmr::media
