// The one place that wires things up: legs arrive at rooms, the API's operations reach them. Control thread
// only.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/api/control.hpp"
#include "daemon/bridge/device_operations.hpp"
#include "daemon/bridge/reception.hpp"
#include "daemon/bridge/room_host.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/media/session.hpp"
#include "daemon/ops/config.hpp"

namespace vmr::bridge {

class Bridge final : public LegObserver, public api::Control {
public:
    Bridge(Services& services, const media::MediaEnvironment& environment);
    ~Bridge() override;

    // Rooms of the configuration. Waits for their PINs to be hashed.
    void start_rooms(const std::vector<ops::RoomConfig>& rooms);
    // New ones appear, changed ones change, as their PINs are hashed (by the worker: this waits for nothing);
    // those that are gone from the file go if nobody is there, else with the next reload. Rooms made by the
    // API stay.
    void reload_rooms(const std::vector<ops::RoomConfig>& rooms);
    // What getStatus adds to its own: SIP addresses.
    void set_status(nlohmann::json status) { status_ = std::move(status); }
    // The trunks' numbers, and where each leads: a room's id, or "reception".
    void set_dial_in(std::vector<std::pair<std::string, std::string>> numbers) {
        dial_in_ = std::move(numbers);
    }
    // The user part of a SIP address that asks for a meeting number; empty: none does.
    // `unknown`: whoever calls a name that does not exist is asked there for a meeting number too, so that by
    // how a call is answered nobody learns which names exist.
    void set_reception(std::string alias, bool unknown) {
        reception_alias_ = std::move(alias);
        unknown_to_reception_ = unknown;
    }
    // Calls are placed from now on, within these limits.
    struct DialLimits {
        std::size_t max_calls = 0;  // in all rooms, ringing ones included
        std::size_t max_calls_per_room = 0;
        bool guests_refer = false;  // else hosts alone may have others called (SIP: REFER)
        Spend::Limits spend = {};
    };
    void set_dialler(Dialler* dialler) { services_.dialler = dialler; }
    void set_dial_limits(const DialLimits& limits) {
        dial_limits_ = limits;
        services_.spend.set_limits(limits.spend);
    }
    // Operations on devices that register go there, which outlives this; null: nobody registers.
    void set_devices(DeviceOperations* devices) { devices_ = devices; }
    // Of a room; of the devices where it is empty.
    nlohmann::json snapshot(const std::string& room) const;
    // Ends all meetings with `cause`; is_idle() when the last leg has gone.
    void drain();
    bool is_idle() const;
    std::string metrics() const;

    // LegObserver
    std::shared_ptr<MediaSession> on_leg_arrived(std::shared_ptr<Leg> leg, const Arrival& arrived) override;
    void on_leg_refused(const Arrival& arrival, EndCause cause) override { record_refusal(arrival, cause); }
    std::shared_ptr<MediaSession> on_leg_routed(const std::string& leg, const std::string& address,
                                                const std::string& signalling) override;
    void on_leg_progressed(const std::string& leg, LegProgress progress) override;
    void on_leg_reached(const std::string& leg, const std::string& address,
                        const std::string& signalling) override;
    void on_leg_turned_down(const std::string& leg, const TurnDown& why) override;
    void on_leg_answered(const std::string& leg) override;
    void on_leg_key(const std::string& leg, char key) override;
    void on_leg_sharing(const std::string& leg, bool sharing) override;
    SayResult on_leg_said(const std::string& leg, const std::string& text, bool is_protected) override;
    bool on_leg_referred(const std::string& leg, Referral referral) override;
    std::shared_ptr<const Conference> conference_of(const std::string& leg) override;
    void on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) override;

    // api::Control
    bool may_follow_events(const api::Caller& caller) const override;
    std::uint64_t events_hidden_until(const api::Caller& caller) const override;
    void perform(const api::Caller& caller, std::string_view operation_id, const nlohmann::json& params,
                 api::Reply reply) override;

private:
    struct Door {  // a leg between its arrival and its room's first look at it
        std::shared_ptr<Leg> leg;
        std::shared_ptr<media::Session> session;
        Arrival arrival;
    };
    RoomHost* host(const std::string& room) const;
    RoomHost* host_of_alias(const std::string& alias) const;
    RoomHost* host_of_leg(const std::string& leg) const;
    RoomHost* resumed_host(const Arrival& arrival, api::Caller& caller) const;
    bool is_for_reception(const Arrival& arrival) const;
    std::shared_ptr<media::Session> new_session(const Arrival& arrival, const room::RoomConfig* room) const;
    void at_door(const std::string& leg);
    void record_refusal(const Arrival& arrival, EndCause cause);
    void watch_spend();
    bool takes_others_name(const ops::RoomConfig& config) const;
    bool transfer(const std::string& number, std::shared_ptr<Leg> leg,
                  std::shared_ptr<media::Session> session, Arrival arrival);

    // Rooms (rooms.cpp)
    using OnRoomSet = std::function<void(const Status&)>;
    struct HashedPins {
        std::vector<std::string> pins;  // host's, guests'; empty: none
        PinHashes hashes;
    };
    struct Pending {  // settings that wait for the PINs to be hashed
        std::uint64_t number = 0;
        std::optional<ops::RoomConfig> in_force;  // none: a new room
        std::vector<OnRoomSet> on_done;
    };
    // These names and no others lead to the room.
    void name_room(const ops::RoomConfig& config);
    void take_free_names(const ops::RoomConfig& config);
    // All of them or none: then the room is as before, or not there if it is new.
    void set_room(const ops::RoomConfig& config, OnRoomSet on_done);
    void refuse_settings(const std::string& id, const std::string& why);
    void apply_room(const std::string& id, HashedPins pins);
    void forget_room(const std::string& id, const std::string& why = "the room is gone");
    // A room that was forgotten goes when the last leg has said goodbye.
    void drop_forgotten_rooms();
    void settle_room(const std::string& id, const Status& result);

    // Operations (operations.cpp)
    void perform_on_room(RoomHost& room, const api::Caller& caller, std::string_view operation,
                         const nlohmann::json& params, api::Reply reply);
    bool change_room(RoomHost& room, const room::Actor& actor, std::string_view operation,
                     const nlohmann::json& params, api::Reply& reply);
    bool change_participant(RoomHost& room, const room::Actor& actor, std::string_view operation,
                            const nlohmann::json& params, api::Reply& reply);
    void update_participant(RoomHost& room, const room::Actor& actor, const nlohmann::json& params,
                            api::Reply reply);
    static room::Actor actor_of(const api::Caller& caller);
    static bool may_place_calls(const RoomHost& room, const room::Actor& actor);
    // `given`: the plan where no rule is asked.
    bool refuses_call(const RoomHost& room, const std::string& address, DialPlan& plan,
                      api::Response& refusal, const std::optional<DialPlan>& given = {}) const;
    void transfer_participant(RoomHost& room, const api::Caller& caller, const nlohmann::json& params,
                              const api::Reply& reply);
    void dial_out(RoomHost& room, const api::Caller& caller, const nlohmann::json& params, api::Reply reply);
    void join_info(const std::string& alias, api::Reply reply) const;

    // Operations on settings (room_settings.cpp)
    void create_room(const nlohmann::json& params, api::Reply reply);
    void update_room(RoomHost& room, const nlohmann::json& params, api::Reply reply);
    void delete_room(RoomHost& room);
    // As operations show it: with the ways there by telephone.
    nlohmann::json room_json(const RoomHost& room) const;

    Services& services_;
    const media::MediaEnvironment& environment_;
    std::map<std::string, ops::RoomConfig> configs_;  // as asked for last
    std::map<std::string, HashedPins> hashed_;        // as in force
    std::map<std::string, Pending> pending_;
    std::uint64_t last_pending_ = 0;
    std::map<std::string, std::unique_ptr<RoomHost>> rooms_;
    std::map<std::string, std::string> aliases_;  // lower case alias or number → room
    std::set<std::string> from_file_;             // rooms of the configuration; others were made by the API
    std::map<std::string, Door> door_;
    Reception reception_;
    std::vector<std::pair<std::string, std::string>> dial_in_;
    std::string reception_alias_;
    bool unknown_to_reception_ = false;
    nlohmann::json status_ = nlohmann::json::object();
    DialLimits dial_limits_;
    DeviceOperations* devices_ = nullptr;
    bool draining_ = false;
    unsigned watch_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace vmr::bridge
