#include "daemon/media/audio_slot.hpp"

#include "daemon/media/pad_sync.hpp"
#include "daemon/media/picture_caps.hpp"

namespace vmr::media {
namespace {

constexpr const char* kToRoom = "audio_src";
constexpr const char* kToRoomDirect = "audio_rtp_src";
constexpr const char* kFromRoom = "audio_sink";
constexpr const char* kFromRoomDirect = "audio_rtp_sink";

StructurePtr counted_by(GstElement* tap) {
    GstStructure* stats = nullptr;
    g_object_get(tap, "stats", &stats, nullptr);
    return StructurePtr(stats);
}

}  // namespace

AudioSlot::AudioSlot(const Pipelines& pipelines, GstElement* bin)
    : pipelines_(pipelines),
      bin_(bin),
      ivr_(named(bin, "ivr")),
      gate_(named(bin, "gate")),
      tap_in_(named(bin, "audio_in")),
      tap_out_(named(bin, "audio_out")) {}

ElementPtr AudioSlot::add_chain(const std::string& name) {
    ElementPtr chain = pipelines_.make_bin(name);
    gst_bin_add(GST_BIN(bin_), ElementPtr(chain).get());
    return chain;
}

void AudioSlot::remove_chain(ElementPtr& chain) {
    gst_element_set_locked_state(chain.get(), TRUE);
    gst_element_set_state(chain.get(), GST_STATE_NULL);
    gst_bin_remove(GST_BIN(bin_), chain.get());
    chain.reset();
}

void AudioSlot::receive(const std::string& codec, GstPad* rtp) {
    if (rtp_.get() != rtp) {
        if (rtp_) {
            stop_receiving(rtp_.get());
        }
        rtp_ = PadPtr::ref(rtp);
        link_pads(rtp, pad_of(tap_in_.get(), "sink").get());
    }
    codec_ = codec;
    if (direct_in_) {
        expose(bin_, kToRoomDirect, pad_of(tap_in_.get(), "src").get());
    } else {
        remove_receiver();
        add_receiver();
    }
}

void AudioSlot::stop_receiving(GstPad* rtp) {
    if (rtp_.get() != rtp) {
        return;
    }
    unlink_when_idle(rtp);
    remove_receiver();
    rtp_.reset();
    codec_.clear();
}

void AudioSlot::add_receiver() {
    receiver_ = add_chain("receive-" + codec_);
    g_object_set(named(receiver_.get(), "jitter").get(), "latency",
                 static_cast<guint>(jitter_buffer_.count()), nullptr);
    link_pads(pad_of(receiver_.get(), "src").get(), pad_of(ivr_.get(), "audio_sink").get());
    expose(bin_, kToRoom, pad_of(gate_.get(), kToRoom).get());
    gst_element_sync_state_with_parent(receiver_.get());
    link_pads(pad_of(tap_in_.get(), "src").get(), pad_of(receiver_.get(), "sink").get());
}

void AudioSlot::remove_receiver() {
    if (receiver_) {
        unlink_when_idle(pad_of(tap_in_.get(), "src").get());
        remove_chain(receiver_);
    }
}

void AudioSlot::set_direct_in(bool direct) {
    if (std::exchange(direct_in_, direct) == direct || codec_.empty()) {
        return;
    }
    if (direct) {
        remove_receiver();
        hide(bin_, kToRoom);
        expose(bin_, kToRoomDirect, pad_of(tap_in_.get(), "src").get());
    } else {
        unlink_when_idle(pad_of(tap_in_.get(), "src").get());
        hide(bin_, kToRoomDirect);
        add_receiver();
    }
}

void AudioSlot::send(const SendParams& params, GstPad* transport_sink) {
    if (!direct_out_) {
        remove_sender();
    }
    if (transport_sink_.get() != transport_sink) {
        const PadPtr source = pad_of(tap_out_.get(), "src");
        unlink_when_idle(source.get());
        transport_sink_ = PadPtr::ref(transport_sink);
        link_pads(source.get(), transport_sink);
    }
    params_ = params;
    if (direct_out_) {
        expose(bin_, kFromRoomDirect, pad_of(tap_out_.get(), "sink").get());
    } else {
        add_sender();
    }
}

void AudioSlot::limit(uint32_t bitrate) {
    if (bitrate == params_.bitrate) {
        return;
    }
    params_.bitrate = bitrate;
    if (encode_) {
        remove_sender();
        add_sender();
    }
}

void AudioSlot::add_sender() {
    encode_ = add_chain("encode-" + params_.codec);
    limit_encoder(encode_.get(), params_);
    pay_ = add_chain("pay-" + params_.codec);
    g_object_set(named(pay_.get(), "pay").get(), "pt", static_cast<guint>(params_.payload), "ssrc",
                 params_.ssrc, nullptr);
    link_pads(pad_of(pay_.get(), "src").get(), pad_of(tap_out_.get(), "sink").get());
    link_pads(pad_of(encode_.get(), "src").get(), pad_of(pay_.get(), "sink").get());
    gst_element_sync_state_with_parent(pay_.get());
    gst_element_sync_state_with_parent(encode_.get());
    link_pads(pad_of(ivr_.get(), "audio_return_src").get(), pad_of(encode_.get(), "sink").get());
    expose(bin_, kFromRoom, pad_of(gate_.get(), "audio_return_sink").get());
}

// Nobody may be inside the chains while they go.
void AudioSlot::remove_sender() {
    if (encode_) {
        unlink_when_idle(pad_of(ivr_.get(), "audio_return_src").get());
        remove_chain(encode_);
        remove_chain(pay_);
    }
}

void AudioSlot::set_direct_out(bool direct) {
    if (std::exchange(direct_out_, direct) == direct || !transport_sink_) {
        return;
    }
    if (direct) {
        remove_sender();
        hide(bin_, kFromRoom);
        expose(bin_, kFromRoomDirect, pad_of(tap_out_.get(), "sink").get());
    } else {
        hide(bin_, kFromRoomDirect);
        add_sender();
    }
}

GstPad* AudioSlot::to_room() const {
    return ghost(bin_, direct_in_ ? kToRoomDirect : kToRoom).get();
}

GstPad* AudioSlot::from_room() const {
    return ghost(bin_, direct_out_ ? kFromRoomDirect : kFromRoom).get();
}

SlotTaps AudioSlot::taps() const {
    return {counted_by(tap_in_.get()), counted_by(tap_out_.get()), codec_, params_.codec};
}

}  // namespace vmr::media
