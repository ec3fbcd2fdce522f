// The machine behind Room; internal to daemon/room. One file per subject:
//   core.cpp      events in, the lobby settled, changes published
//   entry.cpp     the door: arrival, PIN, encryption       seats.cpp    into the room, to the lobby, out;
//   records actions.cpp   what people do                           keys.cpp     the same from a phone
//   chat.cpp      what people write
//   timers.cpp    everything that happens by itself        announce.cpp what is said, and how often
#pragma once
#include <map>
#include <set>

#include "daemon/room/chat.hpp"
#include "daemon/room/keypad.hpp"
#include "daemon/room/room.hpp"
#include "daemon/room/rules.hpp"

namespace vmr::room {

// The evaluation of one PIN entry: waits for a slot, then for the worker, then (room under attack) for its
// time.
struct PinCheck {
    enum class Step { idle, queued, verifying, delayed } step = Step::idle;
    std::uint64_t ticket = 0;
    std::string digits;  // only while queued
    TimePoint slot{};    // the throttle's slot, while verifying
    TimePoint at{};      // when the step ends: next try, worker given up, answer given
    PinMatch match = PinMatch::none;
    bool guest_entry = false;
};

struct Seat {
    Participant p;
    std::uint64_t order = 0;
    CryptoReceipt offered;
    bool media = false;
    bool gate_open = false;
    std::optional<GateReason> gate_reason;
    std::optional<bool> mixer_muted;
    bool heard_unencrypted = false;
    bool changed = false;
    TimePoint deadline{};  // connecting, pin: when the leg is given up
    TimePoint give_up{};   // pin: the same, whatever is typed
    TimePoint waiting_since{};
    TimePoint next_prompt{};  // lobby
    TimePoint dropped_at{};   // while !p.connected
    PinCheck pin;
    KeyPad keys;
    ParticipantId listed;  // keys: the list's current item; "" = the room itself
    RateWindow said;       // by this participant
    RecordDraft record;
    TimePoint span_start{};

    bool in_room() const { return p.state == State::in_room; }
    bool in_lobby() const { return p.state == State::lobby; }
    bool host_in_room() const { return in_room() && p.role == Role::host; }
};

class Core {
public:
    Core(RoomConfig config, std::shared_ptr<PinThrottle> throttle);

    Commands handle(const Event& event, TimePoint now);
    Commands end(Cause cause, TimePoint now);
    std::optional<TimePoint> next_deadline() const;
    RoomView view() const;

    RoomConfig config;
    std::map<ParticipantId, Seat> seats;
    std::vector<const Seat*> by_arrival() const;

private:
    // core.cpp
    void begin(TimePoint now);
    Commands finish();
    void settle();
    bool settle_lobby();
    void watch_hosts();
    void watch_encryption();
    void publish();
    void reset_meeting();
    Seat* find(const ParticipantId& id);
    std::size_t count(State state) const;
    std::size_t hosts_in_room() const;
    bool is_last_host(const Seat& seat) const;
    void touch(Seat& seat) { seat.changed = true; }
    template <typename C>
    void emit(C command) {
        out_.emplace_back(std::move(command));
    }

    void on(const Arrived&);
    void on(const MediaUp&);
    void on(const Digits&);
    void on(const Key&);
    void on(const PinVerified&);
    void on(const PinTimedOut&);
    void on(const Left&);
    void on(const Reconnecting&);
    void on(const Resumed&);
    void on(const Talking&);
    void on(const MediaSeen&);
    void on(const MediaSilent&);
    void on(const Progressed&);
    void on(const ReceiptChanged&);
    void on(const ConfigChanged&);
    void on(const Tick&) {}
    void on(const Action&);

    // entry.cpp
    std::optional<Cause> refusal(const Arrived&) const;
    Seat& take_seat(Participant);
    void take_receipt(Seat&, const CryptoReceipt&);
    bool encryption_suffices(const Seat&) const;
    void ask_pin(Seat&);
    void try_to_verify(Seat&);
    void judge(Seat&, PinMatch match, bool guest_entry);
    void answer_entry(Seat&);
    void audit_pin(const Seat&, const char* result);

    // seats.cpp
    void seat_in(Seat&);
    void enter(Seat&);
    void wait(Seat&, LobbyReason);
    void leave(Seat&, Cause, bool release, std::optional<Prompt> prompt = std::nullopt);
    void refuse(const Arrived&, Cause);
    void end_meeting(Cause);
    void advance(Seat&, State, LobbyReason);
    void sync_gate(Seat&);
    void sync_mute(Seat&);
    void sync_spotlight();
    Door door_of(const Seat&) const;
    void close_span(Seat&);

    // actions.cpp
    struct Result {
        Outcome outcome = Outcome::done;
        std::string reason;
    };
    Result act(const Actor&, const ActionKind&);
    Result apply(const SetLock&);
    Result apply(const SetRoomLayout&);
    Result apply(const MuteGuests&);
    Result apply(const MuteNewcomers&);
    Result apply(const AllowChat&);  // chat.cpp
    Result apply(const Say&);        // chat.cpp
    Result apply(const AdmitAll&);
    Result apply(const EndRoom&);
    Result apply(const SetRecording&);
    Result apply(const DialOut&);
    Result apply(const Admit&);
    Result apply(const RefuseWaiting&);
    Result apply(const Hold&);
    Result apply(const Remove&);
    Result apply(const SetMute&);
    Result apply(const SetSelfMute&);
    Result apply(const SetRole&);
    Result apply(const SetHand&);
    Result apply(const SetSpotlight&);
    Result apply(const SetSharing&);
    Result apply(const Rename&);
    Result apply(const Grant&);
    void set_host_mute(Seat&, bool muted);

    // keys.cpp
    void run_key(Seat&, const KeyPress&);
    void run_list_key(Seat&, const KeyPress&);
    void run_word(Seat&, char digit);
    void list_waiting(Seat&);
    void list_people(Seat&);
    void act_by_key(Seat&, const ActionKind&, std::optional<Prompt> done = std::nullopt);

    // timers.cpp
    void expire();
    bool expire_seats();
    bool expire_seat(Seat&);
    std::optional<std::pair<TimePoint, unsigned>> next_warning() const;
    bool warn();
    bool expire_room();
    std::optional<TimePoint> seat_deadline(const Seat&) const;
    std::optional<std::pair<TimePoint, Cause>> room_deadline() const;
    void watch_media_and_company();

    // announce.cpp
    void say(Audience, const ParticipantId& to, Prompt, std::map<std::string, std::string> = {},
             bool sound = true);
    void tell(const Seat& to, Prompt, std::map<std::string, std::string> = {});
    void announce_coming(const Seat&, Prompt);
    void announce_waiting(const Seat&);
    void announce_wait_prompt(Seat&);
    void announce_encryption(bool unencrypted);
    bool sound_allowed(Prompt);
    void audit(const std::string& actor, const std::string& source, const std::string& what,
               const std::string& target, const std::string& result);

    std::shared_ptr<PinThrottle> throttle_;
    TimePoint now_{};
    Commands out_;
    std::uint64_t next_order_ = 1;
    std::uint64_t next_ticket_ = 1;
    // The meeting; reset_meeting() puts it back.
    bool locked_ = false;
    Layout layout_ = Layout::speaker;
    bool recording_ = false;
    bool muted_guests_ = false;
    bool mute_newcomers_ = false;
    bool chat_allowed_ = true;  // for guests
    RateWindow said_;           // by guests, all of them
    std::optional<TimePoint> started_at_;
    std::optional<unsigned> minutes_said_;  // the last time that everyone heard how long there is
    std::vector<ParticipantId> spotlight_;
    std::set<ParticipantId> talking_;
    bool host_was_present_ = false;
    bool host_left_on_purpose_ = false;
    TimePoint host_last_seen_{};
    std::optional<TimePoint> host_absent_until_;
    bool was_unencrypted_ = false;
    std::optional<TimePoint> silent_since_;  // nobody sends media
    std::optional<TimePoint> lone_since_;
    std::map<Prompt, TimePoint> last_sound_;
    bool meeting_over_ = false;
    std::optional<RoomView> published_;
    std::string acting_;  // who the current action is by, as far as rules and prompts go
    Cause end_cause_ = Cause::ended_by_host;
};

}  // namespace vmr::room
