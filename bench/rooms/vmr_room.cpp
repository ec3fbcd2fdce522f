#include <stdexcept>

#include "bench/rooms/room.hpp"

namespace vmr::bench {
namespace {

double number(const GstStructure* stats, const char* field) {
    const GValue* value = stats == nullptr ? nullptr : gst_structure_get_value(stats, field);
    GValue real = G_VALUE_INIT;
    g_value_init(&real, G_TYPE_DOUBLE);
    if (value == nullptr || !g_value_transform(value, &real)) {
        return 0;
    }
    return g_value_get_double(&real);
}

PadPtr request(GstElement* element, const char* prefix, unsigned leg) {
    const std::string name = prefix + std::to_string(leg);
    GstPad* pad = gst_element_request_pad_simple(element, name.c_str());
    if (pad == nullptr) {
        throw std::runtime_error("no pad " + name);
    }
    return PadPtr::adopt(pad);
}

// vmr-rtp-io around vmr-mixer, as a daemon would link them.
class VmrRoom : public Room {
public:
    explicit VmrRoom(const RoomOptions& options)
        : Room(options), io_(make("vmr-rtp-io")), mixer_(make("vmr-mixer")) {
        const char* text =
            options.opus() ? "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111"
                           : "application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload=0";
        caps_ = CapsPtr::adopt(gst_caps_from_string(text));
        gst_caps_set_simple(caps_.get(), "extmap-1", G_TYPE_STRING,
                            "urn:ietf:params:rtp-hdrext:ssrc-audio-level", nullptr);
        g_object_set(io_, "local-address", "127.0.0.1", nullptr);
        g_object_set(mixer_, "tick", static_cast<int>(options.tick), nullptr);
        legs_.resize(options.legs);
    }

    void add(unsigned leg) override {
        Leg& state = legs_[leg];
        state.from_peer = request(io_, "src_", leg);
        state.to_peer = request(io_, "sink_", leg);
        state.speaks = request(mixer_, "audio_sink_", leg);
        state.hears = request(mixer_, "audio_src_", leg);
        if (!options_.key.empty()) {
            gst_util_set_object_arg(G_OBJECT(state.from_peer.get()), "srtp-suite", options_.suite.c_str());
            g_object_set(state.from_peer.get(), "srtp-send-key", options_.key.c_str(), "srtp-receive-key",
                         options_.key.c_str(), nullptr);
        }
        // A leg that comes back has the port that its peer knows.
        g_object_set(state.from_peer.get(), "local-port", state.port, "rtp-caps", caps_.get(),
                     "remote-address", "127.0.0.1", "remote-port", load_port(leg), nullptr);
        g_object_set(state.to_peer.get(), "rtp-send-caps", caps_.get(), nullptr);
        if (GST_PAD_LINK_FAILED(gst_pad_link(state.from_peer.get(), state.speaks.get())) ||
            GST_PAD_LINK_FAILED(gst_pad_link(state.hears.get(), state.to_peer.get()))) {
            throw std::runtime_error("a leg does not link");
        }
    }

    void remove(unsigned leg) override {
        Leg& state = legs_[leg];
        state.port = port(leg);
        gst_element_release_request_pad(mixer_, state.hears.get());
        gst_element_release_request_pad(io_, state.from_peer.get());
        gst_element_release_request_pad(mixer_, state.speaks.get());
        gst_element_release_request_pad(io_, state.to_peer.get());
        const guint port = state.port;
        state = {};
        state.port = port;
    }

    unsigned port(unsigned leg) override {
        g_object_get(legs_[leg].from_peer.get(), "local-port", &legs_[leg].port, nullptr);
        return legs_[leg].port;
    }

    std::optional<JitterBuffers> jitter_buffers() override {
        JitterBuffers mean;
        for (const Leg& leg : legs_) {
            GstStructure* stats = nullptr;
            g_object_get(leg.speaks.get(), "rtp-stats", &stats, nullptr);
            const StructurePtr owned(stats);
            mean.delay_ms += number(stats, "delay") / static_cast<double>(legs_.size());
            mean.target_ms += number(stats, "target") / static_cast<double>(legs_.size());
        }
        return mean;
    }

private:
    struct Leg {
        PadPtr from_peer, to_peer, speaks, hears;
        guint port = 0;
    };

    GstElement* io_;
    GstElement* mixer_;
    CapsPtr caps_;
    std::vector<Leg> legs_;
};

}  // namespace

RoomPtr make_vmr_room(const RoomOptions& options) {
    return std::make_unique<VmrRoom>(options);
}

}  // namespace vmr::bench
