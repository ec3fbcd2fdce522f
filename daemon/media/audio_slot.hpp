// A participant's sound within their bin. Each direction has one of two ways:
//
//   own     transport → tap → jitter buffer, decoder → ivr → gate → [audio_src] → mixer
//           transport ← tap ← payloader, encoder ← ivr ← gate ← [audio_sink] ← mixer
//   direct  transport → tap → [audio_rtp_src] → mixer
//           transport ← tap ← [audio_rtp_sink] ← mixer
//
// The own way is that of PIN, lobby and prompts. On the direct one nothing runs but what the packet runs
// through: no thread, no decoder, no encoder. The taps stay, so their counts go on.
#pragma once
#include <chrono>

#include "daemon/media/pipelines.hpp"
#include "daemon/media/slots.hpp"

namespace vmr::media {

class AudioSlot {
public:
    AudioSlot(const Pipelines& pipelines, GstElement* bin);

    // Of the own way.
    void set_jitter_buffer(std::chrono::milliseconds length) { jitter_buffer_ = length; }

    // What arrives on `rtp`, from now on, has this codec.
    void receive(const std::string& codec, GstPad* rtp);
    void stop_receiving(GstPad* rtp);
    // Sends into `transport_sink`; again with others: in another format, or elsewhere.
    void send(const SendParams& params, GstPad* transport_sink);
    // The most that may be sent, bit/s; 0: no limit.
    void limit(uint32_t bitrate);
    uint32_t max_bitrate() const { return params_.bitrate; }

    // Changes the way; before, the mixer's pad is unlinked from what to_room() or from_room() returns. When
    // this returns nothing is on the way that was left.
    void set_direct_in(bool direct);
    void set_direct_out(bool direct);
    bool direct_in() const { return direct_in_; }
    bool direct_out() const { return direct_out_; }

    // Ghost pads that face the mixer; null while there is none. Borrowed.
    GstPad* to_room() const;
    GstPad* from_room() const;

    SlotTaps taps() const;

private:
    ElementPtr add_chain(const std::string& name);
    void remove_chain(ElementPtr& chain);
    void add_receiver();
    void remove_receiver();
    void add_sender();
    void remove_sender();

    const Pipelines& pipelines_;
    GstElement* bin_;  // owns this
    ElementPtr ivr_, gate_, tap_in_, tap_out_;
    std::chrono::milliseconds jitter_buffer_{60};

    PadPtr rtp_;         // of the transport
    std::string codec_;  // of what arrives; empty: nothing yet
    ElementPtr receiver_;
    bool direct_in_ = false;

    PadPtr transport_sink_;
    SendParams params_;
    ElementPtr encode_, pay_;
    bool direct_out_ = false;
};

}  // namespace vmr::media
