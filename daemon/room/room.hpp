// Room: one virtual meeting room as a pure state machine: events and time in, commands out.
// No I/O, no threads, no clock; all of room-rules.md is decided here. Used from the control thread only.
//
//   auto commands = room.handle(MediaUp{id, receipt}, now);   // carry them out in order
//   if (auto at = room.next_deadline()) ...                    // then handle(Tick{}, now)
//
// `now` never goes back: an earlier value counts as the latest one that was seen.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "daemon/room/commands.hpp"
#include "daemon/room/events.hpp"
#include "daemon/room/pin_throttle.hpp"
#include "daemon/room/types.hpp"

namespace vmr::room {

class Core;

class Room {
public:
    // `throttle` is shared by all rooms of a daemon (rule 5); without one the room makes its own.
    explicit Room(RoomConfig config, std::shared_ptr<PinThrottle> throttle = nullptr);
    Room(Room&&) noexcept;
    Room& operator=(Room&&) noexcept;
    ~Room();

    // Never throws for what the outside did: unknown ids and events that do not fit the state do nothing.
    Commands handle(const Event& event, TimePoint now);
    // When a Tick is due, if nothing else happens; nullopt = never.
    std::optional<TimePoint> next_deadline() const;
    // Ends the meeting from outside (daemon drain, room deleted): everyone is released with `cause`.
    Commands end(Cause cause, TimePoint now);

    const RoomConfig& config() const;
    RoomView view() const;
    // Everyone here, by arrival (connecting and pin included; the API shows whom it will).
    std::vector<Participant> roster() const;
    // nullptr if not here. Valid until the next handle().
    const Participant* find(const ParticipantId& id) const;
    bool idle() const;  // nobody is here: the room may be destroyed

private:
    std::unique_ptr<Core> core_;
};

// Rules 20 and 21: does this leg count as encrypted, given the room's floor?
bool counts_as_encrypted(const CryptoReceipt& receipt, unsigned floor_bits);
bool is_weaker(const CryptoReceipt& one, const CryptoReceipt& other);

}  // namespace vmr::room
