/**
 * SECTION:element-pin-ivr
 * @title: pin-ivr
 * @short_description: asks a caller for digits, by voice and on screen
 *
 * Stands between one participant and the room, in both directions. While it asks (as it does when it starts),
 * nothing passes; the caller hears prompts and sees a screen with masked digits. Keys come as `dtmf-event`
 * events on any pad, as tones (property `inband`), or by the action signal `digit`. An entry is posted as the
 * element message `vmr-digits`; the application answers with the action signal `accept` or `reject`. With
 * `host-pin` or `guest-pin` it answers itself.
 *
 * ## Example: one second of the question, as a phone would hear it and a screen would show it
 * |[
 * gst-launch-1.0 -m pin-ivr name=pin host-pin=4711 \
 *   audiotestsrc is-live=true num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 \
 *   ! pin.audio_sink pin.audio_src ! fakesink \
 *   pin.audio_return_src ! queue ! audioconvert ! fakesink sync=true \
 *   pin.video_return_src ! queue ! videoconvert ! fakesink sync=true
 * ]|
 * (with autoaudiosink and autovideosink in place of the last two, it can be heard and seen)
 */
#include "plugins/pin-ivr/element.hpp"

#include "base/guard.hpp"
#include "plugins/pin-ivr/ivr.hpp"

using vmr::guard;
using vmr::duplex::Door;
using vmr::pin_ivr::Ivr;
using vmr::pin_ivr::Settings;

struct VmrPinIvr {
    GstElement parent;
    Ivr* ivr;
};
struct VmrPinIvrClass {
    GstElementClass parent_class;
    void (*accept)(VmrPinIvr*);
    void (*reject)(VmrPinIvr*, guint);
    void (*ask)(VmrPinIvr*, const char*);
    void (*play)(VmrPinIvr*, const char*);
    void (*say)(VmrPinIvr*, const char*, const char*, const char*, gboolean);
    void (*digit)(VmrPinIvr*, const char*);
};

GST_DEBUG_CATEGORY_STATIC(vmr_pin_ivr_debug);
G_DEFINE_TYPE_WITH_CODE(VmrPinIvr, vmr_pin_ivr, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(vmr_pin_ivr_debug, "pin-ivr", 0, "PIN entry"))

namespace {

enum {
    kPropAsking = 1,
    kPropPrompts,
    kPropLanguage,
    kPropPrompt,
    kPropMaxDigits,
    kPropInterDigitTimeout,
    kPropTimeout,
    kPropInband,
    kPropSpeech,
    kPropHostPin,
    kPropGuestPin
};

VmrPinIvr* self_of(gpointer object) {
    return static_cast<VmrPinIvr*>(object);
}

std::string text_of(const char* text) {
    return text == nullptr ? "" : text;
}

void apply_setting(Settings& settings, guint id, const GValue* value, GObject* object, GParamSpec* spec) {
    switch (id) {
        case kPropPrompts:
            settings.prompts = text_of(g_value_get_string(value));
            break;
        case kPropLanguage:
            settings.language = text_of(g_value_get_string(value));
            break;
        case kPropPrompt:
            settings.prompt = text_of(g_value_get_string(value));
            break;
        case kPropMaxDigits:
            settings.limits.max_digits = g_value_get_uint(value);
            break;
        case kPropInterDigitTimeout:
            settings.limits.inter_digit = g_value_get_uint64(value);
            break;
        case kPropTimeout:
            settings.limits.total = g_value_get_uint64(value);
            break;
        case kPropSpeech:
            settings.speech = g_value_get_boolean(value) != FALSE;
            break;
        case kPropHostPin:
            settings.host_pin = text_of(g_value_get_string(value));
            break;
        case kPropGuestPin:
            settings.guest_pin = text_of(g_value_get_string(value));
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    Ivr& ivr = *self_of(object)->ivr;
    guard(GST_ELEMENT(object), [&] {
        if (id == kPropAsking) {
            if (g_value_get_boolean(value) != (ivr.asking() ? TRUE : FALSE)) {
                ivr.asking() ? ivr.accept() : ivr.ask("");
            }
        } else if (id == kPropInband) {
            ivr.set_inband(g_value_get_boolean(value) != FALSE);
        } else {
            Settings settings = ivr.settings();
            apply_setting(settings, id, value, object, spec);
            ivr.set_settings(settings);
        }
    });
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    Ivr& ivr = *self_of(object)->ivr;
    guard(GST_ELEMENT(object), [&] {
        const Settings settings = ivr.settings();
        switch (id) {
            case kPropAsking:
                g_value_set_boolean(value, ivr.asking());
                break;
            case kPropPrompts:
                g_value_set_string(value, settings.prompts.c_str());
                break;
            case kPropLanguage:
                g_value_set_string(value, settings.language.c_str());
                break;
            case kPropPrompt:
                g_value_set_string(value, settings.prompt.c_str());
                break;
            case kPropMaxDigits:
                g_value_set_uint(value, static_cast<guint>(settings.limits.max_digits));
                break;
            case kPropInterDigitTimeout:
                g_value_set_uint64(value, settings.limits.inter_digit);
                break;
            case kPropTimeout:
                g_value_set_uint64(value, settings.limits.total);
                break;
            case kPropInband:
                g_value_set_boolean(value, ivr.inband());
                break;
            case kPropSpeech:
                g_value_set_boolean(value, settings.speech);
                break;
            default:
                G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        }
    });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    return guard(element, GST_STATE_CHANGE_FAILURE, [&] {
        if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
            self_of(element)->ivr->restart();
        }
        return self_of(element)->ivr->door().change_state(transition,
                                                          GST_ELEMENT_CLASS(vmr_pin_ivr_parent_class));
    });
}

void finalize(GObject* object) {
    delete self_of(object)->ivr;
    G_OBJECT_CLASS(vmr_pin_ivr_parent_class)->finalize(object);
}

void accept(VmrPinIvr* self) {
    guard(GST_ELEMENT(self), [&] { self->ivr->accept(); });
}
void reject(VmrPinIvr* self, guint attempts_left) {
    guard(GST_ELEMENT(self), [&] { self->ivr->reject(attempts_left); });
}
void ask(VmrPinIvr* self, const char* prompt) {
    guard(GST_ELEMENT(self), [&] { self->ivr->ask(text_of(prompt)); });
}
void play(VmrPinIvr* self, const char* prompts) {
    guard(GST_ELEMENT(self), [&] { self->ivr->play(text_of(prompts)); });
}
void say(VmrPinIvr* self, const char* recording, const char* text, const char* language, gboolean until_key) {
    guard(GST_ELEMENT(self), [&] {
        self->ivr->say({text_of(recording), text_of(text), text_of(language), until_key != FALSE});
    });
}
void digit(VmrPinIvr* self, const char* keys) {
    guard(GST_ELEMENT(self), [&] { self->ivr->digits(text_of(keys)); });
}

constexpr auto kReadWrite = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
constexpr auto kSecret = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);

void install_string(GObjectClass* object, guint id, const char* name, const char* nick, const char* blurb,
                    const std::string& initial, GParamFlags flags) {
    g_object_class_install_property(object, id,
                                    g_param_spec_string(name, nick, blurb, initial.c_str(), flags));
}

void install_properties(GObjectClass* object) {
    const Settings initial;
    g_object_class_install_property(
        object, kPropAsking,
        g_param_spec_boolean("asking", "Asking", "Whether it asks; while it does, nothing passes, either way",
                             TRUE, kReadWrite));
    install_string(object, kPropPrompts, "prompts", "Prompts",
                   "Folder of prompt files: .wav or .g722, in a folder for each language", initial.prompts,
                   kReadWrite);
    install_string(object, kPropLanguage, "language", "Language",
                   "Language of recordings, speech and screen, such as en, fr or fr_CA", initial.language,
                   kReadWrite);
    install_string(object, kPropPrompt, "prompt", "Prompt", "What is asked for: pin or meeting-number",
                   initial.prompt, kReadWrite);
    g_object_class_install_property(
        object, kPropMaxDigits,
        g_param_spec_uint("max-digits", "Maximum digits", "An entry of this length ends without #", 1, 64,
                          static_cast<guint>(initial.limits.max_digits), kReadWrite));
    g_object_class_install_property(
        object, kPropInterDigitTimeout,
        g_param_spec_uint64("inter-digit-timeout", "Inter-digit timeout",
                            "A pause of this many nanoseconds ends an entry that has begun", GST_MSECOND,
                            GST_SECOND * 3600, initial.limits.inter_digit, kReadWrite));
    g_object_class_install_property(
        object, kPropTimeout,
        g_param_spec_uint64("timeout", "Timeout",
                            "Nanoseconds without an entry after which vmr-pin-timeout is posted", GST_MSECOND,
                            GST_SECOND * 3600, initial.limits.total, kReadWrite));
    g_object_class_install_property(
        object, kPropInband,
        g_param_spec_boolean("inband", "In-band", "Listen for DTMF tones in the caller's audio", FALSE,
                             kReadWrite));
    g_object_class_install_property(
        object, kPropSpeech,
        g_param_spec_boolean("speech", "Speech", "Speak what has no recording; without: a tone",
                             initial.speech, kReadWrite));
    install_string(object, kPropHostPin, "host-pin", "Host PIN", "Accepted by the element itself, as host",
                   "", kSecret);
    install_string(object, kPropGuestPin, "guest-pin", "Guest PIN",
                   "Accepted by the element itself, as guest", "", kSecret);
}

template <typename... Types>
void install_action(VmrPinIvrClass* klass, const char* name, std::size_t offset, Types... arguments) {
    constexpr auto kFlags = static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION);
    g_signal_new(name, G_TYPE_FROM_CLASS(klass), kFlags, static_cast<guint>(offset), nullptr, nullptr,
                 nullptr, G_TYPE_NONE, static_cast<guint>(sizeof...(arguments)), arguments...);
}

}  // namespace

static void vmr_pin_ivr_class_init(VmrPinIvrClass* klass) {
    auto* object = G_OBJECT_CLASS(klass);
    auto* element = GST_ELEMENT_CLASS(klass);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    element->change_state = change_state;
    klass->accept = accept;
    klass->reject = reject;
    klass->ask = ask;
    klass->play = play;
    klass->say = say;
    klass->digit = digit;
    install_properties(object);
    /** VmrPinIvr::accept: Action: lets media pass, and stops asking. */
    install_action(klass, "accept", G_STRUCT_OFFSET(VmrPinIvrClass, accept));
    /** VmrPinIvr::reject: Action: the entry was wrong; so many attempts are left (0: says goodbye, asks no
     * more). */
    install_action(klass, "reject", G_STRUCT_OFFSET(VmrPinIvrClass, reject), G_TYPE_UINT);
    /** VmrPinIvr::ask: Action: closes, and asks for `pin` or `meeting-number` from the beginning. */
    install_action(klass, "ask", G_STRUCT_OFFSET(VmrPinIvrClass, ask), G_TYPE_STRING);
    /** VmrPinIvr::play: Action: queues one prompt, or several separated by blanks; mixed over what passes. */
    install_action(klass, "play", G_STRUCT_OFFSET(VmrPinIvrClass, play), G_TYPE_STRING);
    /** VmrPinIvr::say: Action: queues the recording of that name, or the text spoken in that language, or a
     * tone: what there is first. until_key: a key stops it. */
    install_action(klass, "say", G_STRUCT_OFFSET(VmrPinIvrClass, say), G_TYPE_STRING, G_TYPE_STRING,
                   G_TYPE_STRING, G_TYPE_BOOLEAN);
    /** VmrPinIvr::digit: Action: one key or several, of 0–9, *, #, A–D. */
    install_action(klass, "digit", G_STRUCT_OFFSET(VmrPinIvrClass, digit), G_TYPE_STRING);
    Door::add_pad_templates(element);
    gst_element_class_set_static_metadata(element, "PIN entry", "Filter/Audio/Video",
                                          "Asks a caller for digits; nothing passes until they are accepted",
                                          "vmr");
}

static void vmr_pin_ivr_init(VmrPinIvr* self) {
    self->ivr = new Ivr(GST_ELEMENT(self));
}

bool vmr::pin_ivr::register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "pin-ivr", GST_RANK_NONE, vmr_pin_ivr_get_type()) != FALSE;
}
