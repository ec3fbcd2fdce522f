// The one GstPipeline of a room: pipelines/room.launch plus one LegBin per participant.
//
// All calls and all callbacks are on the control thread. Every room runs on the same clock with the same base
// time, so that a leg that leaves one room's pipeline for another's (virtual reception) keeps its timestamps.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "daemon/media/leg_bin.hpp"
#include "daemon/media/network.hpp"
#include "daemon/media/pad_indices.hpp"
#include "daemon/media/pipelines.hpp"

namespace vmr::media {

struct RoomVideo {
    unsigned width = 640;          // pixels
    unsigned height = 360;         // pixels
    unsigned framerate = 25;       // per second
    unsigned bitrate = 1'000'000;  // bit/s of each encoded picture
};

class RoomPipelineObserver {
public:
    virtual ~RoomPipelineObserver() = default;
    // Whoever talks now; legs by name.
    virtual void on_talking_changed(const std::vector<std::string>& legs) = 0;
    virtual void on_digits_entered(const std::string& leg, const std::string& digits) = 0;
    virtual void on_key_pressed(const std::string& leg, char key) = 0;
    virtual void on_pin_timed_out(const std::string& leg) = 0;
    // An element inside the leg reported an error: that leg alone is to end.
    virtual void on_leg_failed(const std::string& leg, const std::string& text) = 0;
    // The room itself cannot go on.
    virtual void on_room_failed(const std::string& text) = 0;
};

// As pin-ivr's action `say` takes it.
struct Saying {
    std::string recording, text, language;
    bool until_key = false;
};

class RoomPipeline {
public:
    static Result<std::unique_ptr<RoomPipeline>> create(const Pipelines& pipelines, const std::string& room,
                                                        const RoomVideo& video,
                                                        RoomPipelineObserver& observer);
    ~RoomPipeline();
    RoomPipeline(const RoomPipeline&) = delete;
    RoomPipeline& operator=(const RoomPipeline&) = delete;

    // Puts the leg into the running pipeline and gives it the mixer's pads for the slots it has.
    void attach(const std::string& name, LegBin& leg, const std::string& display_name);
    // To be called when the leg has gained a slot (an answer, a re-offer, a new stream).
    void refresh(const std::string& name);
    // Takes the leg out. Its bin keeps playing only as long as the caller moves it on at once.
    void detach(const std::string& name);

    void set_muted(const std::string& name, bool muted);
    // Into the room: media passes both ways, encoded once for all who take the same.
    void admit(const std::string& name);
    // Out of it (how everyone begins): when this returns nothing passes any more, and the leg gets sound and
    // picture of its own. `reason`: see docs/elements/lobby-gate.md.
    void dismiss(const std::string& name, const std::string& reason);
    // Says something to this participant alone, over what they hear.
    void say(const std::string& name, const Saying& saying);
    void set_display_name(const std::string& name, const std::string& display_name);
    void set_layout(const std::string& layout);
    void set_spotlight(const std::string& name);  // empty: nobody
    // The padlock on a participant's tile, and the one on every picture (rule 21).
    void set_encrypted(const std::string& name, bool encrypted);
    void set_room_encrypted(bool encrypted);
    // A line at the top of every picture, for a few seconds.
    void show_banner(const std::string& text);
    // What the participant's network does to what they are sent: they get a picture of that class, sound with
    // FEC.
    void set_network(const std::string& name, const Network& network);

private:
    struct Member {
        LegBin* leg = nullptr;
        unsigned index = 0;
        std::string display_name;
        bool muted = false;
        bool encrypted = true;
        Network network;
        bool present = false;                // on stage and in the mix
        bool speaking = false;               // pin-ivr says something over the mix
        std::map<std::string, PadPtr> pads;  // of the mixer, by pad name
    };

    RoomPipeline(ElementPtr pipeline, ElementPtr mixer, const RoomVideo& video,
                 RoomPipelineObserver& observer);
    void link_slot(Member& member, Slot slot);
    void choose_way_to_room(Member& member);
    void link_from_room(Member& member, Slot slot);
    void drop_pad(Member& member, const std::string& name);
    PadPtr mixer_pad(Member& member, const std::string& name);
    bool may_share(const Member& member, Slot slot) const;
    void apply_network(Member& member, Slot slot);
    void apply(Member& member);
    void on_element_message(GstMessage* message);
    std::string leg_of(GstObject* source) const;
    void on_error(GstMessage* message);
    static gboolean on_bus_message(GstBus* bus, GstMessage* message, gpointer self);

    ElementPtr pipeline_, mixer_;
    RoomVideo video_;
    RoomPipelineObserver& observer_;
    unsigned bus_watch_ = 0;
    PadIndices indices_;
    std::map<std::string, Member> members_;
};

}  // namespace vmr::media
