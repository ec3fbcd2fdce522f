// One participant's leg in a room: signalling, media and call record belong together here.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "daemon/bridge/liveness.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/media/session.hpp"
#include "daemon/room/commands.hpp"
#include "daemon/room/types.hpp"
#include "daemon/store/call_records.hpp"

namespace vmr::bridge {

struct Seat {
    room::ParticipantId id;
    Arrival arrival;
    std::shared_ptr<Leg> leg;                 // null while a browser is away
    std::shared_ptr<media::Session> session;  // null with it
    store::CallRecord record;
    bool record_begun = false;  // the call is answered: a crash from here on leaves a record, too
    bool record_written = false;
    std::shared_ptr<void> receipt;  // of the peer's hang-up; released when the record is on disk
    bool resuming = false;          // a returned browser's media is not up yet
    bool answered = false;          // before it came here (virtual reception)
    bool media_up = false;
    Liveness liveness;                                              // since media_up
    bool media_seen = true;                                         // as last told to the room
    bool pin_passed = false;                                        // pin-ivr lets media through
    bool inside = false;                                            // as last published
    std::uint64_t hidden_until = 0;                                 // the newest event before that
    std::optional<DialPlan> dialled;                                // the room called them
    std::optional<std::chrono::steady_clock::time_point> taken_at;  // ... and they answered
    std::optional<EndCause> failed;                                 // ... or it came to nothing
    TurnDown turned_down;                                           // ... which the far side explained so
    OnCallStatus on_status;                                         // ... and somebody is told (REFER)
    bool on_hold = false;                                           // by an offer of ours
    bool transferred = false;                                       // moved to another address
    bool rings() const { return dialled && !taken_at; }
};

// "192.0.2.7:5060", "[2001:db8::1]:5060" or an address alone: the address.
std::string without_port(const std::string& address);

// Folder of the recordings, where it is configured; language of what is said and shown; phones' tones are
// listened for.
void set_up_prompts(media::LegBin& bin, const PromptFiles& files, LegKind kind);

// Vocabulary of the room core ↔ vocabulary of the legs.
room::LegKind room_kind(LegKind kind);
room::Cause room_cause(EndCause cause);
EndCause leg_cause(room::Cause cause);
room::CryptoReceipt room_receipt(const CryptoReceipt& receipt);

// What a participant is called until a host says otherwise.
std::string shown_name(const Arrival& arrival);

// The call record: what is known when the leg arrives, and what the room knows at its end.
store::CallRecord opened_record(const Arrival& arrival, const room::RoomConfig& room,
                                const std::string& version);
// The whole record of a leg that no room took.
store::CallRecord refused_record(const Arrival& arrival, const room::RoomConfig& room, EndCause cause,
                                 const std::string& version);
void complete_record(store::CallRecord& record, const room::RecordDraft& draft);
// Adds what the session's transports and taps have counted; before the session goes. A browser that came back
// has streams of each of its connections.
void add_streams(store::CallRecord& record, const media::Session& session);

}  // namespace vmr::bridge
