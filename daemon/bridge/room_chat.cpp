// What is written in a room: to pages as an event, to other legs by their signalling.
#include <limits>

#include "daemon/bridge/room_host.hpp"
#include "daemon/room/chat.hpp"

namespace vmr::bridge {

static_assert(kMaxChatText == room::kMaxText);

// Whose media counts as encrypted does not write or read in the clear, so that a closed padlock tells the
// truth. Where the room requires encryption that is everybody.
bool RoomHost::needs_protected_chat(const room::Participant& participant) const {
    return participant.encrypted || room_.config().encryption == room::Encryption::required;
}

SayResult RoomHost::say(const std::string& leg, const std::string& text, bool is_protected) {
    const room::Participant* by = room_.find(participant_of(leg));
    if (by == nullptr || (!is_protected && needs_protected_chat(*by))) {
        return SayResult::refused;
    }
    const auto result = std::make_shared<SayResult>(SayResult::later);  // where the core is not asked at once
    act(room::Actor::of(by->id), room::Say{text}, [result](const api::Response& response) {
        *result = response.status == 204   ? SayResult::said
                  : response.status == 422 ? SayResult::malformed
                  : response.status == 429 ? SayResult::later
                                           : SayResult::refused;
    });
    return *result;
}

void RoomHost::carry_out(const room::Said& command) {
    nlohmann::json message{{"name", command.name}, {"text", command.text}};
    if (!command.by.empty()) {
        message["participant"] = command.by;
    }
    services_.events.publish(room_.config().id, "vmr.message", std::move(message));
    for (const auto& [id, seat] : seats_) {
        const room::Participant* reader = room_.find(id);
        if (id != command.by && seat->leg && reader != nullptr && reader->state == room::State::in_room) {
            seat->leg->show_message({command.name, command.text, needs_protected_chat(*reader)});
        }
    }
}

// Called before anything else is published of who entered.
void RoomHost::note_presence(const room::Participant& participant) {
    if (Seat* changed = seat(participant.id)) {
        const bool inside = participant.state == room::State::in_room;
        if (inside && !changed->inside) {
            changed->hidden_until = services_.events.last_id();
        }
        changed->inside = inside;
    }
}

std::uint64_t RoomHost::events_hidden_until(const room::ParticipantId& id) const {
    const auto found = seats_.find(id);
    return found != seats_.end() && found->second->inside ? found->second->hidden_until
                                                          : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace vmr::bridge
