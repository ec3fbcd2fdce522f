#include "voice_properties.hpp"

#include <gst/gst.h>

namespace vmr::mixer {
namespace {

enum VoiceProperty : guint { kDtx = 100, kComfortNoise, kLevelControl, kTick, kShortestDelay, kLongestDelay };

}  // namespace

void install_voice_properties(GObjectClass* klass) {
    constexpr auto kPlaying =
        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
    constexpr auto kBefore =
        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
    g_object_class_install_property(
        klass, kDtx,
        g_param_spec_boolean("dtx", "DTX", "Opus over RTP pauses while nobody speaks", TRUE, kPlaying));
    g_object_class_install_property(
        klass, kComfortNoise,
        g_param_spec_double("comfort-noise", "Comfort noise",
                            "Level of the noise in a mix in which nobody speaks (dBFS, -100 = none)", -100.0,
                            -40.0, -65.0, kPlaying));
    g_object_class_install_property(
        klass, kLevelControl,
        g_param_spec_boolean("level-control", "Level control",
                             "Bring everybody's speech to the same level (at most 15 dB up, 18 dB down)",
                             TRUE, kPlaying));
    g_object_class_install_property(
        klass, kTick,
        g_param_spec_int("tick", "Tick", "Audio is mixed and sent in pieces of 10 or 20 ms (ms)", 10, 20, 20,
                         kBefore));
    g_object_class_install_property(
        klass, kShortestDelay,
        g_param_spec_int("min-jitter-delay", "Shortest jitter delay",
                         "Least delay of a jitter buffer, for RTP caps to come (ms)", 0, 200, 20, kPlaying));
    g_object_class_install_property(
        klass, kLongestDelay,
        g_param_spec_int("max-jitter-delay", "Longest jitter delay",
                         "Most delay of a jitter buffer, for RTP caps to come (ms)", 20, 200, 200, kPlaying));
}

bool set_voice_property(Settings& settings, guint id, const GValue* value) {
    switch (id) {
        case kDtx:
            settings.dtx = g_value_get_boolean(value) != FALSE;
            return true;
        case kComfortNoise:
            settings.comfort_noise_db = g_value_get_double(value);
            return true;
        case kLevelControl:
            settings.level_control = g_value_get_boolean(value) != FALSE;
            return true;
        case kTick:
            settings.tick_ms = g_value_get_int(value) < 15 ? 10 : 20;
            return true;
        case kShortestDelay:
            settings.shortest_delay_ms = g_value_get_int(value);
            return true;
        case kLongestDelay:
            settings.longest_delay_ms = g_value_get_int(value);
            return true;
        default:
            return false;
    }
}

bool get_voice_property(const Settings& settings, guint id, GValue* value) {
    switch (id) {
        case kDtx:
            g_value_set_boolean(value, settings.dtx);
            return true;
        case kComfortNoise:
            g_value_set_double(value, settings.comfort_noise_db);
            return true;
        case kLevelControl:
            g_value_set_boolean(value, settings.level_control);
            return true;
        case kTick:
            g_value_set_int(value, settings.tick_ms);
            return true;
        case kShortestDelay:
            g_value_set_int(value, settings.shortest_delay_ms);
            return true;
        case kLongestDelay:
            g_value_set_int(value, settings.longest_delay_ms);
            return true;
        default:
            return false;
    }
}

}  // namespace vmr::mixer
