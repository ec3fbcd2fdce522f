// What a leg may be told of the meeting that it is in: who is there and how. Plain values, shared by all legs
// that see the same.
#pragma once
#include <memory>
#include <string>
#include <vector>

namespace vmr {

struct ConferenceUser {
    enum class Status {
        dialling,  // the room calls them
        ringing,
        waiting,  // in the lobby
        on_hold,  // in the lobby, where a host moved them
        muted,    // in the room, muted by a host
        connected
    };
    std::string id;
    std::string name;
    bool host = false;
    Status status = Status::connected;
    bool dialled = false;   // the room called them
    std::string joined_at;  // RFC 3339; empty: was not in the room yet
    bool audible = true;    // muted neither by a host nor by themselves
    bool video = false;     // has pictures
    bool content = false;   // shares
    bool operator==(const ConferenceUser&) const = default;
};

struct Conference {
    std::string title;
    bool locked = false;
    unsigned max_users = 0;
    std::vector<std::shared_ptr<const ConferenceUser>> users;  // by id; the same pointer: nothing changed
};

}  // namespace vmr
