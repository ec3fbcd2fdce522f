// One participant's part of a room's pipeline: depayloaders, PIN, lobby gate, and what is sent. Of pictures:
//
//   transport → tap → depayload → gate → [video_src], valve → [content_src] → mixer, which decodes who is
//   seen transport ← tap ← payload ← encode ← ivr ← gate ← [video_sink] ← mixer              (own)
//                             ← [video_encoded_sink, content_sink] ← mixer              (shared)
//
// The mixer encodes once for all who want the same; that is the shared way, for who is in the room. Where
// pin-ivr or lobby-gate have something to say or to show, the leg has an encoder of its own. Sound:
// audio_slot.hpp.
//
// All calls come from the control thread. The pads in brackets are ghost pads of element(); a slot that is
// not used has none.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/gst_ptr.hpp"
#include "daemon/media/audio_slot.hpp"
#include "daemon/media/pipelines.hpp"
#include "daemon/media/slots.hpp"
#include "daemon/media/wanted_video.hpp"

namespace vmr::media {

class LegBin {
public:
    LegBin(const Pipelines& pipelines, const std::string& name);
    ~LegBin();  // the mixer's pads are unlinked before
    LegBin(const LegBin&) = delete;
    LegBin& operator=(const LegBin&) = delete;

    GstElement* element() const { return bin_.get(); }
    GstElement* ivr() const { return ivr_.get(); }

    // Puts a transport's bin inside; it takes itself out.
    void add_transport(GstElement* transport);

    // Leads what arrives on `rtp` to the slot's src ghost pad. A later stream of the slot (a new SSRC) takes
    // the place of the one before.
    void receive(Slot slot, const std::string& codec, GstPad* rtp);
    void stop_receiving(GstPad* rtp);

    // Sends what comes in at the slot's sink ghost pad into `transport_sink`, the own way at first (content:
    // always the shared one); again with other parameters: replaces codec and payloader.
    void send(Slot slot, const SendParams& params, GstPad* transport_sink);
    // Changes the way, and with it the pad that from_room() returns. Before, nothing may be linked to it.
    void set_shared(Slot slot, bool shared);
    bool shared(Slot slot) const;
    // The same for sound that goes to the room: past decoder, PIN and gate, as RTP, and to_room(). Not at a
    // closed gate, nor for who presses keys that only their sound tells.
    void set_direct(bool direct);
    bool direct() const { return audio_.direct_in(); }
    bool may_be_direct() const;
    // Whether the peer's keys come as telephone-event.
    void set_key_events(bool agreed) { key_events_ = agreed; }
    void press(char key);  // 0–9 * # A–D
    void set_jitter_buffer(std::chrono::milliseconds length) { audio_.set_jitter_buffer(length); }
    // Of what is sent: another most, bit/s; 0: no limit.
    void limit(Slot slot, uint32_t bitrate);
    // The most that may be sent, bit/s; 0: no limit.
    uint32_t max_bitrate(Slot slot) const;
    // Hold: no picture is sent on the slot until resumed. Of sound it is the transport that sends none.
    void set_sending(Slot slot, bool sending);

    // The peer asked for a keyframe of what it is sent on the slot.
    void request_keyframe(Slot slot);
    // One of the peer's is asked for.
    void set_on_keyframe_wanted(std::function<void(Slot)> on_wanted) {
        on_keyframe_wanted_ = std::move(on_wanted);
    }

    // Lets media pass between the participant and the room, or not. Closed at first.
    void open_gate();
    void close_gate(const std::string& reason);
    void set_language(const std::string& locale);  // of prompts, PIN screen and slates

    // Ghost pads that face the mixer; null while the slot has none. Borrowed.
    GstPad* to_room(Slot slot) const;
    GstPad* from_room(Slot slot) const;

    // What the room shows of the participant's video or content, and a call whenever that changes.
    VideoWanted wanted(Slot slot) const;
    void set_on_wanted_changed(std::function<void()> on_changed) {
        on_wanted_changed_ = std::move(on_changed);
    }

    SlotTaps taps(Slot slot) const;

private:
    struct Receiver {
        Slot slot;
        std::string codec;
        ElementPtr chain;
        PadPtr rtp;
    };
    struct Sender {
        SendParams params;
        ElementPtr pay;
        ElementPtr encode;  // the own way only
        PadPtr transport_sink;
    };

    ElementPtr add_chain(const std::string& name);
    void remove_chain(ElementPtr& chain);
    PadPtr entry(Slot slot) const;  // where decoded media goes in
    PadPtr exit(Slot slot) const;   // where media for the encoder comes out
    void add_encoder(Slot slot, Sender& sender);
    static void ask_for_picture(const Sender& sender, bool shared);
    void stop_sending(Slot slot, Sender& sender);
    void set_content_passing(bool passing);

    const Pipelines& pipelines_;
    ElementPtr bin_, ivr_, gate_, content_in_, content_out_;
    AudioSlot audio_;
    bool key_events_ = false;
    bool open_ = false;
    std::map<GstPad*, Receiver> receivers_;
    std::map<Slot, Sender> senders_;
    std::map<Slot, std::shared_ptr<WantedVideo>> wanted_;  // of video and content
    std::function<void()> on_wanted_changed_;
    std::function<void(Slot)> on_keyframe_wanted_;
};

}  // namespace vmr::media
