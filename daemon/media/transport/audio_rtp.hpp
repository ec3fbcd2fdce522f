// One audio m-line: RTP straight between the transport and two pads of its bin, without rtpbin, so without a
// thread.
//
//   received → counted → rtp_src_<media>    in the order of arrival: who takes it has the jitter buffer
//              telephone-event → keys
//   rtp_sink_<media> → one stream towards the peer, whoever makes its packets → protected and sent
//
// What arrives is pushed on the transport's media-io thread, what is sent leaves on the thread that made it;
// neither waits for anything.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "daemon/media/transport/audio_sender.hpp"
#include "daemon/media/transport/rtcp_writer.hpp"
#include "daemon/media/transport/stream_choice.hpp"
#include "daemon/media/transport/telephone_events.hpp"
#include "daemon/media/transport/types.hpp"
#include "srtp/receive_counts.hpp"

namespace vmr::media {

class AudioRtpHost {
public:
    virtual ~AudioRtpHost() = default;
    // Any thread, never waits: a plain packet, to be protected and sent.
    virtual bool send(Component component, Bytes packet) = 0;
    // media-io. What arrives on the pad from now on is this stream; it holds back its data until
    // release_stream().
    virtual void on_audio_started(const StreamInfo& stream, PadPtr pad) = 0;
    virtual void on_key_pressed(unsigned media, char key) = 0;
    virtual void on_bye_read(unsigned media, uint32_t ssrc) = 0;
};

// For pads of which neither events nor queries cross to others of their element.
GstIterator* no_internal_links(GstPad* pad, GstObject* parent);

class AudioRtp {
public:
    // `bin` gets the pads and outlives this.
    AudioRtp(GstElement* bin, unsigned media, std::string cname, AudioRtpHost& host);
    ~AudioRtp();  // control thread; the pads are unlinked, nothing arrives any more
    AudioRtp(const AudioRtp&) = delete;
    AudioRtp& operator=(const AudioRtp&) = delete;

    // Control thread.
    void set(const MediaParams& params);
    void set_sending(bool sending) { sender_.set_sending(sending); }
    GstPad* sink() const { return sender_.pad(); }
    GstPad* source() const { return source_.get(); }
    void release_stream() { ++released_; }
    void send_bye();
    void fill(MediaStats& stats) const;

    // media-io
    void receive(Bytes packet);
    void receive_rtcp(const PeerRtcp& rtcp);
    // Sends a report where there is something to say.
    void report();

private:
    struct Format {
        CapsPtr caps;
        unsigned clock_rate = 8000;  // Hz
        bool events = false;         // telephone-event
    };

    void receive_events(const vmr::RtpHeader& header, Bytes packet);
    void receive_sound(const vmr::RtpHeader& header, Bytes packet, const Format& format);
    void announce(const vmr::RtpHeader& header, const CapsPtr& caps);
    void pass_on(BufferPtr buffer);
    void push(BufferPtr buffer);
    bool start_source();
    std::optional<ReportBlock> take_report_block();

    GstElement* bin_;
    const unsigned media_;
    const std::string cname_;
    AudioRtpHost& host_;
    AudioSender sender_;
    PadPtr source_;

    // media-io
    StreamChoice choice_;
    TelephoneEvents events_;
    CapsPtr caps_, pushed_caps_;   // of the stream that was announced last; what the pad was told
    std::vector<BufferPtr> held_;  // until the control thread is ready for it
    uint16_t hidden_ = 0;          // packets of the stream's that are not sound
    unsigned announced_ = 0;
    std::atomic<unsigned> released_ = 0;

    mutable std::mutex receive_mutex_;  // leaf: nothing is sent, pushed or called under it
    std::map<uint8_t, Format> formats_;
    ReceiveCounts counts_;
    unsigned receive_rate_ = 8000;  // Hz
    uint64_t received_packets_ = 0, received_bytes_ = 0;
    uint64_t reported_received_[2] = {0, 0};  // at the last report, and at the one before
    uint32_t peer_report_ = 0;                // NTP, the middle 32 bits, of the peer's last
    int64_t peer_report_at_ = 0;              // µs, monotonic
};

}  // namespace vmr::media
