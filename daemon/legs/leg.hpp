// The interface between a leg of any kind and the bridge. Everything here is
// called on the control thread. Signalling hands SDP text to the MediaSession it
// is given and never learns what RTP is; the bridge never learns what SIP is.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/conference.hpp"

namespace vmr {

enum class LegKind { webrtc, sip, phone, h323 };
const char* to_string(LegKind kind) noexcept;

// Why a leg ended or was refused. One list for every kind of leg, the call record
// and the API; each entry has a SIP status and a Q.850 cause (sip_cause()).
enum class EndCause {
    hangup,               // either side hung up an answered call
    cancelled,            // the caller gave up before the answer
    no_answer,            // nobody answered in time
    declined,             // who was called does not want to talk
    redirected,           // who was called sent us elsewhere, which we do not follow
    unreachable,          // no address, no connection or no certificate to trust
    not_found,            // unknown alias or number
    forbidden,            // refused: by a host, by policy, or no trunk may call this
    unauthorized,         // credentials missing or wrong
    busy,                 // the room or the caller has no place left
    wrong_pin,            // the last allowed PIN entry was wrong
    pin_timeout,          // no full PIN entry in time
    lobby_timeout,        // nobody admitted the participant in time
    lone_timeout,         // alone for too long
    max_duration,         // the longest time that a call may take is over
    spend_limit,          // what calls out may cost in a day is spent
    removed,              // a host removed the participant
    room_ended,           // ended for all, or the room's time is over
    replaced,             // the same participant came back on another leg
    transferred,          // the participant was moved to another address
    malformed,            // the offer or answer could not be read
    not_acceptable,       // no codec or transport in common
    encryption_required,  // the room's policy needs encryption that the peer lacks
    media_timeout,        // no media for too long
    media_failed,         // ICE, DTLS or the leg's pipeline failed
    signalling_timeout,   // no ACK, no answer, or the session timer ran out
    signalling_lost,      // the connection broke and did not come back
    preempted,            // a call of higher precedence took its place (RFC 4411)
    overload,             // over a limit; come back later
    shutdown,             // the server drains
    internal_error,
};
const char* to_string(EndCause cause) noexcept;

struct SipCause {
    int status;        // final response when the call is not answered yet (RFC 3261 section 21)
    int q850;          // Reason: Q.850;cause=… (RFC 3326)
    const char* text;  // reason phrase
};
SipCause sip_cause(EndCause cause) noexcept;

// How a leg is encrypted (room rules 20-22): shown in the roster, API and record.
struct CryptoReceipt {
    std::string signalling = "none";    // e.g. "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string key_exchange = "none";  // "DTLS-SRTP", "SDES" or "none"
    std::string suite = "none";         // e.g. "AEAD_AES_256_GCM"
    int key_bits = 0;                   // of the media cipher
    // SDES keys that travelled in the clear count as unencrypted.
    bool encrypted() const { return key_bits > 0 && (key_exchange == "DTLS-SRTP" || signalling != "none"); }
};

// What the way to a peer asks of its media, beyond the room's policy.
struct MediaTerms {
    bool srtp_required = false;
    std::vector<std::string> srtp_suites;   // of SDES (RFC 4568 names); empty: all
    std::vector<std::string> audio_codecs;  // "G722", "PCMA", …, preferred first; empty: all
    bool ice_lite = false;
    bool hold_inactive = false;  // a hold of ours is a=inactive, never a=sendonly
    int audio_dscp = -1;         // 0-63; -1: as for all
    int video_dscp = -1;
};

// What is known about a leg when it arrives.
struct Arrival {
    std::string leg;  // unique id of the leg, same as Leg::id()
    LegKind kind = LegKind::sip;
    std::string alias;                // what was dialled or asked for: room alias or number, lower case
    bool ask_meeting_number = false;  // a trunk number that leads to the virtual reception; alias is empty
    std::string display_name;
    std::string caller;  // E.164 number on a phone leg, address of record on SIP ("alice@example.org")
    std::string remote_address;  // "192.0.2.7:5060", the packet's source
    std::string user_agent;
    std::string trunk;                // name of the trunk that matched, or empty
    std::string signalling = "none";  // as CryptoReceipt::signalling; "none" = in the clear
    bool trusted = false;             // the caller's identity was authenticated (trunk, digest, certificate)
    std::string replaces;             // SIP: the leg whose place it takes; its right to do so was checked
    bool withheld = false;            // the caller is not to be shown to anybody (RFC 3323)
    std::string
        verification;      // of the caller's number by the network (STIR/SHAKEN): "passed", "failed", "none"
    std::string identity;  // the token that says so (RFC 8224), for the record
    MediaTerms terms;
    std::string offer;   // SIP: the description that the call came with; empty: ours is asked for
    std::string resume;  // WebRTC: the bearer of a participant who dropped and is back
};

// What went wrong with a description: the signalling turns it into its own refusal.
struct MediaProblem {
    enum class Kind {
        malformed,            // SIP 400
        not_acceptable,       // SIP 488
        encryption_required,  // SIP 488 with a Warning that says so
        internal              // SIP 500
    };
    Kind kind = Kind::internal;
    std::string text;  // one line for the peer and the log; without addresses or keys
};
EndCause end_cause(MediaProblem::Kind kind) noexcept;

// SDP text, or why there is none.
class [[nodiscard]] SdpResult {
public:
    SdpResult(std::string sdp) : ok_(true), sdp_(std::move(sdp)) {}
    SdpResult(MediaProblem problem) : problem_(std::move(problem)) {}
    bool ok() const noexcept { return ok_; }
    explicit operator bool() const noexcept { return ok_; }
    const std::string& sdp() const noexcept { return sdp_; }
    const MediaProblem& problem() const noexcept { return problem_; }

private:
    bool ok_ = false;
    std::string sdp_;
    MediaProblem problem_;
};

// The media side of one leg, as its signalling sees it (RFC 3264 roles). A failed
// call leaves the session as it was: the signalling refuses, the call goes on.
class MediaSession {
public:
    struct Callbacks {
        // A local ICE candidate was found (trickle); "" ends the list.
        std::function<void(std::string candidate, std::string mid, int mline)> on_candidate_found;
        // The session cannot go on (ICE or DTLS failed, no media): the leg ends itself with this cause.
        std::function<void(EndCause cause, std::string text)> on_media_failed;
        // A keyframe of the peer is needed, and RTCP is not agreed on to ask for it.
        std::function<void()> on_keyframe_wanted;
    };
    virtual ~MediaSession() = default;
    // The peer offers (first or again: hold, resume, more media); returns our answer.
    virtual SdpResult answer(std::string_view offer) = 0;
    // We offer (INVITE without SDP, our re-INVITE); the answer comes by accept_answer(),
    // or discard_offer() goes back to the description in force before.
    virtual SdpResult offer() = 0;
    // The peer asks for an offer within the call: all that we can do, as in a new call (RFC 3261
    // section 14.2). offer() keeps to what is agreed on, and so changes nothing by itself.
    virtual SdpResult offer_anew() { return offer(); }
    virtual SdpResult accept_answer(std::string_view answer) = 0;  // ok: the sdp is empty
    virtual void discard_offer() {}
    virtual void add_candidate(std::string_view /*candidate*/, std::string_view /*mid*/, int /*mline*/) {}
    virtual void set_callbacks(Callbacks callbacks) = 0;
    // The receipt needs to know how the signalling that carries the SDP is protected;
    // called before the first offer or answer, and again when the path changes.
    virtual void set_signalling(const std::string& /*protection*/) {}
    // Before an offer: whom it is for now (a numeric address), as a call may be tried at several servers.
    virtual void set_peer_address(const std::string& /*address*/) {}
    // The peer asked by signalling for a keyframe of what it is sent.
    virtual void send_keyframe() {}
    virtual CryptoReceipt crypto_receipt() const { return {}; }
};

// How far a call got that is placed for somebody else, or by somebody at our request: as SIP has it, 100 to
// 699. 200 and above comes once, and is the last.
using OnCallStatus = std::function<void(int status, const std::string& reason)>;

inline constexpr std::size_t kMaxChatText = 2000;  // bytes

// Somebody wrote to everybody in the room.
struct ChatMessage {
    std::string name;
    std::string text;             // UTF-8
    bool protected_only = false;  // goes nowhere in the clear
};

// What became of what a participant wrote.
enum class SayResult {
    said,
    malformed,  // the text is none that may be said
    refused,    // chat is off, or they are not in the room
    later       // too much at once
};

// One participant's signalling. Owned by its leg kind; others hold shared pointers.
// After on_leg_ended every call is a no-op.
class Leg {
public:
    virtual ~Leg() = default;
    virtual const std::string& id() const = 0;
    virtual LegKind kind() const = 0;
    virtual void accept() = 0;                // answer the call; on_leg_answered or on_leg_ended follows
    virtual void refuse(EndCause cause) = 0;  // not answered: final refusal; answered: same as end()
    virtual void end(EndCause cause) = 0;     // hang up; on_leg_ended follows, once
    virtual void renegotiate() {}             // send a new offer of the media session
    // Asks the peer to call somebody else in place of us (SIP: REFER). An error: it cannot.
    virtual Status transfer(const std::string& /*uri*/, OnCallStatus /*on_status*/) {
        return Error{"only SIP participants can be transferred"};
    }
    // The peer asked for what does not exist, as who guesses names and numbers does: kinds that bar such
    // sources count it.
    virtual void blame() {}
    // Who is in the conference, or how, has changed: LegObserver::conference_of() tells.
    virtual void on_conference_changed() {}
    // For kinds that carry text themselves.
    virtual void show_message(const ChatMessage& /*message*/) {}
    // Participant state ("joined", "pin", "lobby", "in_room", "left") and a JSON object of its details, for
    // kinds that can show it (WebRTC); others show it in pictures and voice.
    virtual void notify_state(std::string_view /*state*/, std::string_view /*json*/) {}
};

// Where a call that we are asked to place would lead.
struct DialPlan {
    LegKind kind = LegKind::sip;
    std::string address;  // as the roster and the record show it: "alice@example.org", "+493012345"
    std::string uri;      // as the leg kind dials it
    std::string rule;     // which of the configuration's rules allows it
    std::chrono::seconds max_duration{0};  // once answered; 0: no limit
    std::string trunk;                     // by which it goes; empty: none
    MediaTerms terms;
    std::string referred_by;  // SIP: at whose wish (value of Referred-By, RFC 3892); or empty
    std::int64_t price = 0;   // of a started minute, in millionths of the operator's currency
};

// A call that we place.
struct Placement {
    std::string leg;  // unique id
    DialPlan plan;
    std::string caller_name;   // shown to who is called
    std::string caller_alias;  // of the room: who calls back gets there
    std::string replaces;      // SIP: the call there whose place it takes (value of Replaces); or empty
};

// A participant asks the room to call somebody.
struct Referral {
    std::string address;
    std::string replaces;  // as Placement's
    OnCallStatus on_status;
    // The address is one of the trunk's that the call goes by, which is called by it at its own wish and
    // cost: no rule is asked.
    std::optional<DialPlan> plan = {};
};

// A leg kind that can place calls. Control thread only.
class Dialler {
public:
    virtual ~Dialler() = default;
    // Deny by default: the error says why this address may not be called.
    virtual Result<DialPlan> plan(const std::string& address) const = 0;
    // The leg reports to the observer of its kind, never from within. Null: no new calls are placed now.
    virtual std::shared_ptr<Leg> dial(const Placement& placement) = 0;
};

enum class LegProgress { ringing, early_media };

// How the far side, or the way there, turned down a call that we placed.
struct TurnDown {
    int status = 0;    // SIP; 0: there was no answer
    int q850 = 0;      // cause
    std::string text;  // "486 Busy Here; Q.850 17 user busy", for people
};

// The bridge, seen from a leg.
class LegObserver {
public:
    virtual ~LegObserver() = default;
    // A call came in. The observer gives it a media session and calls accept() or refuse() on
    // the leg, now or later; until then the caller is told that it rings. Returning null refuses it
    // (not_found, if refuse() was not called); nothing else is then reported about the leg.
    virtual std::shared_ptr<MediaSession> on_leg_arrived(std::shared_ptr<Leg> leg,
                                                         const Arrival& arrival) = 0;
    // A call was turned away before it became a leg (over a limit, draining, unknown trunk number): nothing
    // else is reported about it. For the record.
    virtual void on_leg_refused(const Arrival& arrival, EndCause cause) = 0;
    // A call that we place has a way to its peer: the media session to offer on it. Null ends the leg.
    virtual std::shared_ptr<MediaSession> on_leg_routed(const std::string& /*leg*/,
                                                        const std::string& /*remote_address*/,
                                                        const std::string& /*signalling*/) {
        return nullptr;
    }
    virtual void on_leg_progressed(const std::string& /*leg*/, LegProgress /*progress*/) {}
    // ... and who answers it is there: of several ways, one. on_leg_answered follows.
    virtual void on_leg_reached(const std::string& /*leg*/, const std::string& /*remote_address*/,
                                const std::string& /*signalling*/) {}
    virtual void on_leg_turned_down(const std::string& /*leg*/, const TurnDown& /*why*/) {
    }                                                               // its end follows
    virtual void on_leg_answered(const std::string& leg) = 0;       // offer and answer are complete
    virtual void on_leg_key(const std::string& leg, char key) = 0;  // '0'-'9' '*' '#' 'A'-'D' by signalling
    virtual void on_leg_sharing(const std::string& /*leg*/, bool /*sharing*/) {}  // content started, ended
    // A participant wrote to the room. `is_protected`: the signalling that carried it is.
    virtual SayResult on_leg_said(const std::string& /*leg*/, const std::string& /*text*/,
                                  bool /*is_protected*/) {
        return SayResult::refused;
    }
    // A participant wants the room to call somebody (SIP: REFER). False: that is not done.
    virtual bool on_leg_referred(const std::string& /*leg*/, Referral /*referral*/) { return false; }
    // The meeting as this leg's participant may see it now; null: nothing of it (at the PIN, in the lobby).
    virtual std::shared_ptr<const Conference> conference_of(const std::string& /*leg*/) { return nullptr; }
    // Reported once for each leg that was given a media session. The peer's hang-up is
    // acknowledged (200 to its BYE) when the last copy of `receipt` is released, so that
    // the call record can be on disk first; not keeping a copy acknowledges at once.
    virtual void on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) = 0;
};

}  // namespace vmr
