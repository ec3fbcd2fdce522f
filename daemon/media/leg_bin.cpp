#include "daemon/media/leg_bin.hpp"

#include "daemon/media/h264_packets.hpp"
#include "daemon/media/pad_sync.hpp"
#include "daemon/media/picture_caps.hpp"

namespace vmr::media {
namespace {

constexpr const char* kEncodedSink = "_encoded_sink";

StructurePtr tap_stats(GstElement* chain) {
    GstStructure* stats = nullptr;
    g_object_get(named(chain, "tap").get(), "stats", &stats, nullptr);
    return StructurePtr(stats);
}

// SRTP refuses a sequence number that its SSRC had before, and a player expects its clock to go on.
void continue_stream(GstElement* payloader, GstElement* before) {
    GstStructure* stats = nullptr;
    g_object_get(before, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint sequence = 0, timestamp_offset = 0;
    gst_structure_get(stats, "seqnum", G_TYPE_UINT, &sequence, "timestamp-offset", G_TYPE_UINT,
                      &timestamp_offset, nullptr);
    g_object_set(payloader, "seqnum-offset", static_cast<gint>((sequence + 1) & 0xFFFF), "timestamp-offset",
                 timestamp_offset, nullptr);
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
    : pipelines_(pipelines), bin_(pipelines.make_bin("leg")), audio_(pipelines, bin_.get()) {
    gst_object_set_name(GST_OBJECT(bin_.get()), name.c_str());
    ivr_ = named(bin_.get(), "ivr");
    gate_ = named(bin_.get(), "gate");
    content_in_ = named(bin_.get(), "content_in");
    content_out_ = named(bin_.get(), "content_out");
    for (const Slot slot : {Slot::video, Slot::content}) {
        wanted_[slot] = std::make_shared<WantedVideo>(
            [this] {
                if (on_wanted_changed_) {
                    on_wanted_changed_();
                }
            },
            [this, slot] {
                if (on_keyframe_wanted_) {
                    on_keyframe_wanted_(slot);
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
            break;
        case Slot::video:
            return pad_of(gate_.get(), "video_sink");
        case Slot::content:
            return pad_of(content_in_.get(), "sink");
    }
    return {};
}

PadPtr LegBin::exit(Slot slot) const {
    switch (slot) {
        case Slot::audio:
            break;
        case Slot::video:
            return pad_of(ivr_.get(), "video_return_src");
        case Slot::content:
            return pad_of(content_out_.get(), "src");
    }
    return {};
}

void LegBin::receive(Slot slot, const std::string& codec, GstPad* rtp) {
    if (slot == Slot::audio) {
        audio_.receive(codec, rtp);
        return;
    }
    for (auto it = receivers_.begin(); it != receivers_.end();) {
        const bool same = it->second.slot == slot;
        if (same) {
            remove_chain(it->second.chain);
        }
        it = same ? receivers_.erase(it) : std::next(it);
    }
    Receiver receiver{slot, codec, add_chain("receive-" + codec), PadPtr::ref(rtp)};
    wanted_.at(slot)->watch(receiver.chain.get());
    link_pads(pad_of(receiver.chain.get(), "src").get(), entry(slot).get());
    const std::string name = to_string(slot) + std::string("_src");
    const bool content = slot == Slot::content;
    expose(bin_.get(), name,
           pad_of(content ? content_in_.get() : gate_.get(), content ? "src" : name.c_str()).get());
    gst_element_sync_state_with_parent(receiver.chain.get());
    if (codec == "h264") {
        drop_unknown_nal_units(pad_of(receiver.chain.get(), "sink").get());
    }
    link_pads(rtp, pad_of(receiver.chain.get(), "sink").get());
    receivers_.emplace(rtp, std::move(receiver));
}

void LegBin::stop_receiving(GstPad* rtp) {
    audio_.stop_receiving(rtp);
    const auto found = receivers_.find(rtp);
    if (found != receivers_.end()) {
        remove_chain(found->second.chain);
        receivers_.erase(found);
    }
}

void LegBin::send(Slot slot, const SendParams& params, GstPad* transport_sink) {
    if (slot == Slot::audio) {
        audio_.send(params, transport_sink);
        return;
    }
    Sender& sender = senders_[slot];
    const ElementPtr before = sender.pay ? named(sender.pay.get(), "pay") : ElementPtr();
    const bool goes_on = before && sender.params.ssrc == params.ssrc;
    if (before) {
        stop_sending(slot, sender);
    }
    sender = Sender{params, add_chain("pay-" + params.codec), {}, PadPtr::ref(transport_sink)};
    GstElement* pay = sender.pay.get();
    g_object_set(named(pay, "rtpcaps").get(), "caps", params.rtp_caps.get(), nullptr);
    g_object_set(named(pay, "pay").get(), "pt", static_cast<guint>(params.payload), "ssrc", params.ssrc,
                 nullptr);
    if (goes_on) {
        continue_stream(named(pay, "pay").get(), before.get());
    }
    if (params.single_nal) {
        gst_util_set_object_arg(G_OBJECT(named(pay, "pay").get()), "aggregate-mode", "none");
    }
    ask_for_picture(sender, slot == Slot::content);
    link_pads(pad_of(pay, "src").get(), transport_sink);
    gst_element_sync_state_with_parent(pay);
    if (slot == Slot::content) {
        link_pads(exit(slot).get(), pad_of(pay, "sink").get());
        expose(bin_.get(), "content_sink", pad_of(content_out_.get(), "sink").get());
    } else {
        const PadPtr shown = pad_of(gate_.get(), "video_return_src");
        if (gst_pad_is_linked(shown.get()) == FALSE) {
            link_pads(shown.get(), pad_of(ivr_.get(), "video_return_sink").get());
        }
        add_encoder(slot, sender);
    }
}

void LegBin::ask_for_picture(const Sender& sender, bool shared) {
    g_object_set(named(sender.pay.get(), "size").get(), "caps", picture_caps(sender.params, shared).get(),
                 nullptr);
}

void LegBin::limit(Slot slot, uint32_t bitrate) {
    if (slot == Slot::audio) {
        audio_.limit(bitrate);
        return;
    }
    const auto found = senders_.find(slot);
    if (found == senders_.end()) {
        return;
    }
    SendParams& params = found->second.params;
    if (bitrate != params.bitrate && bitrate != 0 && found->second.encode) {
        set_encoder_bitrate(found->second.encode.get(), params.codec, bitrate);
    }
    params.bitrate = bitrate;
}

void LegBin::add_encoder(Slot slot, Sender& sender) {
    sender.encode = add_chain("encode-" + sender.params.codec);
    configure_encoder(sender.encode.get(), sender.params);
    ask_for_picture(sender, false);
    link_pads(pad_of(sender.encode.get(), "src").get(), pad_of(sender.pay.get(), "sink").get());
    gst_element_sync_state_with_parent(sender.encode.get());
    link_pads(exit(slot).get(), pad_of(sender.encode.get(), "sink").get());
    const std::string name = to_string(slot) + std::string("_return_sink");
    expose(bin_.get(), to_string(slot) + std::string("_sink"), pad_of(gate_.get(), name.c_str()).get());
}

// Nobody may be inside the old chains while they go.
void LegBin::stop_sending(Slot slot, Sender& sender) {
    if (sender.encode || slot == Slot::content) {
        unlink_when_idle(exit(slot).get());
    } else {
        if (const auto source = PadPtr::adopt(gst_pad_get_peer(from_room(slot)))) {
            unlink_when_idle(source.get());
        }
        hide(bin_.get(), to_string(slot) + std::string(kEncodedSink));
    }
    if (sender.encode) {
        remove_chain(sender.encode);
    }
    remove_chain(sender.pay);
}

void LegBin::set_shared(Slot slot, bool shared) {
    if (slot == Slot::audio) {
        audio_.set_direct_out(shared);
        return;
    }
    const auto found = senders_.find(slot);
    if (found == senders_.end() || slot == Slot::content || shared == this->shared(slot)) {
        return;
    }
    Sender& sender = found->second;
    const std::string name = to_string(slot) + std::string(kEncodedSink);
    if (shared) {
        unlink_when_idle(exit(slot).get());
        remove_chain(sender.encode);
        ask_for_picture(sender, true);
        expose(bin_.get(), name, pad_of(sender.pay.get(), "sink").get());
    } else {
        hide(bin_.get(), name);
        add_encoder(slot, sender);
    }
}

bool LegBin::shared(Slot slot) const {
    if (slot == Slot::audio) {
        return audio_.direct_out();
    }
    const auto found = senders_.find(slot);
    return found != senders_.end() && !found->second.encode;
}

void LegBin::set_direct(bool direct) {
    audio_.set_direct_in(direct && open_ && may_be_direct());
}

bool LegBin::may_be_direct() const {
    gboolean listens = FALSE;
    g_object_get(ivr_.get(), "inband", &listens, nullptr);
    return listens == FALSE || key_events_;
}

void LegBin::press(char key) {
    const char keys[] = {key, '\0'};
    g_signal_emit_by_name(ivr_.get(), "digit", keys);
}

uint32_t LegBin::max_bitrate(Slot slot) const {
    if (slot == Slot::audio) {
        return audio_.max_bitrate();
    }
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
    open_ = true;
    g_object_set(gate_.get(), "open", TRUE, nullptr);
    set_content_passing(true);
}

void LegBin::set_language(const std::string& locale) {
    for (const ElementPtr& element : {ivr_, gate_}) {
        g_object_set(element.get(), "language", locale.c_str(), nullptr);
    }
}

void LegBin::close_gate(const std::string& reason) {
    open_ = false;
    audio_.set_direct_in(false);  // it would go past the gate
    set_content_passing(false);
    gst_util_set_object_arg(G_OBJECT(gate_.get()), "reason", reason.c_str());
    g_object_set(gate_.get(), "open", FALSE, nullptr);
}

void LegBin::set_content_passing(bool passing) {
    g_object_set(content_in_.get(), "drop", !passing, nullptr);
    g_object_set(content_out_.get(), "drop", !passing, nullptr);
}

GstPad* LegBin::to_room(Slot slot) const {
    return slot == Slot::audio ? audio_.to_room()
                               : ghost(bin_.get(), to_string(slot) + std::string("_src")).get();
}

GstPad* LegBin::from_room(Slot slot) const {
    if (slot == Slot::audio) {
        return audio_.from_room();
    }
    const bool encoded = slot != Slot::content && shared(slot);
    return ghost(bin_.get(), to_string(slot) + std::string(encoded ? kEncodedSink : "_sink")).get();
}

// As RTCP would: up the way of what is sent, to whoever encodes it.
void LegBin::request_keyframe(Slot slot) {
    const auto found = senders_.find(slot);
    if (found != senders_.end()) {
        gst_pad_push_event(
            found->second.transport_sink.get(),
            gst_event_new_custom(
                GST_EVENT_CUSTOM_UPSTREAM,
                gst_structure_new("GstForceKeyUnit", "running-time", G_TYPE_UINT64, GST_CLOCK_TIME_NONE,
                                  "all-headers", G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0U, nullptr)));
    }
}

VideoWanted LegBin::wanted(Slot slot) const {
    const auto found = wanted_.find(slot);
    return found == wanted_.end() ? VideoWanted{} : found->second->wanted();
}

SlotTaps LegBin::taps(Slot slot) const {
    if (slot == Slot::audio) {
        return audio_.taps();
    }
    SlotTaps taps;
    for (const auto& [pad, receiver] : receivers_) {
        if (receiver.slot == slot) {
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
