/**
 * SECTION:element-lobby-gate
 * @title: lobby-gate
 * @short_description: lets no media pass until it is opened
 *
 * Stands between one participant and the room, in both directions. Closed (as it starts), nothing passes: the
 * room gets nothing, the participant gets hold music and a slate that says why. Opened, buffers pass
 * untouched. Both take effect with the next buffer, with a fade of 10 ms.
 *
 * ## Example: two seconds in the lobby
 * |[
 * gst-launch-1.0 -m lobby-gate name=gate reason=locked \
 *   audiotestsrc is-live=true num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 \
 *   ! gate.audio_sink gate.audio_src ! fakesink \
 *   gate.audio_return_src ! queue ! audioconvert ! fakesink sync=true \
 *   gate.video_return_src ! queue ! videoconvert ! fakesink sync=true
 * ]|
 * (with autoaudiosink and autovideosink in place of the last two, it can be heard and seen)
 */
#include "plugins/lobby-gate/element.hpp"

#include "base/guard.hpp"
#include "plugins/lobby-gate/gate.hpp"

using vmr::guard;
using vmr::duplex::Door;
using vmr::lobby_gate::Gate;

struct VmrLobbyGate {
    GstElement parent;
    Gate* gate;
};
struct VmrLobbyGateClass {
    GstElementClass parent_class;
};

GST_DEBUG_CATEGORY_STATIC(vmr_lobby_gate_debug);
G_DEFINE_TYPE_WITH_CODE(VmrLobbyGate, vmr_lobby_gate, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(vmr_lobby_gate_debug, "lobby-gate", 0, "lobby gate"))

namespace {

enum { kPropOpen = 1, kPropReason, kPropHold, kPropSlate, kPropLanguage };

VmrLobbyGate* self_of(gpointer object) {
    return static_cast<VmrLobbyGate*>(object);
}

std::string text_of(const GValue* value) {
    const char* text = g_value_get_string(value);
    return text == nullptr ? "" : text;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    Gate& gate = *self_of(object)->gate;
    guard(GST_ELEMENT(object), [&] {
        switch (id) {
            case kPropOpen:
                gate.set_open(g_value_get_boolean(value) != FALSE);
                break;
            case kPropReason:
                gate.set_reason(text_of(value));
                break;
            case kPropHold:
                gate.set_hold(text_of(value));
                break;
            case kPropSlate:
                gate.set_slate(text_of(value));
                break;
            case kPropLanguage:
                gate.set_language(text_of(value));
                break;
            default:
                G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        }
    });
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    Gate& gate = *self_of(object)->gate;
    guard(GST_ELEMENT(object), [&] {
        switch (id) {
            case kPropOpen:
                g_value_set_boolean(value, gate.door().is_open());
                break;
            case kPropReason:
                g_value_set_string(value, gate.reason().c_str());
                break;
            case kPropHold:
                g_value_set_string(value, gate.hold().c_str());
                break;
            case kPropSlate:
                g_value_set_string(value, gate.slate().c_str());
                break;
            case kPropLanguage:
                g_value_set_string(value, gate.language().c_str());
                break;
            default:
                G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        }
    });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    return guard(element, GST_STATE_CHANGE_FAILURE, [&] {
        return self_of(element)->gate->door().change_state(transition,
                                                           GST_ELEMENT_CLASS(vmr_lobby_gate_parent_class));
    });
}

void finalize(GObject* object) {
    delete self_of(object)->gate;
    G_OBJECT_CLASS(vmr_lobby_gate_parent_class)->finalize(object);
}

void install_string(GObjectClass* object, guint id, const char* name, const char* nick, const char* blurb,
                    const char* initial) {
    g_object_class_install_property(
        object, id,
        g_param_spec_string(name, nick, blurb, initial,
                            static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace

static void vmr_lobby_gate_class_init(VmrLobbyGateClass* klass) {
    auto* object = G_OBJECT_CLASS(klass);
    auto* element = GST_ELEMENT_CLASS(klass);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    element->change_state = change_state;
    g_object_class_install_property(
        object, kPropOpen,
        g_param_spec_boolean("open", "Open", "Whether media passes, both ways", FALSE,
                             static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
    install_string(object, kPropReason, "reason", "Reason",
                   "Why it is closed: awaiting-host, locked, held; chooses the slate's text",
                   "awaiting-host");
    install_string(object, kPropHold, "hold", "Hold music",
                   "A .wav or .g722 file to repeat; empty: generated music; \"silent\": none", "");
    install_string(object, kPropLanguage, "language", "Language",
                   "Language of the slate, such as en or fr_CA", "en");
    install_string(object, kPropSlate, "slate", "Slate", "Text shown instead of the reason's own", "");
    Door::add_pad_templates(element);
    gst_element_class_set_static_metadata(element, "Lobby gate", "Filter/Audio/Video",
                                          "Lets no media pass, either way, until it is opened", "vmr");
}

static void vmr_lobby_gate_init(VmrLobbyGate* self) {
    self->gate = new Gate(GST_ELEMENT(self));
}

bool vmr::lobby_gate::register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "lobby-gate", GST_RANK_NONE, vmr_lobby_gate_get_type()) != FALSE;
}
