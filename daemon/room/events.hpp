// What can happen to a room. The bridge makes these from legs, bus messages, the API and workers.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "daemon/room/types.hpp"

namespace vmr::room {

// A leg wants in. Answered by Answer or Refuse. `receipt` when the offer tells already (SIP); else MediaUp's
// counts.
struct Arrived {
    ParticipantId id;
    std::string name;
    LegKind leg = LegKind::webrtc;
    std::string address;  // source address, or caller number for phones: the throttle's key, with trunk
    std::string trunk;
    bool withheld = false;     // address is shown to nobody
    std::string verification;  // as Participant's
    std::string user_agent;
    std::string alias;
    bool trusted_host = false;  // authenticated, and has the room's host right (rule 6)
    std::optional<CryptoReceipt> receipt;
};

// The leg is answered and its media runs (for WebRTC: DTLS is done). Nothing passes its gate yet.
struct MediaUp {
    ParticipantId id;
    CryptoReceipt receipt;
};

// A complete entry at the PIN prompt, from pin-ivr's `vmr-digits` or the join page. Empty = guest entry.
struct Digits {
    ParticipantId id;
    std::string digits;
};

// One key (0-9 * # ) after acceptance, by RFC 4733, SIP INFO, in-band or the API's sendKeys.
struct Key {
    ParticipantId id;
    char key = 0;
};

// The worker's answer to VerifyPin. `ticket` is copied from the command: late answers are ignored.
struct PinVerified {
    ParticipantId id;
    std::uint64_t ticket = 0;
    PinMatch match = PinMatch::none;
};

// pin-ivr's own timer, where it has one. The room has its own as well (pin_timeout).
struct PinTimedOut {
    ParticipantId id;
};

// The leg is gone. Also the answer to Release: then ignored, the room knows already.
struct Left {
    ParticipantId id;
    Cause cause = Cause::normal;
};

// A browser's connection dropped: its seat stays for reconnect_grace. Then Resumed or it is out.
struct Reconnecting {
    ParticipantId id;
};
// It is back with its token, on a new leg whose media runs and whose gate is closed.
struct Resumed {
    ParticipantId id;
    CryptoReceipt receipt;
};

// The complete set of who talks now (mixer's `vmr-talking`).
struct Talking {
    std::vector<ParticipantId> ids;
};
// Media arrives from this leg again / has stopped. Legs count as seen from MediaUp on.
struct MediaSeen {
    ParticipantId id;
};
struct MediaSilent {
    ParticipantId id;
};

// A call that the room placed rings, or is answered by a voice that is not the callee's yet.
struct Progressed {
    ParticipantId id;
    CallProgress call = CallProgress::ringing;
};

// The leg was renegotiated, or keys of more of its media are there.
struct ReceiptChanged {
    ParticipantId id;
    CryptoReceipt receipt;
};

// The daemon's configuration was reloaded, or updateRoom. Limits apply to who comes from now on.
struct ConfigChanged {
    RoomConfig config;
};

// Nothing but time. Send it when next_deadline() is due; every other event does this work as well.
struct Tick {};

// --- what people do: from the API, the page and phone keys alike ---

struct SetLock {
    bool locked = false;
};
struct SetRoomLayout {
    Layout layout = Layout::speaker;
};
struct MuteGuests {
    bool muted = false;
};
struct MuteNewcomers {
    bool muted = false;
};
// Whether guests may write.
struct AllowChat {
    bool allowed = false;
};
// A message to everybody in the room.
struct Say {
    std::string text;
};
struct AdmitAll {};
struct EndRoom {};
struct SetRecording {
    bool recording = false;
};
struct DialOut {
    ParticipantId id;  // of who is called; new
    std::string address;
    std::string name;  // empty: the address
    LegKind leg = LegKind::sip;
    std::optional<Role> role;  // none: a guest, or where everyone is a host (rule 1) that
};
struct Admit {
    ParticipantId target;
};
struct RefuseWaiting {
    ParticipantId target;
};
struct Hold {
    ParticipantId target;
};  // move to the lobby
struct Remove {
    ParticipantId target;
};
struct SetMute {
    ParticipantId target;
    bool muted = false;
};  // a host's mute
struct SetSelfMute {
    ParticipantId target;
    bool muted = false;
};  // by another than the target: asks them to unmute
struct SetRole {
    ParticipantId target;
    Role role = Role::guest;
};
struct SetHand {
    ParticipantId target;
    bool raised = false;
};
struct SetSpotlight {
    ParticipantId target;
    bool on = false;
};
struct SetSharing {
    ParticipantId target;
    bool sharing = false;
};
struct Rename {
    ParticipantId target;
    std::string name;
};
struct Grant {
    ParticipantId target;
    Right right = Right::admit;
    bool granted = false;
};

using ActionKind = std::variant<SetLock, SetRoomLayout, MuteGuests, MuteNewcomers, AllowChat, Say, AdmitAll,
                                EndRoom, SetRecording, DialOut, Admit, RefuseWaiting, Hold, Remove, SetMute,
                                SetSelfMute, SetRole, SetHand, SetSpotlight, SetSharing, Rename, Grant>;

// Who acts: an administrator (API token), or a participant by id.
struct Actor {
    bool admin = false;
    ParticipantId participant;
    std::string source = {};      // where an administrator's order came from, for the audit log
    ParticipantId asked_by = {};  // whose wish an order with an administrator's rights is, for the audit log
    static Actor administrator(std::string source = {}) { return {true, {}, std::move(source)}; }
    static Actor on_behalf_of(ParticipantId id, std::string source) {
        return {true, {}, std::move(source), std::move(id)};
    }
    static Actor of(ParticipantId id) { return {false, std::move(id)}; }
    // As the audit log has it.
    const std::string& name() const {
        static const std::string kAdmin = "admin";
        return !admin ? participant : asked_by.empty() ? kAdmin : asked_by;
    }
};

// `request` comes back in ActionDone, exactly once: the API's answer. 0 = nobody asks.
struct Action {
    Actor actor;
    ActionKind kind;
    std::uint64_t request = 0;
};

using Event =
    std::variant<Arrived, MediaUp, Digits, Key, PinVerified, PinTimedOut, Left, Reconnecting, Resumed,
                 Talking, MediaSeen, MediaSilent, Progressed, ReceiptChanged, ConfigChanged, Tick, Action>;

}  // namespace vmr::room
