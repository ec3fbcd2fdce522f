// What every element of the plugin owes: state changes in any order, properties that can be read, pads linked
// and unlinked while PLAYING, and nothing left behind (with GST_TRACERS=leaks, which
// tests/elements/meson.build sets).
#include <gst/gst.h>
#include <gst/gsttracerfactory.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/gst_ptr.hpp"

using namespace vmr;

namespace {

std::vector<std::string> elements() {
    gst_init(nullptr, nullptr);
    std::vector<std::string> names;
    GList* features = gst_registry_get_feature_list_by_plugin(gst_registry_get(), "vmr");
    for (GList* each = features; each != nullptr; each = each->next) {
        if (GST_IS_ELEMENT_FACTORY(each->data)) {
            names.emplace_back(GST_OBJECT_NAME(each->data));
        }
    }
    gst_plugin_feature_list_free(features);
    return names;
}

GstFlowReturn on_buffer_dropped(GstPad*, GstObject*, GstBuffer* buffer) {
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

// Objects of GStreamer that are alive and belong to an element of ours, by the leaks tracer; -1 without it.
int live_objects() {
    GList* tracers = gst_tracing_get_active_tracers();
    int count = -1;
    for (GList* each = tracers; each != nullptr; each = each->next) {
        if (std::string_view(G_OBJECT_TYPE_NAME(each->data)) != "GstLeaksTracer") {
            continue;
        }
        GstStructure* live = nullptr;
        g_signal_emit_by_name(each->data, "get-live-objects", &live);
        if (live != nullptr) {
            const GValue* list = gst_structure_get_value(live, "live-objects-list");
            count = list == nullptr ? 0 : static_cast<int>(gst_value_list_get_size(list));
            // Not freed: GStreamer 1.22's tracer lists objects without owning them, and freeing would unref
            // them.
        }
    }
    g_list_free_full(tracers, gst_object_unref);
    return count;
}

class ElementTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        previous_ = g_log_set_always_fatal(
            static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK));
    }
    void TearDown() override { g_log_set_always_fatal(previous_); }
    ElementPtr make() const {
        return ElementPtr::adopt(gst_element_factory_make(GetParam().c_str(), nullptr));
    }

private:
    GLogLevelFlags previous_{};
};

void settle(GstElement* element, GstState state) {
    ASSERT_NE(gst_element_set_state(element, state), GST_STATE_CHANGE_FAILURE);
    ASSERT_NE(gst_element_get_state(element, nullptr, nullptr, 10 * GST_SECOND), GST_STATE_CHANGE_FAILURE);
}

}  // namespace

TEST_P(ElementTest, ChangesStateInAnyOrder) {
    const ElementPtr element = make();
    ASSERT_TRUE(element);
    for (const GstState state :
         {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY,
          GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_NULL,
          GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL}) {
        settle(element.get(), state);
    }
}

TEST_P(ElementTest, DescribesItselfAndItsProperties) {
    const ElementPtr element = make();
    GstElementClass* klass = GST_ELEMENT_GET_CLASS(element.get());
    for (const char* key : {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS,
                            GST_ELEMENT_METADATA_DESCRIPTION, GST_ELEMENT_METADATA_AUTHOR}) {
        EXPECT_NE(gst_element_class_get_metadata(klass, key), nullptr) << key;
    }
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_CLASS(klass), &count);
    for (guint i = 0; i < count; ++i) {
        EXPECT_NE(g_param_spec_get_blurb(specs[i]), nullptr) << specs[i]->name;
        if ((specs[i]->flags & G_PARAM_READABLE) != 0) {
            GValue value = G_VALUE_INIT;
            g_value_init(&value, specs[i]->value_type);
            g_object_get_property(G_OBJECT(element.get()), specs[i]->name, &value);
            g_value_unset(&value);
        }
    }
    g_free(specs);
}

TEST_P(ElementTest, AHundredLivesInARunningPipelineLeaveNothing) {
    const ElementPtr pipeline = ElementPtr::adopt(gst_pipeline_new(nullptr));
    // Messages that nobody reads would keep their senders alive.
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
    gst_bus_set_flushing(bus.get(), TRUE);
    settle(pipeline.get(), GST_STATE_PLAYING);
    auto live_once = [&] {
        const ElementPtr element = make();
        gst_bin_add(GST_BIN(pipeline.get()), element.get());
        gst_element_sync_state_with_parent(element.get());
        for (GList* pads = element->pads; pads != nullptr; pads = pads->next) {
            GstPad* pad = GST_PAD(pads->data);
            const PadPtr other =
                PadPtr::adopt(gst_pad_new("other", GST_PAD_IS_SRC(pad) ? GST_PAD_SINK : GST_PAD_SRC));
            if (GST_PAD_IS_SINK(other.get())) {
                gst_pad_set_chain_function(other.get(), on_buffer_dropped);
            }
            gst_pad_set_active(other.get(), TRUE);
            GstPad* src = GST_PAD_IS_SRC(pad) ? pad : other.get();
            GstPad* sink = GST_PAD_IS_SRC(pad) ? other.get() : pad;
            EXPECT_EQ(gst_pad_link(src, sink), GST_PAD_LINK_OK);
            gst_pad_unlink(src, sink);
        }
        gst_element_set_state(element.get(), GST_STATE_NULL);
        gst_bin_remove(GST_BIN(pipeline.get()), element.get());
    };
    live_once();  // what is made once per process is made now
    const int before = live_objects();
    for (int i = 0; i < 100; ++i) {
        live_once();
    }
    settle(pipeline.get(), GST_STATE_NULL);
    EXPECT_GE(before, 0) << "run with GST_TRACERS=leaks";
    // The pipeline's own messages and clock may have gone meanwhile; nothing may have come. The system
    // clock's thread lets go of cancelled entries in its own time.
    const gint64 deadline = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
    while (live_objects() > before && g_get_monotonic_time() < deadline) {
        g_thread_yield();
    }
    EXPECT_LE(live_objects(), before);
}

INSTANTIATE_TEST_SUITE_P(Vmr, ElementTest, testing::ValuesIn(elements()), [](const auto& info) {
    std::string name = info.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});
