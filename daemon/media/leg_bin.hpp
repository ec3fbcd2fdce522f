// One participant's part of a room's pipeline: depayloaders, PIN, lobby gate, and what is sent.
//
//   transport → tap → depayload → decode → ivr → gate → [audio_src] → mixer
//                                 gate → [video_src], valve → [content_src] → mixer, which decodes who is
//                                 seen
//   transport ← tap ← payload ← encode  ← ivr ← gate ← [audio_sink, video_sink] ← mixer         (own)
//                            ← [audio_encoded_sink, video_encoded_sink, content_sink] ← mixer   (shared)
//
// The mixer encodes once for all who want the same; that is the shared way, for who is in the room. Where
// pin-ivr or lobby-gate have something to say or to show, the leg has an encoder of its own.
//
// All calls come from the control thread. The pads in brackets are ghost pads of element(); a slot that is
// not used has none.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "daemon/media/pipelines.hpp"
#include "daemon/media/wanted_video.hpp"

namespace vmr::media {

enum class Slot { audio, video, content };
inline constexpr std::array kSlots{Slot::audio, Slot::video, Slot::content};
const char* to_string(Slot slot);

struct SendParams {
    std::string codec;  // "opus", "pcmu", … : pipelines/encode-<codec>.launch, pay-<codec>.launch
    CapsPtr rtp_caps;   // payload, ssrc, extmap-*: what the payloader writes
    uint8_t payload = 0;
    uint32_t ssrc = 0;
    uint32_t bitrate = 0;  // bit/s, the most that the peer takes; 0: no limit
};

// What the two cdr-taps of one slot counted; see docs/elements/cdr-tap.md.
struct SlotTaps {
    StructurePtr received;
    StructurePtr sent;
    std::string receive_codec, send_codec;
};

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

    // Depayloads what arrives on `rtp`, decodes it if it is sound, and leads it to the slot's src ghost pad.
    // A later stream of the slot (a new SSRC) takes the place of the one before. `codec` "telephone-event"
    // leads to digits instead.
    void receive(Slot slot, const std::string& codec, GstPad* rtp);
    void stop_receiving(GstPad* rtp);

    // Sends what comes in at the slot's sink ghost pad into `transport_sink`, the own way at first (content:
    // always the shared one); again with other parameters: replaces codec and payloader.
    void send(Slot slot, const SendParams& params, GstPad* transport_sink);
    // Changes the way, and with it the pad that from_room() returns. Before, nothing may be linked to it.
    void set_shared(Slot slot, bool shared);
    bool shared(Slot slot) const;
    // The most that may be sent, bit/s; 0: no limit.
    uint32_t max_bitrate(Slot slot) const;
    // Hold: nothing is sent on the slot until resumed.
    void set_sending(Slot slot, bool sending);

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
    void stop_sending(Slot slot, Sender& sender);
    void expose(const std::string& name, GstPad* target);
    void hide(const std::string& name);
    PadPtr ghost(const std::string& name) const;
    void set_content_passing(bool passing);

    const Pipelines& pipelines_;
    ElementPtr bin_, ivr_, gate_, content_in_, content_out_;
    std::map<GstPad*, Receiver> receivers_;
    std::map<Slot, Sender> senders_;
    std::map<Slot, std::shared_ptr<WantedVideo>> wanted_;  // of video and content
    std::function<void()> on_wanted_changed_;
};

}  // namespace vmr::media
