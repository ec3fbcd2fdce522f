#include "tests/elements/bench.hpp"

#include <chrono>

namespace vmr::test {

namespace {

GstFlowReturn on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
    auto* outlet = static_cast<Outlet*>(gst_pad_get_element_private(pad));
    const std::lock_guard lock(outlet->mutex);
    outlet->buffers.push_back(BufferPtr::adopt(buffer));
    outlet->changed.notify_all();
    return GST_FLOW_OK;
}

gboolean on_event(GstPad* pad, GstObject*, GstEvent* event) {
    auto* outlet = static_cast<Outlet*>(gst_pad_get_element_private(pad));
    const std::lock_guard lock(outlet->mutex);
    outlet->events.push_back(GST_EVENT_TYPE(event));
    outlet->changed.notify_all();
    gst_event_unref(event);
    return TRUE;
}

}  // namespace

std::size_t Outlet::count() {
    const std::lock_guard lock(mutex);
    return buffers.size();
}

std::vector<BufferPtr> Outlet::take() {
    const std::lock_guard lock(mutex);
    return std::exchange(buffers, {});
}

std::vector<std::int16_t> Outlet::take_samples() {
    std::vector<std::int16_t> samples;
    for (const BufferPtr& buffer : take()) {
        GstMapInfo map;
        if (gst_buffer_map(buffer.get(), &map, GST_MAP_READ)) {
            const auto* begin = reinterpret_cast<const std::int16_t*>(map.data);
            samples.insert(samples.end(), begin, begin + map.size / 2);
            gst_buffer_unmap(buffer.get(), &map);
        }
    }
    return samples;
}

bool Outlet::wait_for(std::size_t wanted) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return buffers.size() >= wanted; });
}

bool Outlet::saw(GstEventType type) {
    const std::lock_guard lock(mutex);
    return std::find(events.begin(), events.end(), type) != events.end();
}

Bench::Bench(const char* factory) {
    gst_init(nullptr, nullptr);
    element_ = ElementPtr::adopt(gst_element_factory_make(factory, nullptr));
    clock_ = GPtr<GstTestClock>::adopt(GST_TEST_CLOCK(gst_test_clock_new()));
    bus_ = GPtr<GstBus>::adopt(gst_bus_new());
    gst_element_set_bus(element_.get(), bus_.get());
    gst_element_set_clock(element_.get(), GST_CLOCK(clock_.get()));
    gst_element_set_base_time(element_.get(), 0);
}

Bench::~Bench() {
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    gst_element_set_bus(element_.get(), nullptr);
    for (auto& [name, pad] : inlets_) {
        gst_pad_set_active(pad.get(), FALSE);
    }
    for (auto& [name, outlet] : outlets_) {
        gst_pad_set_active(outlet->pad.get(), FALSE);
    }
}

Outlet& Bench::outlet(const char* src_pad) {
    auto& outlet = outlets_[src_pad];
    if (!outlet) {
        outlet = std::make_unique<Outlet>();
        outlet->pad = PadPtr::adopt(gst_pad_new("test_sink", GST_PAD_SINK));
        gst_pad_set_element_private(outlet->pad.get(), outlet.get());
        gst_pad_set_chain_function(outlet->pad.get(), on_buffer);
        gst_pad_set_event_function(outlet->pad.get(), on_event);
        gst_pad_set_active(outlet->pad.get(), TRUE);
        const PadPtr src = PadPtr::adopt(gst_element_get_static_pad(element(), src_pad));
        EXPECT_EQ(gst_pad_link(src.get(), outlet->pad.get()), GST_PAD_LINK_OK);
    }
    return *outlet;
}

GstPad* Bench::inlet(const char* sink_pad, const char* caps_text) {
    PadPtr& inlet = inlets_[sink_pad];
    if (!inlet) {
        inlet = PadPtr::adopt(gst_pad_new("test_src", GST_PAD_SRC));
        gst_pad_set_active(inlet.get(), TRUE);
        const PadPtr sink = PadPtr::adopt(gst_element_get_static_pad(element(), sink_pad));
        EXPECT_EQ(gst_pad_link(inlet.get(), sink.get()), GST_PAD_LINK_OK);
        const CapsPtr caps = CapsPtr::adopt(gst_caps_from_string(caps_text));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(inlet.get(), gst_event_new_stream_start(sink_pad));
        EXPECT_TRUE(gst_pad_push_event(inlet.get(), gst_event_new_caps(caps.get())));
        gst_pad_push_event(inlet.get(), gst_event_new_segment(&segment));
    }
    return inlet.get();
}

void Bench::play() {
    EXPECT_NE(gst_element_set_state(element(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
}

GstFlowReturn Bench::push(const char* sink_pad, BufferPtr buffer) {
    return gst_pad_push(inlets_.at(sink_pad).get(), buffer.release());
}

GstFlowReturn Bench::push_audio(const char* sink_pad, const std::vector<std::int16_t>& samples,
                                GstClockTime pts) {
    inlet(sink_pad, kAudioCaps);
    BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_memdup(samples.data(), samples.size() * 2));
    GST_BUFFER_PTS(buffer.get()) = pts;
    GST_BUFFER_DURATION(buffer.get()) = gst_util_uint64_scale_int(samples.size(), GST_SECOND, 48000);
    return push(sink_pad, std::move(buffer));
}

GstClockTime Bench::push_all(const char* sink_pad, const std::vector<std::int16_t>& samples,
                             GstClockTime pts) {
    for (std::size_t at = 0; at + kTickSamples <= samples.size(); at += kTickSamples, pts += kTick) {
        const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(at);
        EXPECT_EQ(push_audio(sink_pad, {begin, begin + kTickSamples}, pts), GST_FLOW_OK);
    }
    return pts;
}

BufferPtr Bench::video_frame(std::uint8_t luma, GstClockTime pts) const {
    constexpr gsize kSize = 160 * 96 * 3 / 2;
    BufferPtr frame = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, kSize, nullptr));
    gst_buffer_memset(frame.get(), 0, luma, kSize);
    GST_BUFFER_PTS(frame.get()) = pts;
    GST_BUFFER_DURATION(frame.get()) = GST_SECOND / 15;
    return frame;
}

void Bench::wait_for_worker() {
    gst_test_clock_wait_for_next_pending_id(clock_.get(), nullptr);
}

void Bench::crank(GstClockTime time) {
    GstClockID id = nullptr;
    gst_test_clock_wait_for_next_pending_id(clock_.get(), &id);
    const GstClockTime due = gst_clock_id_get_time(id);
    set_time(std::max({due, time, gst_clock_get_time(GST_CLOCK(clock_.get()))}));
    gst_clock_id_unref(id);
    if (GstClockID ready = gst_test_clock_process_next_clock_id(clock_.get())) {
        gst_clock_id_unref(ready);
    }
}

GPtr<GstMessage> Bench::message(const char* name) {
    for (;;) {
        auto message = GPtr<GstMessage>::adopt(
            gst_bus_timed_pop_filtered(bus_.get(), 10 * GST_SECOND, GST_MESSAGE_ELEMENT));
        if (!message || gst_message_has_name(message.get(), name)) {
            return message;
        }
    }
}

bool Bench::has_message(const char* name) {
    while (auto message = GPtr<GstMessage>::adopt(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ELEMENT))) {
        if (gst_message_has_name(message.get(), name)) {
            return true;
        }
    }
    return false;
}

}  // namespace vmr::test
