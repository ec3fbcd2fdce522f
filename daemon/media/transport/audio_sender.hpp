// What is sent on one audio m-line: a pad of the transport's bin, and one stream towards the peer, whoever
// makes its packets. They leave on the thread that made them.
#pragma once
#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/gst_ptr.hpp"
#include "daemon/media/transport/rtcp_writer.hpp"
#include "daemon/media/transport/send_line.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

class AudioRtpHost;

class AudioSender {
public:
    // `bin` gets the pad rtp_sink_<media> and outlives this.
    AudioSender(GstElement* bin, unsigned media, AudioRtpHost& host);
    ~AudioSender();  // the pad is unlinked
    AudioSender(const AudioSender&) = delete;
    AudioSender& operator=(const AudioSender&) = delete;

    // Control thread.
    void set(const MediaParams& params);
    void set_sending(bool sending);
    GstPad* pad() const { return pad_.get(); }
    void fill(MediaStats& stats) const;

    // Any thread.
    uint32_t ssrc() const;
    // For a report; nothing if nothing was sent since the last report but one (RFC 3550 section 6.4).
    std::optional<SenderInfo> take_info();

private:
    // Whoever asks the pad for its caps may still do so when the rest has gone.
    class State;

    void send(GstBuffer* buffer);
    static GstFlowReturn on_buffer_received(GstPad* pad, GstObject* parent, GstBuffer* buffer);

    GstElement* bin_;
    AudioRtpHost& host_;
    std::shared_ptr<State> state_;
    PadPtr pad_;
};

}  // namespace vmr::media
