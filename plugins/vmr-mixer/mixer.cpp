#include "mixer.hpp"

#include <algorithm>
#include <cstring>

#include "base/guard.hpp"
#include "caps.hpp"
#include "rtp_caps.hpp"
#include "video_input.hpp"

namespace vmr::mixer {
namespace {

constexpr unsigned kHighestIndex = 65535;

Kind kind_of(const char* templ_name) {
    if (g_str_has_prefix(templ_name, "audio")) {
        return Kind::audio;
    }
    return g_str_has_prefix(templ_name, "video") ? Kind::video : Kind::content;
}

Mixer& mixer_of(GstPad* pad) {
    return *static_cast<Mixer*>(gst_pad_get_element_private(pad));
}

GstFlowReturn on_audio_chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
    const BufferPtr owned = BufferPtr::adopt(buffer);
    return guard(GST_ELEMENT(parent), GST_FLOW_ERROR,
                 [&] { return mixer_of(pad).on_audio_received(pad, owned); });
}

GstFlowReturn on_video_chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
    BufferPtr owned = BufferPtr::adopt(buffer);
    return guard(GST_ELEMENT(parent), GST_FLOW_ERROR, [&] { return receive_picture(pad, std::move(owned)); });
}

gboolean on_sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
    const EventPtr owned = EventPtr::adopt(event);
    return guard(GST_ELEMENT(parent), FALSE,
                 [&] { return mixer_of(pad).on_sink_event_received(pad, event) ? TRUE : FALSE; });
}

gboolean on_src_event(GstPad* pad, GstObject* parent, GstEvent* event) {
    const EventPtr owned = EventPtr::adopt(event);
    return guard(GST_ELEMENT(parent), FALSE,
                 [&] { return mixer_of(pad).on_src_event_received(pad, event) ? TRUE : FALSE; });
}

gboolean on_src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (guard(GST_ELEMENT(parent), false, [&] { return mixer_of(pad).on_src_query_received(pad, query); })) {
        return TRUE;
    }
    return gst_pad_query_default(pad, parent, query);
}

gboolean on_sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
        return TRUE;
    }
    return gst_pad_query_default(pad, parent, query);
}

// Nothing that comes in goes out unchanged: events and queries do not cross the element.
GstIterator* no_internal_links(GstPad*, GstObject*) {
    return nullptr;
}

}  // namespace

Mixer::Mixer(GstElement* element)
    : element_(element), audio_(element, pads_, settings_), video_(element, pads_, settings_, audio_) {}

void Mixer::start() {
    GPtr<GstClock> clock = GPtr<GstClock>::adopt(gst_element_get_clock(element_));
    if (!clock) {
        clock = GPtr<GstClock>::adopt(gst_system_clock_obtain());
    }
    const GstClockTime base_time = gst_element_get_base_time(element_);
    audio_.start(clock.get(), base_time);
    video_.start(clock.get(), base_time);
}

void Mixer::stop() {
    audio_.stop();
    video_.stop();
}

unsigned Mixer::free_index(const char* templ_name) const {
    for (unsigned index = 0; index < kHighestIndex; ++index) {
        const GCharPtr name(g_strdup_printf(templ_name, index));
        const PadPtr taken = PadPtr::adopt(gst_element_get_static_pad(element_, name.get()));
        if (!taken) {
            return index;
        }
    }
    return kHighestIndex;
}

GstPad* Mixer::request_pad(GstPadTemplate* templ, const char* name) {
    const char* templ_name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    unsigned index = 0;
    if (name == nullptr || std::strchr(name, '%') != nullptr) {
        index = free_index(templ_name);
    } else {
        const std::size_t prefix = std::strlen(templ_name) - 2;  // without "%u"
        guint64 parsed = 0;
        if (std::strncmp(name, templ_name, prefix) != 0 ||
            !g_ascii_string_to_unsigned(name + prefix, 10, 0, kHighestIndex, &parsed, nullptr)) {
            return nullptr;
        }
        index = static_cast<unsigned>(parsed);
    }
    const GCharPtr pad_name(g_strdup_printf(templ_name, index));
    const Kind kind = kind_of(templ_name);
    GstPad* pad = new_pad(templ, pad_name.get(), index, kind);
    attach_callbacks(pad, kind);
    gst_pad_set_active(pad, TRUE);
    const PadPtr keep = PadPtr::ref(pad);  // sinks the floating reference
    if (gst_element_add_pad(element_, pad) == FALSE) {
        return nullptr;
    }
    pads_.add(kind, pad);
    if (kind != Kind::audio) {
        video_.on_pad_added();
    }
    gst_child_proxy_child_added(GST_CHILD_PROXY(element_), G_OBJECT(pad), GST_PAD_NAME(pad));
    return pad;
}

void Mixer::attach_callbacks(GstPad* pad, Kind kind) {
    gst_pad_set_element_private(pad, this);
    gst_pad_set_iterate_internal_links_function(pad, no_internal_links);
    if (GST_PAD_IS_SRC(pad)) {
        gst_pad_set_event_function(pad, on_src_event);
        gst_pad_set_query_function(pad, on_src_query);
        return;
    }
    gst_pad_set_chain_function(pad, kind == Kind::audio ? on_audio_chain : on_video_chain);
    gst_pad_set_event_function(pad, on_sink_event);
    if (kind != Kind::audio) {
        gst_pad_set_query_function(pad, on_sink_query);
    }
}

// Nothing here waits for a push: a thread that is blocked downstream of this pad keeps its own
// reference and ends when downstream lets it go.
void Mixer::release_pad(GstPad* pad) {
    const PadPtr keep = PadPtr::ref(pad);
    pads_.remove(kind_of(GST_PAD_NAME(pad)), pad);
    if (GST_PAD_IS_SRC(pad)) {
        audio_.forget(pad);
        video_.forget(pad);
    }
    gst_child_proxy_child_removed(GST_CHILD_PROXY(element_), G_OBJECT(pad), GST_PAD_NAME(pad));
    gst_pad_set_active(pad, FALSE);
    gst_element_remove_pad(element_, pad);
}

// Running time.
GstClockTime Mixer::arrival_of(const GstBuffer* packet, const AudioInput& input) const {
    const GstClockTime noted = input.asking == 0 ? GST_CLOCK_TIME_NONE : GST_BUFFER_PTS(packet);
    if (GST_CLOCK_TIME_IS_VALID(noted) && noted < input.asking) {
        return noted;
    }
    const GstClockTime now = gst_element_get_current_running_time(element_);
    return GST_CLOCK_TIME_IS_VALID(noted) && GST_CLOCK_TIME_IS_VALID(now) ? std::min(noted, now) : now;
}

GstFlowReturn Mixer::on_audio_received(GstPad* pad, const BufferPtr& buffer) {
    AudioInput& input = audio_input(pad);
    std::shared_ptr<RtpLeg> leg;
    {
        const std::lock_guard held(input.lock);
        leg = input.leg;
    }
    const GstClockTime now = leg ? arrival_of(buffer.get(), input) : 0;
    GstMapInfo map;
    if (now == GST_CLOCK_TIME_NONE || !gst_buffer_map(buffer.get(), &map, GST_MAP_READ)) {
        return GST_FLOW_OK;
    }
    if (leg) {
        leg->push({map.data, map.size}, static_cast<std::int64_t>(now / GST_USECOND));
    } else {
        const std::lock_guard held(input.lock);
        input.queue.push({reinterpret_cast<const std::int16_t*>(map.data), map.size / sizeof(std::int16_t)});
    }
    gst_buffer_unmap(buffer.get(), &map);
    return GST_FLOW_OK;
}

// The same caps again leave what is buffered alone.
bool Mixer::on_audio_caps_received(GstPad* pad, const GstCaps* caps) {
    AudioInput& input = audio_input(pad);
    std::shared_ptr<RtpLeg> leg;
    if (is_rtp(caps)) {
        const auto format = rtp_leg_format(caps);
        if (!format) {
            return false;
        }
        leg = std::make_shared<RtpLeg>(
            *format, JitterBuffer::Limits{settings_.shortest_delay_ms, settings_.longest_delay_ms});
    }
    input.asks = leg && peer_promises(pad, kDrain);
    const std::lock_guard held(input.lock);
    if (leg && input.leg && leg->format() == input.leg->format()) {
        return true;
    }
    input.leg.swap(leg);
    input.queue.clear();
    return true;
}

bool Mixer::on_sink_event_received(GstPad* pad, GstEvent* event) {
    const bool is_video = kind_of(GST_PAD_NAME(pad)) != Kind::audio;
    const auto forget_media = [&] {
        if (is_video) {
            forget_picture(pad);
            return;
        }
        AudioInput& input = audio_input(pad);
        const std::lock_guard held(input.lock);
        input.queue.clear();
        if (input.leg) {
            input.leg = std::make_shared<RtpLeg>(
                input.leg->format(),
                JitterBuffer::Limits{settings_.shortest_delay_ms, settings_.longest_delay_ms});
        }
    };
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_CAPS: {
            GstCaps* caps = nullptr;
            gst_event_parse_caps(event, &caps);
            if (!is_video) {
                return on_audio_caps_received(pad, caps);
            }
            return receive_video_caps(pad, caps, video_.work());
        }
        case GST_EVENT_FLUSH_STOP:
            forget_media();
            return true;
        case GST_EVENT_EOS:
            if (is_video) {
                forget_media();  // audio plays out what it has
            }
            return true;
        default:
            return true;
    }
}

bool Mixer::on_src_event_received(GstPad* pad, GstEvent* event) {
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_SEEK:
            return false;  // live
        case GST_EVENT_CUSTOM_UPSTREAM:
            if (gst_video_event_is_force_key_unit(event)) {
                output(pad).keyframe_asked = true;
            } else if (gst_event_has_name(event, "vmr-bitrate") != FALSE) {
                guint bitrate = 0;
                gst_structure_get_uint(gst_event_get_structure(event), "bitrate", &bitrate);
                output(pad).max_bitrate = bitrate;
            }
            return true;
        default:
            return true;
    }
}

bool Mixer::on_src_query_received(GstPad* pad, GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) {
        return false;
    }
    // A tick's packet carries the tick's running time and leaves a little after it: mixing,
    // composing and encoding have one period.
    const GstClockTime period = output(pad).kind == Kind::audio
                                    ? settings_.tick_ms * GST_MSECOND
                                    : GST_SECOND / static_cast<unsigned>(settings_.framerate);
    gst_query_set_latency(query, TRUE, period, GST_CLOCK_TIME_NONE);
    return true;
}

StructurePtr Mixer::stats() const {
    const AudioEngine::Counters audio = audio_.counters();
    StructurePtr stats(gst_structure_new(
        "application/x-vmr-mixer-stats", "audio-ticks", G_TYPE_UINT64, audio.room.ticks, "mixes",
        G_TYPE_UINT64, audio.room.mixes, "audio-decodes", G_TYPE_UINT64, audio.decodes, "audio-encodes",
        G_TYPE_UINT64, audio.room.encodes, "audio-primes", G_TYPE_UINT64, audio.room.primes, "audio-dropped",
        G_TYPE_UINT64, audio.dropped, nullptr));
    video_.add_stats(stats.get());
    return stats;
}

}  // namespace vmr::mixer
