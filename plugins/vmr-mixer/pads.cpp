#include "pads.hpp"

#include "caps.hpp"
#include "clean_text.hpp"

using vmr::mixer::AudioInput;
using vmr::mixer::Identity;
using vmr::mixer::Output;
using vmr::mixer::Padlock;
using vmr::mixer::VideoInput;

// GObject types live outside the namespace: their names are part of the plugin's interface.
struct VmrMixerAudioSinkPad {
    GstPad parent;
    AudioInput* state;
};
struct VmrMixerAudioSinkPadClass {
    GstPadClass parent_class;
};
struct VmrMixerVideoSinkPad {
    GstPad parent;
    VideoInput* state;
};
struct VmrMixerVideoSinkPadClass {
    GstPadClass parent_class;
};
struct VmrMixerSrcPad {
    GstPad parent;
    Output* state;
};
struct VmrMixerSrcPadClass {
    GstPadClass parent_class;
};

G_DEFINE_TYPE(VmrMixerAudioSinkPad, vmr_mixer_audio_sink_pad, GST_TYPE_PAD)
G_DEFINE_TYPE(VmrMixerVideoSinkPad, vmr_mixer_video_sink_pad, GST_TYPE_PAD)
G_DEFINE_TYPE(VmrMixerSrcPad, vmr_mixer_src_pad, GST_TYPE_PAD)

namespace {

struct PadProperty {
    enum : guint {
        none,
        display_name,
        visible,
        mute,
        volume,
        level,
        talking,
        padlock,
        max_bitrate,
        bitrate_class,
        on_stage,
        wanted_width,
        wanted_height,
        rtp_stats,
        packet_loss
    };
};

constexpr auto kReadWrite = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

void install_identity(GObjectClass* klass, const char* mute_name, const char* mute_blurb) {
    g_object_class_install_property(
        klass, PadProperty::display_name,
        g_param_spec_string("display-name", "Display name", "Name drawn on this participant's tile", nullptr,
                            kReadWrite));
    g_object_class_install_property(
        klass, PadProperty::visible,
        g_param_spec_boolean("visible", "Visible", "Whether this participant may appear on stage", TRUE,
                             kReadWrite));
    g_object_class_install_property(klass, PadProperty::mute,
                                    g_param_spec_boolean(mute_name, "Mute", mute_blurb, FALSE, kReadWrite));
    g_object_class_install_property(
        klass, PadProperty::padlock,
        g_param_spec_enum("padlock", "Padlock", "The padlock drawn on this participant's tile",
                          vmr::mixer::padlock_type(), static_cast<gint>(Padlock::none), kReadWrite));
}

bool set_identity(Identity& identity, guint id, const GValue* value) {
    switch (id) {
        case PadProperty::display_name:
            identity.set_name(g_value_get_string(value));
            return true;
        case PadProperty::visible:
            identity.visible = g_value_get_boolean(value) != FALSE;
            return true;
        case PadProperty::mute:
            identity.mute = g_value_get_boolean(value) != FALSE;
            return true;
        case PadProperty::padlock:
            identity.padlock = static_cast<Padlock>(g_value_get_enum(value));
            return true;
        default:
            return false;
    }
}

bool get_identity(const Identity& identity, guint id, GValue* value) {
    switch (id) {
        case PadProperty::display_name:
            g_value_set_string(value, identity.name().c_str());
            return true;
        case PadProperty::visible:
            g_value_set_boolean(value, identity.visible);
            return true;
        case PadProperty::mute:
            g_value_set_boolean(value, identity.mute);
            return true;
        case PadProperty::padlock:
            g_value_set_enum(value, static_cast<gint>(identity.padlock.load()));
            return true;
        default:
            return false;
    }
}

void audio_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    AudioInput& state = *reinterpret_cast<VmrMixerAudioSinkPad*>(object)->state;
    if (set_identity(state, id, value)) {
        return;
    }
    if (id == PadProperty::volume) {
        state.volume = g_value_get_double(value);
        return;
    }
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

// Null for raw audio.
GstStructure* rtp_statistics(AudioInput& input) {
    std::shared_ptr<vmr::mixer::RtpLeg> leg;
    {
        const std::lock_guard held(input.lock);
        leg = input.leg;
    }
    if (!leg) {
        return nullptr;
    }
    const auto stats = leg->stats();
    return gst_structure_new("application/x-vmr-rtp-stats", "delay", G_TYPE_INT64, gint64{stats.delay_ms},
                             "target", G_TYPE_INT64, gint64{stats.target_ms}, "jitter", G_TYPE_DOUBLE,
                             stats.jitter_ms, "decodes", G_TYPE_UINT64, guint64{stats.decodes}, "played",
                             G_TYPE_UINT64, guint64{stats.packets.played}, "lost", G_TYPE_UINT64,
                             guint64{stats.packets.lost}, "late", G_TYPE_UINT64, guint64{stats.packets.late},
                             "duplicates", G_TYPE_UINT64, guint64{stats.packets.duplicates}, "skipped",
                             G_TYPE_UINT64, guint64{stats.packets.skipped}, nullptr);
}

void audio_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    AudioInput& state = *reinterpret_cast<VmrMixerAudioSinkPad*>(object)->state;
    if (get_identity(state, id, value)) {
        return;
    }
    switch (id) {
        case PadProperty::volume:
            g_value_set_double(value, state.volume);
            break;
        case PadProperty::level:
            g_value_set_double(value, state.level_db);
            break;
        case PadProperty::talking:
            g_value_set_boolean(value, state.talking);
            break;
        case PadProperty::rtp_stats:
            g_value_take_boxed(value, rtp_statistics(state));
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void video_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    if (!set_identity(*reinterpret_cast<VmrMixerVideoSinkPad*>(object)->state, id, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void video_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    VideoInput& state = *reinterpret_cast<VmrMixerVideoSinkPad*>(object)->state;
    if (get_identity(state, id, value)) {
        return;
    }
    const std::lock_guard held(state.lock);
    switch (id) {
        case PadProperty::on_stage:
            g_value_set_boolean(value, state.wanted.on_stage);
            break;
        case PadProperty::wanted_width:
            g_value_set_int(value, state.wanted.width);
            break;
        case PadProperty::wanted_height:
            g_value_set_int(value, state.wanted.height);
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void install_demand(GObjectClass* klass) {
    g_object_class_install_property(
        klass, PadProperty::on_stage,
        g_param_spec_boolean("on-stage", "On stage", "Whether anybody sees this picture now", FALSE,
                             kReadOnly));
    g_object_class_install_property(
        klass, PadProperty::wanted_width,
        g_param_spec_int("wanted-width", "Wanted width", "Width of the largest tile (pixels, 0 = none)", 0,
                         G_MAXINT, 0, kReadOnly));
    g_object_class_install_property(
        klass, PadProperty::wanted_height,
        g_param_spec_int("wanted-height", "Wanted height", "Height of the largest tile (pixels, 0 = none)", 0,
                         G_MAXINT, 0, kReadOnly));
}

void src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    Output& state = *reinterpret_cast<VmrMixerSrcPad*>(object)->state;
    if (id == PadProperty::max_bitrate) {
        state.max_bitrate = g_value_get_uint(value);
        return;
    }
    if (id == PadProperty::packet_loss) {
        state.set_packet_loss(g_value_get_uint(value));
        return;
    }
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    const Output& state = *reinterpret_cast<VmrMixerSrcPad*>(object)->state;
    switch (id) {
        case PadProperty::max_bitrate:
            g_value_set_uint(value, state.max_bitrate);
            break;
        case PadProperty::bitrate_class:
            g_value_set_uint(value, state.bitrate_class);
            break;
        case PadProperty::packet_loss:
            g_value_set_uint(value, state.packet_loss);
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

template <typename Pad, GType (*type)()>
void finalize(GObject* object) {
    delete reinterpret_cast<Pad*>(object)->state;
    auto* parent = static_cast<GObjectClass*>(g_type_class_peek(GST_TYPE_PAD));
    parent->finalize(object);
}

}  // namespace

static void vmr_mixer_audio_sink_pad_init(VmrMixerAudioSinkPad* pad) {
    pad->state = new AudioInput;
}
static void vmr_mixer_video_sink_pad_init(VmrMixerVideoSinkPad* pad) {
    pad->state = new VideoInput;
}
static void vmr_mixer_src_pad_init(VmrMixerSrcPad* pad) {
    pad->state = new Output;
}

static void vmr_mixer_audio_sink_pad_class_init(VmrMixerAudioSinkPadClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = audio_set_property;
    object_class->get_property = audio_get_property;
    object_class->finalize = finalize<VmrMixerAudioSinkPad, vmr_mixer_audio_sink_pad_get_type>;
    install_identity(object_class, "mute", "Whether this participant is silent to everyone else");
    g_object_class_install_property(
        object_class, PadProperty::volume,
        g_param_spec_double("volume", "Volume", "Linear gain (1.0 = unchanged)", 0.0, 10.0, 1.0, kReadWrite));
    g_object_class_install_property(
        object_class, PadProperty::level,
        g_param_spec_double("level", "Level", "RMS level of the last tick, before mute and volume (dBFS)",
                            vmr::mixer::kSilenceDb, 0.0, vmr::mixer::kSilenceDb, kReadOnly));
    g_object_class_install_property(
        object_class, PadProperty::talking,
        g_param_spec_boolean("talking", "Talking", "Whether this participant is talking now", FALSE,
                             kReadOnly));
    g_object_class_install_property(
        object_class, PadProperty::rtp_stats,
        g_param_spec_boxed("rtp-stats", "RTP statistics",
                           "Of the jitter buffer: delay, target, jitter (ms), packets; null for raw audio",
                           GST_TYPE_STRUCTURE, kReadOnly));
}

static void vmr_mixer_video_sink_pad_class_init(VmrMixerVideoSinkPadClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = video_set_property;
    object_class->get_property = video_get_property;
    object_class->finalize = finalize<VmrMixerVideoSinkPad, vmr_mixer_video_sink_pad_get_type>;
    install_identity(object_class, "muted", "Whether the muted icon is drawn on this participant's tile");
    install_demand(object_class);
}

static void vmr_mixer_src_pad_class_init(VmrMixerSrcPadClass* klass) {
    GObjectClass* object_class = G_OBJECT_CLASS(klass);
    object_class->set_property = src_set_property;
    object_class->get_property = src_get_property;
    object_class->finalize = finalize<VmrMixerSrcPad, vmr_mixer_src_pad_get_type>;
    g_object_class_install_property(
        object_class, PadProperty::max_bitrate,
        g_param_spec_uint("max-bitrate", "Maximum bitrate",
                          "What this viewer's network carries, or this listener takes (bit/s, 0 = unknown)",
                          0, G_MAXUINT, 0, kReadWrite));
    g_object_class_install_property(
        object_class, PadProperty::packet_loss,
        g_param_spec_uint("packet-loss", "Packet loss",
                          "Share of the packets that this listener does not get (%): Opus with FEC from 3 on",
                          0, 100, 0, kReadWrite));
    g_object_class_install_property(object_class, PadProperty::bitrate_class,
                                    g_param_spec_uint("bitrate-class", "Bitrate class",
                                                      "Which of the encodes this viewer gets (0 = the best)",
                                                      0, vmr::mixer::kBitrateClasses - 1, 0, kReadOnly));
}

namespace vmr::mixer {

std::string Identity::name() const {
    const std::lock_guard held(lock_);
    return name_;
}

void Identity::set_name(const char* name) {
    constexpr std::size_t kLongest = 128;  // characters: names come from strangers
    std::string text = clean_text(name, kLongest);
    const std::lock_guard held(lock_);
    name_ = std::move(text);
}

// Not to and fro between two encodes.
void Output::set_packet_loss(unsigned percent) {
    constexpr unsigned kLossy = 3, kClean = 1;
    packet_loss = percent;
    if (percent >= kLossy || percent < kClean) {
        lossy = percent >= kLossy;
    }
}

GType padlock_type() {
    static const GEnumValue values[] = {
        {static_cast<gint>(Padlock::none), "No padlock", "none"},
        {static_cast<gint>(Padlock::closed), "Closed: encrypted", "closed"},
        {static_cast<gint>(Padlock::struck), "Open and struck through: not encrypted", "struck"},
        {0, nullptr, nullptr}};
    static const GType type = g_enum_register_static("VmrMixerPadlock", values);
    return type;
}

void VideoInput::show(Picture& old, BufferPtr buffer, const GstVideoInfo& format) {
    static std::atomic<std::uint64_t> last_serial{0};
    const gint64 now = g_get_monotonic_time();
    const gint64 began = picture.buffer ? picture.began : now;
    old = std::exchange(picture, Picture{std::move(buffer), format, ++last_serial, now, began});
}

GstPad* new_pad(GstPadTemplate* templ, const char* name, unsigned index, Kind kind) {
    GType type = vmr_mixer_src_pad_get_type();
    if (GST_PAD_TEMPLATE_DIRECTION(templ) == GST_PAD_SINK) {
        type =
            kind == Kind::audio ? vmr_mixer_audio_sink_pad_get_type() : vmr_mixer_video_sink_pad_get_type();
    }
    auto* pad = static_cast<GstPad*>(g_object_new(
        type, "name", name, "direction", GST_PAD_TEMPLATE_DIRECTION(templ), "template", templ, nullptr));
    if (GST_PAD_IS_SRC(pad)) {
        Output& state = output(pad);
        state.index = index;
        state.kind = kind;
        state.lane.limit = kind == Kind::audio ? 5 : 3;
        return pad;
    }
    identity(pad).index = index;
    if (kind != Kind::audio) {
        video_input(pad).kind = kind;
    }
    return pad;
}

AudioInput& audio_input(GstPad* pad) {
    return *reinterpret_cast<VmrMixerAudioSinkPad*>(pad)->state;
}
VideoInput& video_input(GstPad* pad) {
    return *reinterpret_cast<VmrMixerVideoSinkPad*>(pad)->state;
}
Output& output(GstPad* pad) {
    return *reinterpret_cast<VmrMixerSrcPad*>(pad)->state;
}

Identity& identity(GstPad* sink_pad) {
    if (G_TYPE_CHECK_INSTANCE_TYPE(sink_pad, vmr_mixer_audio_sink_pad_get_type())) {
        return audio_input(sink_pad);
    }
    return video_input(sink_pad);
}

void add_pad_templates(GstElementClass* klass) {
    const auto add = [klass](const char* name, GstPadDirection direction, const CapsPtr& caps, GType type) {
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new_with_gtype(name, direction, GST_PAD_REQUEST, caps.get(), type));
        gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
    };
    const CapsPtr video_sink = CapsPtr::adopt(gst_caps_from_string(kVideoSinkCaps));
    const CapsPtr video_src = CapsPtr::adopt(gst_caps_from_string(kVideoSrcCaps));
    add("audio_sink_%u", GST_PAD_SINK, audio_sink_caps(), vmr_mixer_audio_sink_pad_get_type());
    add("video_sink_%u", GST_PAD_SINK, video_sink, vmr_mixer_video_sink_pad_get_type());
    add("content_sink_%u", GST_PAD_SINK, video_sink, vmr_mixer_video_sink_pad_get_type());
    add("audio_src_%u", GST_PAD_SRC, audio_src_caps(), vmr_mixer_src_pad_get_type());
    add("video_src_%u", GST_PAD_SRC, video_src, vmr_mixer_src_pad_get_type());
    add("content_src_%u", GST_PAD_SRC, video_src, vmr_mixer_src_pad_get_type());
}

}  // namespace vmr::mixer
