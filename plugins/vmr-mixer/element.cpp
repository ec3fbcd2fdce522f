/**
 * SECTION:element-vmr-mixer
 * @title: vmr-mixer
 * @short_description: everyone hears and sees everyone but themselves
 *
 * The heart of a virtual meeting room. Participant N has the request pads audio_sink_N and
 * audio_src_N, video_sink_N and video_src_N, content_sink_N and content_src_N, or any of them.
 * Pads may come and go while PLAYING. The element is live: it mixes on the pipeline's clock, and
 * an input that is late, stalled or not yet negotiated delays nobody.
 *
 * A src pad gives what downstream's caps ask for, raw or encoded; pads that would carry the same
 * bits share one mix and one encode.
 *
 * ## Example
 * |[
 * gst-launch-1.0 vmr-mixer name=m layout=equal audiotestsrc is-live=true freq=440 num-buffers=150
 * samplesperbuffer=960 ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! m.audio_sink_0 audiotestsrc
 * is-live=true freq=1000 ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! m.audio_sink_1 videotestsrc
 * is-live=true ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 ! m.video_sink_0 videotestsrc
 * is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 ! m.video_sink_1
 * m.audio_src_0 ! audio/x-opus ! opusdec ! audioconvert ! autoaudiosink m.video_src_2 !
 * video/x-raw,width=1280,height=720 ! videoconvert ! autovideosink
 * ]|
 * Participant 0 hears the 1000 Hz of participant 1, but not its own 440 Hz; viewer 2 sees both.
 */
#include "element.hpp"

#include "base/guard.hpp"
#include "mixer.hpp"
#include "voice_properties.hpp"

using vmr::mixer::LayoutKind;
using vmr::mixer::Mixer;
using vmr::mixer::Padlock;
using vmr::mixer::Settings;

struct VmrMixer {
    GstElement parent;
    Mixer* impl;
};
struct VmrMixerClass {
    GstElementClass parent_class;
};

static void vmr_mixer_child_proxy_init(gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE(VmrMixer, vmr_mixer, GST_TYPE_ELEMENT,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_CHILD_PROXY, vmr_mixer_child_proxy_init))

namespace {

enum Property {
    kNone,
    kMaxTalkers,
    kGate,
    kInterval,
    kOpusBitrate,
    kFec,
    kWidth,
    kHeight,
    kFramerate,
    kVideoBitrate,
    kLayout,
    kSpotlight,
    kMaxViews,
    kVideoClasses,
    kStillFramerate,
    kTransitions,
    kPadlock,
    kStats
};

Mixer& impl(gpointer object) {
    return *reinterpret_cast<VmrMixer*>(object)->impl;
}

GType layout_type() {
    static const GEnumValue values[] = {
        {static_cast<gint>(LayoutKind::speaker), "One large tile for the speaker and up to 7 small ones",
         "speaker"},
        {static_cast<gint>(LayoutKind::equal), "Up to 25 tiles of one size", "equal"},
        {static_cast<gint>(LayoutKind::single), "The speaker alone", "single"},
        {static_cast<gint>(LayoutKind::content), "Shared content and a strip of people", "content"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("VmrMixerLayout", values);
    return type;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    Settings& settings = impl(object).settings();
    if (vmr::mixer::set_voice_property(settings, id, value)) {
        return;
    }
    switch (id) {
        case kMaxTalkers:
            settings.max_talkers = g_value_get_uint(value);
            break;
        case kGate:
            settings.gate_db = g_value_get_double(value);
            break;
        case kInterval:
            settings.level_interval_ms = g_value_get_uint(value);
            break;
        case kOpusBitrate:
            settings.opus_bitrate = g_value_get_int(value);
            break;
        case kFec:
            settings.inband_fec = g_value_get_boolean(value) != FALSE;
            break;
        case kWidth:
            settings.width = g_value_get_int(value) & ~1;
            break;
        case kHeight:
            settings.height = g_value_get_int(value) & ~1;
            break;
        case kFramerate:
            settings.framerate = g_value_get_int(value);
            break;
        case kVideoBitrate:
            settings.video_bitrate = g_value_get_int(value);
            break;
        case kLayout:
            settings.layout = static_cast<LayoutKind>(g_value_get_enum(value));
            break;
        case kSpotlight:
            settings.spotlight = g_value_get_int(value);
            break;
        case kMaxViews:
            settings.max_views = g_value_get_uint(value);
            break;
        case kVideoClasses:
            settings.video_classes = g_value_get_uint(value);
            break;
        case kStillFramerate:
            settings.still_framerate = g_value_get_int(value);
            break;
        case kTransitions:
            settings.transitions = g_value_get_boolean(value) != FALSE;
            break;
        case kPadlock:
            settings.padlock = static_cast<Padlock>(g_value_get_enum(value));
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    const Settings& settings = impl(object).settings();
    if (vmr::mixer::get_voice_property(settings, id, value)) {
        return;
    }
    switch (id) {
        case kMaxTalkers:
            return g_value_set_uint(value, settings.max_talkers);
        case kGate:
            return g_value_set_double(value, settings.gate_db);
        case kInterval:
            return g_value_set_uint(value, settings.level_interval_ms);
        case kOpusBitrate:
            return g_value_set_int(value, settings.opus_bitrate);
        case kFec:
            return g_value_set_boolean(value, settings.inband_fec);
        case kWidth:
            return g_value_set_int(value, settings.width);
        case kHeight:
            return g_value_set_int(value, settings.height);
        case kFramerate:
            return g_value_set_int(value, settings.framerate);
        case kVideoBitrate:
            return g_value_set_int(value, settings.video_bitrate);
        case kLayout:
            return g_value_set_enum(value, static_cast<gint>(settings.layout.load()));
        case kSpotlight:
            return g_value_set_int(value, settings.spotlight);
        case kMaxViews:
            return g_value_set_uint(value, settings.max_views);
        case kVideoClasses:
            return g_value_set_uint(value, settings.video_classes);
        case kStillFramerate:
            return g_value_set_int(value, settings.still_framerate);
        case kTransitions:
            return g_value_set_boolean(value, settings.transitions);
        case kPadlock:
            return g_value_set_enum(value, static_cast<gint>(settings.padlock.load()));
        case kStats:
            return g_value_take_boxed(value, impl(object).stats().release());
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* name, const GstCaps*) {
    return vmr::guard(element, static_cast<GstPad*>(nullptr),
                      [&] { return impl(element).request_pad(templ, name); });
}

void release_pad(GstElement* element, GstPad* pad) {
    vmr::guard(element, [&] { impl(element).release_pad(pad); });
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
    if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
        vmr::guard(element, [&] { impl(element).stop(); });
    }
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(vmr_mixer_parent_class)->change_state(element, transition);
    if (result == GST_STATE_CHANGE_FAILURE) {
        return result;
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
        const bool started = vmr::guard(element, false, [&] {
            impl(element).start();
            return true;
        });
        return started ? result : GST_STATE_CHANGE_FAILURE;
    }
    const bool live_pause =
        transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
    return live_pause ? GST_STATE_CHANGE_NO_PREROLL : result;
}

void finalize(GObject* object) {
    delete reinterpret_cast<VmrMixer*>(object)->impl;
    G_OBJECT_CLASS(vmr_mixer_parent_class)->finalize(object);
}

void install(GObjectClass* klass, guint id, GParamSpec* spec) {
    g_object_class_install_property(klass, id, spec);
}

constexpr auto kPlaying =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);

void install_audio_properties(GObjectClass* klass) {
    install(klass, kMaxTalkers,
            g_param_spec_uint("max-talkers", "Maximum talkers", "How many of the loudest inputs are mixed", 1,
                              64, 8, kPlaying));
    install(klass, kGate,
            g_param_spec_double("gate", "Gate", "Inputs below this level are silence and not mixed (dBFS)",
                                -100.0, 0.0, -60.0, kPlaying));
    install(klass, kInterval,
            g_param_spec_uint("interval", "Interval", "Time between vmr-levels messages (ms, 0 = none)", 0,
                              60000, 0, kPlaying));
    install(klass, kOpusBitrate,
            g_param_spec_int("opus-bitrate", "Opus bitrate", "Bitrate of audio/x-opus pads (bit/s)", 6000,
                             510000, 48000, kPlaying));
    install(klass, kFec,
            g_param_spec_boolean("inband-fec", "In-band FEC",
                                 "Opus in-band forward error correction (leaves the low-delay mode)", FALSE,
                                 kPlaying));
}

void install_video_properties(GObjectClass* klass) {
    install(klass, kWidth,
            g_param_spec_int("width", "Width", "Width where downstream leaves it open (pixels)", 16, 3840,
                             1280, kPlaying));
    install(klass, kHeight,
            g_param_spec_int("height", "Height", "Height where downstream leaves it open (pixels)", 16, 2160,
                             720, kPlaying));
    install(klass, kFramerate,
            g_param_spec_int("framerate", "Frame rate", "Pictures composed each second (1/s)", 1, 60, 25,
                             kPlaying));
    install(klass, kVideoBitrate,
            g_param_spec_int("video-bitrate", "Video bitrate", "Bitrate of encoded video pads (bit/s)", 50000,
                             50000000, 1500000, kPlaying));
    install(klass, kLayout,
            g_param_spec_enum("layout", "Layout", "How participants are arranged", layout_type(),
                              static_cast<gint>(LayoutKind::speaker), kPlaying));
    install(
        klass, kSpotlight,
        g_param_spec_int("spotlight", "Spotlight", "Participant who holds the first tile (-1 = who speaks)",
                         -1, 65535, -1, kPlaying));
    install(klass, kMaxViews,
            g_param_spec_uint("max-views", "Maximum views",
                              "How many participants on stage get a picture of their own, without themselves",
                              0, 25, 8, kPlaying));
    install(klass, kVideoClasses,
            g_param_spec_uint("video-classes", "Video classes",
                              "Encodes of a view that viewers' networks may choose from", 1,
                              vmr::mixer::kBitrateClasses, vmr::mixer::kBitrateClasses, kPlaying));
    install(klass, kStillFramerate,
            g_param_spec_int("still-framerate", "Still frame rate",
                             "How often an encoded view in which nothing changes is repeated (1/s)", 1, 60, 2,
                             kPlaying));
    install(klass, kTransitions,
            g_param_spec_boolean("transitions", "Transitions",
                                 "Whether tiles glide to their new places (0.3 s)", TRUE, kPlaying));
    install(klass, kPadlock,
            g_param_spec_enum("padlock", "Padlock", "The padlock drawn in the corner of every view",
                              vmr::mixer::padlock_type(), static_cast<gint>(Padlock::none), kPlaying));
}

void show_banner(GstElement* element, const gchar* text, guint milliseconds) {
    vmr::guard(element, [&] { impl(element).show_banner(text, milliseconds); });
}

// banner(text, milliseconds): shown on every view, after those that are shown already.
void install_signals(GObjectClass* klass) {
    g_signal_new_class_handler(
        "banner", G_TYPE_FROM_CLASS(klass), static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
        G_CALLBACK(show_banner), nullptr, nullptr, nullptr, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
}

GObject* child_by_name(GstChildProxy* proxy, const gchar* name) {
    return reinterpret_cast<GObject*>(gst_element_get_static_pad(GST_ELEMENT(proxy), name));
}

GObject* child_by_index(GstChildProxy* proxy, guint index) {
    GObject* child = nullptr;
    GST_OBJECT_LOCK(proxy);
    if (gpointer pad = g_list_nth_data(GST_ELEMENT(proxy)->pads, index); pad != nullptr) {
        child = G_OBJECT(gst_object_ref(pad));
    }
    GST_OBJECT_UNLOCK(proxy);
    return child;
}

guint child_count(GstChildProxy* proxy) {
    GST_OBJECT_LOCK(proxy);
    const guint count = GST_ELEMENT(proxy)->numpads;
    GST_OBJECT_UNLOCK(proxy);
    return count;
}

}  // namespace

static void vmr_mixer_child_proxy_init(gpointer iface, gpointer) {
    auto* proxy = static_cast<GstChildProxyInterface*>(iface);
    proxy->get_child_by_name = child_by_name;
    proxy->get_child_by_index = child_by_index;
    proxy->get_children_count = child_count;
}

static void vmr_mixer_init(VmrMixer* mixer) {
    mixer->impl = new Mixer(GST_ELEMENT(mixer));
    // A source of a clock-driven stream, even when it has sink pads.
    GST_OBJECT_FLAG_SET(mixer, GST_ELEMENT_FLAG_SOURCE);
    GST_OBJECT_FLAG_SET(mixer, GST_ELEMENT_FLAG_REQUIRE_CLOCK);
}

static void vmr_mixer_class_init(VmrMixerClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    install_audio_properties(object_class);
    vmr::mixer::install_voice_properties(object_class);
    install_video_properties(object_class);
    install_signals(object_class);
    install(object_class, kStats,
            g_param_spec_boxed("stats", "Statistics",
                               "Work done so far (counts of mixes, encodes, composites)", GST_TYPE_STRUCTURE,
                               static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

    GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
    element_class->request_new_pad = request_new_pad;
    element_class->release_pad = release_pad;
    element_class->change_state = change_state;
    vmr::mixer::add_pad_templates(element_class);
    gst_element_class_set_static_metadata(
        element_class, "Virtual meeting room mixer", "Generic/Audio/Video/Mixer",
        "Everyone hears and sees everyone but themselves; equal mixes and encodes are shared", "vmr project");
    gst_type_mark_as_plugin_api(layout_type(), static_cast<GstPluginAPIFlags>(0));
    gst_type_mark_as_plugin_api(vmr::mixer::padlock_type(), static_cast<GstPluginAPIFlags>(0));
}

namespace vmr::mixer {

bool register_element(GstPlugin* plugin) {
    return gst_element_register(plugin, "vmr-mixer", GST_RANK_NONE, vmr_mixer_get_type()) != FALSE;
}

}  // namespace vmr::mixer
