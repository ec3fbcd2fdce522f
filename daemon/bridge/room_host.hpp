// One room at work: its core decides (daemon/room), its pipeline mixes (daemon/media), its legs speak to the
// world. Events go in by handle(); the core's commands are carried out in order before it returns. Control
// thread only.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/api/control.hpp"
#include "daemon/bridge/camera_routes.hpp"
#include "daemon/bridge/conference_view.hpp"
#include "daemon/bridge/kept_pipeline.hpp"
#include "daemon/bridge/seat.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/room/room.hpp"

namespace vmr::bridge {

class RoomHost final : public media::RoomPipelineObserver {
public:
    // The pipeline starts with the first leg. `hashes` are argon2id hashes of the PINs, empty where there is
    // none.
    RoomHost(Services& services, room::RoomConfig config, PinHashes hashes);
    ~RoomHost() override;

    // `answered`: the call is up already, it comes from the virtual reception.
    void arrive(std::shared_ptr<Leg> leg, std::shared_ptr<media::Session> session, const Arrival& arrival,
                bool answered = false);
    // Another call takes the place of `leg` (SIP: Replaces): whether it can, and that it does.
    bool may_be_replaced(const std::string& leg) const;
    void replace(const std::string& leg, std::shared_ptr<Leg> by, std::shared_ptr<media::Session> session,
                 const Arrival& arrival);
    // A browser is back on a new leg for a seat that it holds; false: there is no such seat any more.
    bool resume(const room::ParticipantId& id, std::shared_ptr<Leg> leg,
                std::shared_ptr<media::Session> session, const Arrival& arrival);
    void on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt);
    void on_leg_answered(const std::string& leg);
    struct Planned {  // a call, until the core has decided
        DialPlan plan;
        std::string replaces = {};
        OnCallStatus on_status = {};
    };
    // Calls the plan's address into the room; the reply names the new participant.
    void dial(const room::Actor& actor, Planned planned, const std::string& name,
              std::optional<room::Role> role, api::Reply reply);
    // A participant wants somebody called (SIP: REFER). Guests, where they may: in place of themselves.
    // False: that is not done.
    bool refer(const std::string& leg, DialPlan plan, Referral referral, bool guests_may);
    // Moves a participant to another address; what comes of it is told as vmr.participant.transfer.
    void transfer(const room::Actor& actor, const room::ParticipantId& id, const DialPlan& plan,
                  const api::Reply& reply);
    // Into the audit log, what the room core was not asked: `about` whom.
    void audit(const room::Actor& actor, const char* what, const std::string& about, const char* result);
    // The call has a way: what its media session is made of, and the session.
    const Arrival* route(const std::string& leg, const std::string& address, const std::string& signalling);
    bool take_session(const std::string& leg, std::shared_ptr<media::Session> session);
    void on_leg_progressed(const std::string& leg, LegProgress progress);
    void on_leg_turned_down(const std::string& leg, const TurnDown& why);
    std::size_t placed_calls() const;
    // A call that we placed costs more now; its next minute may not be paid for.
    void note_cost(const std::string& leg);
    void end_unpaid(const std::string& leg);
    void on_key(const room::ParticipantId& participant, char key);
    bool has_leg(const std::string& leg) const { return participants_.contains(leg); }
    room::ParticipantId participant_of(const std::string& leg) const;

    // The reply comes when the core has decided, which is before this returns.
    void act(const room::Actor& actor, room::ActionKind kind, api::Reply reply);
    // A leg's participant wrote to the room; `is_protected`: nobody on the way read it.
    SayResult say(const std::string& leg, const std::string& text, bool is_protected);
    // As api::Control's.
    std::uint64_t events_hidden_until(const room::ParticipantId& id) const;
    void handle(const room::Event& event);
    void end(room::Cause cause);
    // Once a second: whose media has stopped, and who is to go for it.
    void watch_media();

    const room::Room& core() const { return room_; }
    bool is_empty() const { return seats_.empty(); }
    void set_pins(room::RoomConfig config, PinHashes hashes);
    nlohmann::json snapshot(bool with_addresses) const;
    // As the leg's participant may see it.
    std::shared_ptr<const Conference> conference_of(const std::string& leg);

    // media::RoomPipelineObserver
    void on_talking_changed(const std::vector<std::string>& legs) override;
    void on_digits_entered(const std::string& leg, const std::string& digits) override;
    void on_key_pressed(const std::string& leg, char key) override;
    void on_pin_timed_out(const std::string& leg) override;
    void on_leg_failed(const std::string& leg, const std::string& text) override;
    void on_room_failed(const std::string& text) override;

private:
    Seat* seat(const room::ParticipantId& id);
    // Legs may report back while the core's commands are being carried out: what they say waits its turn.
    void in_turn(std::function<void()> step);
    void leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt);
    void set_hold(Seat& seat, bool on_hold);
    void end_moved(const std::string& leg);
    void tell_transfer(const room::ParticipantId& id, int status, const std::string& reason);
    void settle(Seat& seat);
    bool seat_media(Seat& seat);
    void follow_network(Seat& seat);
    void unseat_media(Seat& seat);
    void execute(const room::Commands& commands);
    void arm_timer();
    static gboolean on_deadline(gpointer self);
    void tell_conference();
    void pass_pin(Seat& seat);
    void play(Seat& seat, room::Prompt prompt, const std::map<std::string, std::string>& params);
    const std::string& locale() const;  // of what is said and shown here
    void tell(Seat& seat, const char* state, nlohmann::json details);
    void on_media_ready(const room::ParticipantId& id);
    bool needs_protected_chat(const room::Participant& participant) const;
    void note_presence(const room::Participant& participant);
    void follow_receipt(const room::ParticipantId& id);
    bool share(const room::ParticipantId& id, bool sharing);
    void follow_sharing(const room::Participant& participant);
    void show_floor(const Seat& seat);
    void steer_camera(const room::ParticipantId& from, const std::vector<std::uint8_t>& message);

    void carry_out(const room::Answer& command);
    void carry_out(const room::Refuse& command);
    void carry_out(const room::AskPin& command);
    void carry_out(const room::VerifyPin& command);
    void carry_out(const room::AcceptPin& command);
    void carry_out(const room::RejectPin& command);
    void carry_out(const room::OpenGate& command);
    void carry_out(const room::CloseGate& command);
    void carry_out(const room::SetMuted& command);
    void carry_out(const room::SetLayout& command);
    void carry_out(const room::Spotlight& command);
    void carry_out(const room::Announce& command);
    void carry_out(const room::Release& command);
    void carry_out(const room::ParticipantJoined& command);
    void carry_out(const room::ParticipantChanged& command);
    void carry_out(const room::ParticipantLeft& command);
    void carry_out(const room::RoomChanged& command);
    void carry_out(const room::TalkingChanged& command);
    void carry_out(const room::Said& command);
    void carry_out(const room::Audit& command);
    void carry_out(const room::WriteRecord& command);
    void carry_out(const room::ActionDone& command);
    void carry_out(const room::StartRecording&) {}
    void carry_out(const room::StopRecording&) {}
    void carry_out(const room::PlaceCall& command);
    void carry_out(const room::RoomEnded& command);

    Services& services_;
    room::Room room_;
    PinHashes hashes_;
    std::map<room::ParticipantId, std::unique_ptr<Seat>> seats_;
    std::vector<std::shared_ptr<media::Session>> left_;        // until the main loop has its turn
    std::map<std::string, room::ParticipantId> participants_;  // by leg
    std::map<room::ParticipantId, Planned> planned_;
    KeptPipeline pipeline_;  // goes before the seats
    ConferenceView conference_;
    bool conference_changed_ = false;
    std::map<std::uint64_t, api::Reply> replies_;
    std::uint64_t last_request_ = 0;
    room::ParticipantId sharer_;  // empty: nobody
    CameraRoutes cameras_;
    unsigned timer_ = 0;
    bool busy_ = false;
    std::deque<std::function<void()>> waiting_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vmr::bridge
