#include "daemon/media/leg_bin.hpp"

#include <stdexcept>

#include "daemon/media/pad_sync.hpp"

namespace vmr::media {
namespace {

constexpr const char* kEncodedSink = "_encoded_sink";

PadPtr static_pad(GstElement* element, const char* name) {
    auto pad = PadPtr::adopt(gst_element_get_static_pad(element, name));
    if (!pad) {
        // Elements with request pads give theirs on demand, and again the same one by its name.
        pad = PadPtr::adopt(gst_element_request_pad_simple(element, name));
    }
    if (!pad) {
        throw std::logic_error(std::string(GST_ELEMENT_NAME(element)) + " has no pad " + name);
    }
    return pad;
}

void link(GstPad* source, GstPad* sink) {
    const GstPadLinkReturn outcome = gst_pad_link(source, sink);
    if (outcome != GST_PAD_LINK_OK) {
        throw std::logic_error(std::string("cannot link ") + GST_PAD_NAME(source) + ": " +
                               gst_pad_link_get_name(outcome));
    }
}

// x264enc counts kbit/s, vp8enc and opusenc bit/s.
void set_bitrate(GstElement* encoder, const std::string& codec, uint32_t bitrate) {
    if (codec == "h264") {
        g_object_set(encoder, "bitrate", bitrate / 1000, nullptr);
    } else if (codec == "vp8") {
        g_object_set(encoder, "target-bitrate", static_cast<int>(bitrate), nullptr);
    } else if (codec == "opus") {
        g_object_set(encoder, "bitrate", static_cast<int>(bitrate), nullptr);
    }
}

StructurePtr tap_stats(GstElement* chain) {
    GstStructure* stats = nullptr;
    g_object_get(named(chain, "tap").get(), "stats", &stats, nullptr);
    return StructurePtr(stats);
}

}  // namespace

const char* to_string(Slot slot) {
    switch (slot) {
        case Slot::audio:
            return "audio";
        case Slot::video:
            return "video";
        case Slot::content:
            return "content";
    }
    return "";
}

LegBin::LegBin(const Pipelines& pipelines, const std::string& name)
    : pipelines_(pipelines), bin_(pipelines.make_bin("leg")) {
    gst_object_set_name(GST_OBJECT(bin_.get()), name.c_str());
    ivr_ = named(bin_.get(), "ivr");
    gate_ = named(bin_.get(), "gate");
    content_in_ = named(bin_.get(), "content_in");
    content_out_ = named(bin_.get(), "content_out");
    for (const Slot slot : {Slot::video, Slot::content}) {
        wanted_[slot] = std::make_shared<WantedVideo>([this] {
            if (on_wanted_changed_) {
                on_wanted_changed_();
            }
        });
    }
}

LegBin::~LegBin() {
    for (const auto& [slot, wanted] : wanted_) {
        wanted->close();
    }
    gst_element_set_state(bin_.get(), GST_STATE_NULL);
}

void LegBin::add_transport(GstElement* transport) {
    gst_bin_add(GST_BIN(bin_.get()), transport);
    gst_element_sync_state_with_parent(transport);
}

ElementPtr LegBin::add_chain(const std::string& name) {
    ElementPtr chain = pipelines_.make_bin(name);
    gst_bin_add(GST_BIN(bin_.get()), ElementPtr(chain).get());
    return chain;
}

void LegBin::remove_chain(ElementPtr& chain) {
    gst_element_set_locked_state(chain.get(), TRUE);
    gst_element_set_state(chain.get(), GST_STATE_NULL);
    gst_bin_remove(GST_BIN(bin_.get()), chain.get());
    chain.reset();
}

PadPtr LegBin::entry(Slot slot) const {
    switch (slot) {
        case Slot::audio:
            return static_pad(ivr_.get(), "audio_sink");
        case Slot::video:
            return static_pad(gate_.get(), "video_sink");
        case Slot::content:
            return static_pad(content_in_.get(), "sink");
    }
    return {};
}

PadPtr LegBin::exit(Slot slot) const {
    switch (slot) {
        case Slot::audio:
            return static_pad(ivr_.get(), "audio_return_src");
        case Slot::video:
            return static_pad(ivr_.get(), "video_return_src");
        case Slot::content:
            return static_pad(content_out_.get(), "src");
    }
    return {};
}

PadPtr LegBin::ghost(const std::string& name) const {
    return PadPtr::adopt(gst_element_get_static_pad(bin_.get(), name.c_str()));
}

void LegBin::expose(const std::string& name, GstPad* target) {
    if (!ghost(name)) {
        GstPad* pad = gst_ghost_pad_new(name.c_str(), target);
        gst_pad_set_active(pad, TRUE);
        gst_element_add_pad(bin_.get(), pad);
    }
}

void LegBin::hide(const std::string& name) {
    if (const PadPtr pad = ghost(name)) {
        gst_ghost_pad_set_target(GST_GHOST_PAD(pad.get()), nullptr);
        gst_pad_set_active(pad.get(), FALSE);
        gst_element_remove_pad(bin_.get(), pad.get());
    }
}

void LegBin::receive(Slot slot, const std::string& codec, GstPad* rtp) {
    const bool digits = codec == "telephone-event";
    if (!digits) {
        for (auto it = receivers_.begin(); it != receivers_.end();) {
            const bool same = it->second.slot == slot && it->second.codec != "telephone-event";
            if (same) {
                remove_chain(it->second.chain);
            }
            it = same ? receivers_.erase(it) : std::next(it);
        }
    }
    Receiver receiver{slot, codec, add_chain("receive-" + codec), PadPtr::ref(rtp)};
    if (slot != Slot::audio) {
        wanted_.at(slot)->watch(receiver.chain.get());
    }
    if (!digits) {
        link(static_pad(receiver.chain.get(), "src").get(), entry(slot).get());
        const std::string name = to_string(slot) + std::string("_src");
        expose(name, static_pad(slot == Slot::content ? content_in_.get() : gate_.get(),
                                slot == Slot::content ? "src" : name.c_str())
                         .get());
    }
    gst_element_sync_state_with_parent(receiver.chain.get());
    link(rtp, static_pad(receiver.chain.get(), "sink").get());
    receivers_.emplace(rtp, std::move(receiver));
}

void LegBin::stop_receiving(GstPad* rtp) {
    const auto found = receivers_.find(rtp);
    if (found != receivers_.end()) {
        remove_chain(found->second.chain);
        receivers_.erase(found);
    }
}

void LegBin::send(Slot slot, const SendParams& params, GstPad* transport_sink) {
    Sender& sender = senders_[slot];
    if (sender.pay) {
        stop_sending(slot, sender);
    }
    sender = Sender{params, add_chain("pay-" + params.codec), {}, PadPtr::ref(transport_sink)};
    GstElement* pay = sender.pay.get();
    g_object_set(named(pay, "rtpcaps").get(), "caps", params.rtp_caps.get(), nullptr);
    g_object_set(named(pay, "pay").get(), "pt", static_cast<guint>(params.payload), "ssrc", params.ssrc,
                 nullptr);
    link(static_pad(pay, "src").get(), transport_sink);
    gst_element_sync_state_with_parent(pay);
    if (slot == Slot::content) {
        link(exit(slot).get(), static_pad(pay, "sink").get());
        expose("content_sink", static_pad(content_out_.get(), "sink").get());
    } else {
        add_encoder(slot, sender);
    }
}

void LegBin::add_encoder(Slot slot, Sender& sender) {
    sender.encode = add_chain("encode-" + sender.params.codec);
    if (sender.params.bitrate != 0) {
        set_bitrate(named(sender.encode.get(), "encoder").get(), sender.params.codec, sender.params.bitrate);
    }
    link(static_pad(sender.encode.get(), "src").get(), static_pad(sender.pay.get(), "sink").get());
    gst_element_sync_state_with_parent(sender.encode.get());
    link(exit(slot).get(), static_pad(sender.encode.get(), "sink").get());
    const std::string name = to_string(slot) + std::string("_return_sink");
    expose(to_string(slot) + std::string("_sink"), static_pad(gate_.get(), name.c_str()).get());
}

// Nobody may be inside the old chains while they go.
void LegBin::stop_sending(Slot slot, Sender& sender) {
    if (sender.encode || slot == Slot::content) {
        unlink_when_idle(exit(slot).get());
    } else {
        if (const auto source = PadPtr::adopt(gst_pad_get_peer(from_room(slot)))) {
            unlink_when_idle(source.get());
        }
        hide(to_string(slot) + std::string(kEncodedSink));
    }
    if (sender.encode) {
        remove_chain(sender.encode);
    }
    remove_chain(sender.pay);
}

void LegBin::set_shared(Slot slot, bool shared) {
    const auto found = senders_.find(slot);
    if (found == senders_.end() || slot == Slot::content || shared == this->shared(slot)) {
        return;
    }
    Sender& sender = found->second;
    const std::string name = to_string(slot) + std::string(kEncodedSink);
    if (shared) {
        unlink_when_idle(exit(slot).get());
        remove_chain(sender.encode);
        expose(name, static_pad(sender.pay.get(), "sink").get());
    } else {
        hide(name);
        add_encoder(slot, sender);
    }
}

bool LegBin::shared(Slot slot) const {
    const auto found = senders_.find(slot);
    return found != senders_.end() && !found->second.encode;
}

uint32_t LegBin::max_bitrate(Slot slot) const {
    const auto found = senders_.find(slot);
    return found == senders_.end() ? 0 : found->second.params.bitrate;
}

void LegBin::set_sending(Slot slot, bool sending) {
    const auto found = senders_.find(slot);
    if (found != senders_.end()) {
        g_object_set(named(found->second.pay.get(), "flow").get(), "drop", !sending, nullptr);
    }
}

void LegBin::open_gate() {
    g_object_set(gate_.get(), "open", TRUE, nullptr);
    set_content_passing(true);
}

void LegBin::set_language(const std::string& locale) {
    for (const ElementPtr& element : {ivr_, gate_}) {
        g_object_set(element.get(), "language", locale.c_str(), nullptr);
    }
}

void LegBin::close_gate(const std::string& reason) {
    set_content_passing(false);
    gst_util_set_object_arg(G_OBJECT(gate_.get()), "reason", reason.c_str());
    g_object_set(gate_.get(), "open", FALSE, nullptr);
}

void LegBin::set_content_passing(bool passing) {
    g_object_set(content_in_.get(), "drop", !passing, nullptr);
    g_object_set(content_out_.get(), "drop", !passing, nullptr);
}

GstPad* LegBin::to_room(Slot slot) const {
    return ghost(to_string(slot) + std::string("_src")).get();
}

GstPad* LegBin::from_room(Slot slot) const {
    const bool encoded = slot != Slot::content && shared(slot);
    return ghost(to_string(slot) + std::string(encoded ? kEncodedSink : "_sink")).get();
}

VideoWanted LegBin::wanted(Slot slot) const {
    const auto found = wanted_.find(slot);
    return found == wanted_.end() ? VideoWanted{} : found->second->wanted();
}

SlotTaps LegBin::taps(Slot slot) const {
    SlotTaps taps;
    for (const auto& [pad, receiver] : receivers_) {
        if (receiver.slot == slot && receiver.codec != "telephone-event") {
            taps.received = tap_stats(receiver.chain.get());
            taps.receive_codec = receiver.codec;
        }
    }
    const auto found = senders_.find(slot);
    if (found != senders_.end() && found->second.pay) {
        taps.sent = tap_stats(found->second.pay.get());
        taps.send_codec = found->second.params.codec;
    }
    return taps;
}

}  // namespace vmr::media
