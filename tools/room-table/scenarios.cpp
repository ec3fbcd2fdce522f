#include "tools/room-table/scenarios.hpp"

namespace vmr::room {
namespace {

const CryptoReceipt kStrong{"TLSv1.3", "DTLS-SRTP", "AEAD_AES_256_GCM", 256};

Event arrived(const ParticipantId& id, bool trusted) {
    Arrived event;
    event.id = id;
    event.name = id;
    event.address = "192.0.2.1";
    event.trusted_host = trusted;
    event.receipt = kStrong;
    return event;
}

Event by_admin(ActionKind kind) {
    return Action{Actor::administrator(), std::move(kind), 1};
}
Event by(const ParticipantId& id, ActionKind kind) {
    return Action{Actor::of(id), std::move(kind), 1};
}

void come(Stage& stage, const ParticipantId& id, PinMatch match) {
    stage.send(arrived(id, false));
    stage.send(MediaUp{id, kStrong});
    stage.enter(id, match);
}

Happening one(std::string name, Event event) {
    return {std::move(name), [event = std::move(event)](Stage& stage) { return stage.send(event); }};
}

Happening entry(std::string name, PinMatch match) {
    return {std::move(name), [match](Stage& stage) { return stage.enter("s", match); }};
}

Happening time_passes(std::string name, Duration time) {
    return {std::move(name), [time](Stage& stage) {
                Commands all;
                const TimePoint until = stage.now + time;
                stage.send(MediaSeen{"s"});
                for (auto at = stage.room.next_deadline(); at && *at <= until;
                     at = stage.room.next_deadline()) {
                    stage.now = std::max(stage.now, *at);
                    const Commands some = stage.send(Tick{});
                    all.insert(all.end(), some.begin(), some.end());
                }
                stage.now = until;
                return all;
            }};
}

Happening keys(const std::string& pressed) {
    return {"keys `" + pressed + "`", [pressed](Stage& stage) {
                Commands all;
                for (const char key : pressed) {
                    const Commands some = stage.send(Key{"s", key});
                    all.insert(all.end(), some.begin(), some.end());
                }
                return all;
            }};
}

void lead_in(Stage& stage, const Scenario& scenario) {
    const auto as_guest = [&stage] { come(stage, "s", PinMatch::guest); };
    if (scenario.state == State::in_room || scenario.reason == LobbyReason::held) {
        come(stage, "s", scenario.role == Role::host ? PinMatch::host : PinMatch::guest);
    }
    if (scenario.reason == LobbyReason::held) {
        stage.send(by_admin(Hold{"s"}));
    }
    const bool lock_last = scenario.reason == LobbyReason::awaiting_host;
    if (scenario.locked && !lock_last) {
        stage.send(by_admin(SetLock{true}));
    }
    if (!scenario.host_present) {
        stage.send(Left{"h", Cause::normal});
    }
    if (scenario.reason == LobbyReason::awaiting_host || scenario.reason == LobbyReason::locked) {
        as_guest();
        if (scenario.role == Role::host) {
            stage.send(by_admin(SetRole{"s", Role::host}));
        }
    }
    if (scenario.locked && lock_last) {
        stage.send(by_admin(SetLock{true}));
    }
    if (scenario.state == State::connecting || scenario.state == State::pin) {
        stage.send(arrived("s", scenario.role == Role::host));
    }
    if (scenario.state == State::pin) {
        stage.send(MediaUp{"s", kStrong});
    }
}

std::vector<Happening> make_happenings() {
    return {
        one("arrives again", arrived("s", false)),
        one("media up, encrypted", MediaUp{"s", kStrong}),
        one("media up, unencrypted", MediaUp{"s", {}}),
        one("empty entry", Digits{"s", ""}),
        entry("wrong PIN", PinMatch::none),
        entry("guest PIN", PinMatch::guest),
        entry("host PIN", PinMatch::host),
        one("verification nobody asked for", PinVerified{"s", 0, PinMatch::host}),
        one("PIN prompt times out", PinTimedOut{"s"}),
        time_passes("60 s pass", std::chrono::seconds(60)),
        time_passes("15 min pass", std::chrono::minutes(15)),
        one("leg ends", Left{"s", Cause::normal}),
        one("connection drops", Reconnecting{"s"}),
        {"drops and is back",
         [](Stage& stage) {
             stage.send(Reconnecting{"s"});
             return stage.send(Resumed{"s", kStrong});
         }},
        one("resumes without a drop", Resumed{"s", kStrong}),
        one("talks", Talking{{"s"}}),
        one("media seen", MediaSeen{"s"}),
        one("media silent", MediaSilent{"s"}),
        one("becomes unencrypted", ReceiptChanged{"s", {}}),
        one("configuration reloaded", ConfigChanged{scenario_config()}),
        one("admin admits", by_admin(Admit{"s"})),
        one("admin refuses", by_admin(RefuseWaiting{"s"})),
        one("admin holds", by_admin(Hold{"s"})),
        one("admin removes", by_admin(Remove{"s"})),
        one("admin promotes", by_admin(SetRole{"s", Role::host})),
        one("admin demotes", by_admin(SetRole{"s", Role::guest})),
        one("admin mutes", by_admin(SetMute{"s", true})),
        one("admin grants admit", by_admin(Grant{"s", Right::admit, true})),
        one("admin locks", by_admin(SetLock{true})),
        one("admin unlocks", by_admin(SetLock{false})),
        one("admin admits all", by_admin(AdmitAll{})),
        one("admin ends the meeting", by_admin(EndRoom{})),
        one("host h admits", by("h", Admit{"s"})),
        one("guest g admits", by("g", Admit{"s"})),
        one("guest g removes", by("g", Remove{"s"})),
        one("s admits oneself", by("s", Admit{"s"})),
        one("s promotes oneself", by("s", SetRole{"s", Role::host})),
        one("s demotes oneself", by("s", SetRole{"s", Role::guest})),
        one("s holds oneself", by("s", Hold{"s"})),
        one("s unlocks", by("s", SetLock{false})),
        one("s mutes oneself", by("s", SetSelfMute{"s", true})),
        one("s raises a hand", by("s", SetHand{"s", true})),
        one("s ends the meeting", by("s", EndRoom{})),
        keys("*4"),
        keys("*5"),
        keys("*6"),
        keys("*7"),
        keys("*91"),
        keys("###"),
        {"another host enters",
         [](Stage& stage) {
             come(stage, "h2", PinMatch::host);
             return stage.log;
         }},
        one("host h leaves", Left{"h", Cause::normal}),
        {"all others leave",
         [](Stage& stage) {
             stage.send(Left{"h", Cause::normal});
             return stage.send(Left{"g", Cause::normal});
         }},
    };
}

}  // namespace

Commands Stage::send(const Event& event) {
    Commands commands = room.handle(event, now);
    log.insert(log.end(), commands.begin(), commands.end());
    return commands;
}

Commands Stage::enter(const ParticipantId& id, PinMatch match) {
    Commands commands = send(Digits{id, "123456"});
    for (const Command& command : Commands(commands)) {
        if (const auto* verify = std::get_if<VerifyPin>(&command)) {
            const Commands more = send(PinVerified{id, verify->ticket, match});
            commands.insert(commands.end(), more.begin(), more.end());
        }
    }
    return commands;
}

RoomConfig scenario_config() {
    RoomConfig config;
    config.id = "room";
    config.host_pin_length = config.guest_pin_length = 6;
    config.host_absence = HostAbsence::keep_going;
    config.encryption = Encryption::required;
    return config;
}

std::vector<Scenario> all_scenarios() {
    std::vector<Scenario> all;
    for (const State state : {State::connecting, State::pin, State::lobby, State::in_room}) {
        for (const LobbyReason reason :
             {LobbyReason::none, LobbyReason::awaiting_host, LobbyReason::locked, LobbyReason::held}) {
            if ((state == State::lobby) != (reason != LobbyReason::none)) {
                continue;
            }
            for (const Role role : {Role::guest, Role::host}) {
                for (const bool locked : {false, true}) {
                    for (const bool host_present : {false, true}) {
                        all.push_back({state, reason, role, locked, host_present});
                    }
                }
            }
        }
    }
    return all;
}

std::optional<Stage> build(const Scenario& scenario) {
    Stage stage(scenario_config());
    stage.now = TimePoint{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    come(stage, "h", PinMatch::host);
    come(stage, "g", PinMatch::guest);
    stage.send(MediaSeen{"g"});
    lead_in(stage, scenario);
    const Participant* s = stage.room.find("s");
    const bool reached = s != nullptr && s->state == scenario.state && s->lobby_reason == scenario.reason &&
                         (s->role == scenario.role || scenario.state == State::connecting) &&
                         stage.room.view().locked == scenario.locked &&
                         (stage.room.find("h") != nullptr) == scenario.host_present;
    if (!reached) {
        return std::nullopt;
    }
    return stage;
}

const std::vector<Happening>& all_happenings() {
    static const std::vector<Happening> all = make_happenings();
    return all;
}

}  // namespace vmr::room
