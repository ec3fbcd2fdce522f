#include "daemon/media/leg_bin.hpp"

#include <stdexcept>

#include "daemon/media/pad_sync.hpp"

namespace vmr::media {
namespace {

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
}

LegBin::~LegBin() {
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

void LegBin::expose(Slot slot, bool towards_room) {
    if ((towards_room ? to_room(slot) : from_room(slot)) != nullptr) {
        return;
    }
    const std::string direction = towards_room ? "_src" : "_sink";
    const std::string name = to_string(slot) + direction;
    PadPtr target;
    if (slot == Slot::content) {
        target = towards_room ? static_pad(content_in_.get(), "src") : static_pad(content_out_.get(), "sink");
    } else {
        const std::string inner = towards_room ? name : to_string(slot) + std::string("_return_sink");
        target = static_pad(gate_.get(), inner.c_str());
    }
    GstPad* ghost = gst_ghost_pad_new(name.c_str(), target.get());
    gst_pad_set_active(ghost, TRUE);
    gst_element_add_pad(bin_.get(), ghost);
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
    if (!digits) {
        link(static_pad(receiver.chain.get(), "src").get(), entry(slot).get());
        expose(slot, true);
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
    auto& sender = senders_[slot];
    if (sender.chain) {
        // Nobody may be inside the old encoder while it goes.
        unlink_when_idle(exit(slot).get());
        remove_chain(sender.chain);
    }
    sender = Sender{params, add_chain("send-" + params.codec), PadPtr::ref(transport_sink)};
    GstElement* chain = sender.chain.get();
    g_object_set(named(chain, "rtpcaps").get(), "caps", params.rtp_caps.get(), nullptr);
    g_object_set(named(chain, "pay").get(), "pt", static_cast<guint>(params.payload), "ssrc", params.ssrc,
                 nullptr);
    if (params.bitrate != 0) {
        set_bitrate(named(chain, "encoder").get(), params.codec, params.bitrate);
    }
    link(static_pad(chain, "src").get(), transport_sink);
    gst_element_sync_state_with_parent(chain);
    link(exit(slot).get(), static_pad(chain, "sink").get());
    expose(slot, false);
}

void LegBin::set_sending(Slot slot, bool sending) {
    const auto found = senders_.find(slot);
    if (found != senders_.end()) {
        g_object_set(named(found->second.chain.get(), "flow").get(), "drop", !sending, nullptr);
    }
}

void LegBin::open_gate() {
    g_object_set(gate_.get(), "open", TRUE, nullptr);
    set_content_passing(true);
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
    const std::string name = std::string(to_string(slot)) + "_src";
    return PadPtr::adopt(gst_element_get_static_pad(bin_.get(), name.c_str())).get();
}

GstPad* LegBin::from_room(Slot slot) const {
    const std::string name = std::string(to_string(slot)) + "_sink";
    return PadPtr::adopt(gst_element_get_static_pad(bin_.get(), name.c_str())).get();
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
    if (found != senders_.end() && found->second.chain) {
        taps.sent = tap_stats(found->second.chain.get());
        taps.send_codec = found->second.params.codec;
    }
    return taps;
}

}  // namespace vmr::media
