#include "daemon/media/room_pipeline.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/guard.hpp"
#include "daemon/media/pad_sync.hpp"

namespace vmr::media {
namespace {

constexpr guint kBannerMs = 4000;

GstClockTime common_base_time() {
    static const GstClockTime base_time = [] {
        auto clock = GPtr<GstClock>::adopt(gst_system_clock_obtain());
        return gst_clock_get_time(clock.get());
    }();
    return base_time;
}

std::string string_field(const GstStructure* structure, const char* field) {
    const char* text = gst_structure_get_string(structure, field);
    return text != nullptr ? text : "";
}

}  // namespace

RoomPipeline::RoomPipeline(ElementPtr pipeline, ElementPtr mixer, const RoomVideo& video,
                           RoomPipelineObserver& observer)
    : pipeline_(std::move(pipeline)), mixer_(std::move(mixer)), video_(video), observer_(observer) {
    auto bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    bus_watch_ = gst_bus_add_watch(bus.get(), on_bus_message, this);
}

Result<std::unique_ptr<RoomPipeline>> RoomPipeline::create(const Pipelines& pipelines,
                                                           const std::string& room, const RoomVideo& video,
                                                           RoomPipelineObserver& observer) {
    auto pipeline = ElementPtr::adopt(gst_pipeline_new(("room-" + room).c_str()));
    ElementPtr bin = pipelines.make_bin("room");
    ElementPtr mixer = named(bin.get(), "mixer");
    g_object_set(mixer.get(), "width", video.width, "height", video.height, "framerate",
                 static_cast<int>(video.framerate), "video-bitrate", video.bitrate, nullptr);
    // The mixer alone goes into the pipeline: its request pads then need no ghosts.
    gst_bin_remove(GST_BIN(bin.get()), mixer.get());
    gst_bin_add(GST_BIN(pipeline.get()), mixer.get());

    auto clock = GPtr<GstClock>::adopt(gst_system_clock_obtain());
    gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), clock.get());
    gst_element_set_start_time(pipeline.get(), GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(pipeline.get(), common_base_time());
    auto self = std::unique_ptr<RoomPipeline>(new RoomPipeline(pipeline, mixer, video, observer));
    if (gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        return Error{"the pipeline of room " + room + " does not start"};
    }
    return self;
}

RoomPipeline::~RoomPipeline() {
    while (!members_.empty()) {
        detach(members_.begin()->first);
    }
    g_source_remove(bus_watch_);
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

void RoomPipeline::attach(const std::string& name, LegBin& leg, const std::string& display_name) {
    const unsigned index = indices_.take();
    Member& member = members_[name];
    member.leg = &leg;
    member.index = index;
    member.display_name = display_name;
    gst_bin_add(GST_BIN(pipeline_.get()), leg.element());
    for (const Slot slot : kSlots) {
        link_slot(member, slot);
    }
    gst_element_sync_state_with_parent(leg.element());
}

void RoomPipeline::refresh(const std::string& name) {
    const auto found = members_.find(name);
    if (found == members_.end()) {
        return;
    }
    for (const Slot slot : kSlots) {
        link_slot(found->second, slot);
    }
}

PadPtr RoomPipeline::mixer_pad(Member& member, const std::string& name) {
    const auto found = member.pads.find(name);
    if (found != member.pads.end()) {
        return found->second;
    }
    auto pad = PadPtr::adopt(gst_element_request_pad_simple(mixer_.get(), name.c_str()));
    if (!pad) {
        throw std::runtime_error("the mixer gives no pad " + name);
    }
    member.pads.emplace(name, pad);
    return pad;
}

// First nothing comes any more from the mixer, then nothing can wait for it.
void RoomPipeline::drop_pad(Member& member, const std::string& name) {
    const auto found = member.pads.find(name);
    if (found == member.pads.end()) {
        return;
    }
    const PadPtr pad = found->second;
    member.pads.erase(found);
    if (GST_PAD_IS_SRC(pad.get())) {
        unlink_when_idle(pad.get());
    } else if (auto peer = PadPtr::adopt(gst_pad_get_peer(pad.get()))) {
        gst_pad_unlink(peer.get(), pad.get());
    }
    gst_element_release_request_pad(mixer_.get(), pad.get());
}

bool RoomPipeline::may_share(const Member& member, Slot slot) const {
    return member.present && !(slot == Slot::audio && member.speaking);
}

// Video: the smaller of what the peer takes and what its network carries; 0: no limit.
void RoomPipeline::apply_network(Member& member, Slot slot) {
    const auto pad = member.pads.find(to_string(slot) + std::string("_src_") + std::to_string(member.index));
    if (pad == member.pads.end()) {
        return;
    }
    if (slot == Slot::audio) {
        g_object_set(pad->second.get(), "packet-loss", member.network.audio_loss, "max-bitrate",
                     member.leg->max_bitrate(slot), nullptr);
        return;
    }
    uint32_t limit = member.leg->max_bitrate(slot);
    if (const auto carried = member.network.video_bitrate; carried && (limit == 0 || *carried < limit)) {
        limit = *carried;
    }
    g_object_set(pad->second.get(), "max-bitrate", limit, nullptr);
}

// Who is in the room is heard straight from the network, also while a prompt is said to them.
void RoomPipeline::choose_way_to_room(Member& member) {
    const bool direct = member.present && member.leg->may_be_direct();
    if (direct != member.leg->direct()) {
        drop_pad(member, "audio_sink_" + std::to_string(member.index));
        member.leg->set_direct(direct);
    }
}

void RoomPipeline::link_slot(Member& member, Slot slot) {
    if (slot == Slot::audio) {
        choose_way_to_room(member);
    }
    if (GstPad* source = member.leg->to_room(slot); source != nullptr && !gst_pad_is_linked(source)) {
        const PadPtr pad =
            mixer_pad(member, to_string(slot) + std::string("_sink_") + std::to_string(member.index));
        apply(member);
        gst_pad_link(source, pad.get());
    }
    link_from_room(member, slot);
}

void RoomPipeline::link_from_room(Member& member, Slot slot) {
    const std::string name = to_string(slot) + std::string("_src_") + std::to_string(member.index);
    const bool share = may_share(member, slot);
    if (slot == Slot::content ? !member.present : share != member.leg->shared(slot)) {
        drop_pad(member, name);
        member.leg->set_shared(slot, share);
    }
    GstPad* sink = member.leg->from_room(slot);
    const bool wanted = sink != nullptr && (slot != Slot::content || member.present);
    if (wanted && !gst_pad_is_linked(sink)) {
        drop_pad(member, name);  // what it fed is gone
        const PadPtr pad = mixer_pad(member, name);
        apply_network(member, slot);
        gst_pad_link(pad.get(), sink);
    }
}

void RoomPipeline::apply(Member& member) {
    const std::string index = std::to_string(member.index);
    for (const auto& [name, pad] : member.pads) {
        if (name == "audio_sink_" + index) {
            g_object_set(pad.get(), "mute", member.muted, nullptr);
        } else if (name == "video_sink_" + index) {
            g_object_set(pad.get(), "muted", member.muted, nullptr);  // the icon on the tile
        } else if (name != "content_sink_" + index) {
            continue;
        }
        g_object_set(pad.get(), "display-name", member.display_name.c_str(), "visible", member.present,
                     nullptr);
        if (name != "content_sink_" + index) {
            gst_util_set_object_arg(G_OBJECT(pad.get()), "padlock", member.encrypted ? "none" : "struck");
        }
    }
}

void RoomPipeline::detach(const std::string& name) {
    const auto found = members_.find(name);
    if (found == members_.end()) {
        return;
    }
    Member& member = found->second;
    while (!member.pads.empty()) {
        drop_pad(member, std::string(member.pads.begin()->first));
    }
    LegBin& leg = *member.leg;
    indices_.give_back(member.index);
    members_.erase(found);
    gst_bin_remove(GST_BIN(pipeline_.get()), leg.element());
}

void RoomPipeline::set_muted(const std::string& name, bool muted) {
    if (const auto found = members_.find(name); found != members_.end()) {
        found->second.muted = muted;
        apply(found->second);
    }
}

void RoomPipeline::admit(const std::string& name) {
    const auto found = members_.find(name);
    if (found == members_.end()) {
        return;
    }
    found->second.present = true;
    found->second.leg->open_gate();
    apply(found->second);
    refresh(name);
}

void RoomPipeline::dismiss(const std::string& name, const std::string& reason) {
    const auto found = members_.find(name);
    if (found == members_.end()) {
        return;
    }
    found->second.present = false;
    if (found->second.leg->direct()) {
        drop_pad(found->second, "audio_sink_" + std::to_string(found->second.index));
    }
    found->second.leg->close_gate(reason);
    apply(found->second);
    refresh(name);
}

void RoomPipeline::say(const std::string& name, const Saying& saying) {
    const auto found = members_.find(name);
    if (found == members_.end()) {
        return;
    }
    found->second.speaking = true;
    link_slot(found->second, Slot::audio);
    g_signal_emit_by_name(found->second.leg->ivr(), "say", saying.recording.c_str(), saying.text.c_str(),
                          saying.language.c_str(), static_cast<gboolean>(saying.until_key));
}

void RoomPipeline::set_display_name(const std::string& name, const std::string& display_name) {
    if (const auto found = members_.find(name); found != members_.end()) {
        found->second.display_name = display_name;
        apply(found->second);
    }
}

void RoomPipeline::set_layout(const std::string& layout) {
    gst_util_set_object_arg(G_OBJECT(mixer_.get()), "layout", layout.c_str());
}

void RoomPipeline::set_spotlight(const std::string& name) {
    const auto found = members_.find(name);
    g_object_set(mixer_.get(), "spotlight",
                 found == members_.end() ? -1 : static_cast<int>(found->second.index), nullptr);
}

void RoomPipeline::set_encrypted(const std::string& name, bool encrypted) {
    if (const auto found = members_.find(name); found != members_.end()) {
        found->second.encrypted = encrypted;
        apply(found->second);
    }
}

void RoomPipeline::set_room_encrypted(bool encrypted) {
    gst_util_set_object_arg(G_OBJECT(mixer_.get()), "padlock", encrypted ? "none" : "struck");
}

void RoomPipeline::show_banner(const std::string& text) {
    g_signal_emit_by_name(mixer_.get(), "banner", text.c_str(), kBannerMs);
}

void RoomPipeline::set_network(const std::string& name, const Network& network) {
    if (const auto found = members_.find(name); found != members_.end()) {
        found->second.network = network;
        for (const Slot slot : kSlots) {
            apply_network(found->second, slot);
        }
    }
}

std::string RoomPipeline::leg_of(GstObject* source) const {
    auto object = GPtr<GstObject>::ref(source);
    while (object) {
        auto parent = GPtr<GstObject>::adopt(gst_object_get_parent(object.get()));
        if (parent.get() == GST_OBJECT(pipeline_.get())) {
            for (const auto& [name, member] : members_) {
                if (GST_OBJECT(member.leg->element()) == object.get()) {
                    return name;
                }
            }
            return {};
        }
        object = parent;
    }
    return {};
}

void RoomPipeline::on_element_message(GstMessage* message) {
    const GstStructure* structure = gst_message_get_structure(message);
    if (gst_structure_has_name(structure, "vmr-talking")) {
        const GValue* talkers = gst_structure_get_value(structure, "participants");
        std::vector<std::string> legs;
        for (guint i = 0; talkers != nullptr && i < gst_value_array_get_size(talkers); ++i) {
            const unsigned index = g_value_get_uint(gst_value_array_get_value(talkers, i));
            for (const auto& [name, member] : members_) {
                if (member.index == index) {
                    legs.push_back(name);
                }
            }
        }
        observer_.on_talking_changed(legs);
        return;
    }
    const std::string leg = leg_of(GST_MESSAGE_SRC(message));
    if (leg.empty()) {
        return;
    }
    if (gst_structure_has_name(structure, "vmr-digits")) {
        observer_.on_digits_entered(leg, string_field(structure, "digits"));
    } else if (gst_structure_has_name(structure, "vmr-digit")) {
        const std::string digit = string_field(structure, "digit");
        if (digit.size() == 1) {
            observer_.on_key_pressed(leg, digit[0]);
        }
    } else if (gst_structure_has_name(structure, "vmr-prompts-played")) {
        members_.at(leg).speaking = false;
        refresh(leg);
    } else if (gst_structure_has_name(structure, "vmr-pin-timeout")) {
        observer_.on_pin_timed_out(leg);
    }
}

void RoomPipeline::on_error(GstMessage* message) {
    GError* problem = nullptr;
    char* details = nullptr;
    gst_message_parse_error(message, &problem, &details);
    const GCharPtr owned(details);
    GstObject* source = GST_MESSAGE_SRC(message);
    const std::string text = std::string(GST_OBJECT_NAME(source)) + ": " + problem->message +
                             (details != nullptr ? std::string(" — ") + details : "");
    g_error_free(problem);
    if (!gst_object_has_as_ancestor(source, GST_OBJECT(pipeline_.get()))) {
        g_info("from what has gone: %s", text.c_str());  // a leg, or a chain of one
        return;
    }
    const std::string leg = leg_of(source);
    leg.empty() ? observer_.on_room_failed(text) : observer_.on_leg_failed(leg, text);
}

gboolean RoomPipeline::on_bus_message(GstBus*, GstMessage* message, gpointer data) {
    auto* self = static_cast<RoomPipeline*>(data);
    guard(nullptr, [&] {
        switch (GST_MESSAGE_TYPE(message)) {
            case GST_MESSAGE_ELEMENT:
                self->on_element_message(message);
                break;
            case GST_MESSAGE_LATENCY:
                gst_bin_recalculate_latency(GST_BIN(self->pipeline_.get()));
                break;
            case GST_MESSAGE_ERROR:
                self->on_error(message);
                break;
            default:
                break;
        }
    });
    return G_SOURCE_CONTINUE;
}

}  // namespace vmr::media
