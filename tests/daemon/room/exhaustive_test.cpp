// Every state × every event, and long random sequences, against what must always hold.
#include <gtest/gtest.h>

#include <random>

#include "tools/room-table/scenarios.hpp"

namespace vmr::room {
namespace {

// Watches the commands from the outside, as the bridge does, and objects to what must not be.
class Watcher {
public:
    void follow(const Stage& stage, const Commands& commands) {
        for (const Command& command : commands) {
            if (const auto* open = std::get_if<OpenGate>(&command)) {
                open_.insert(open->id);
                EXPECT_FALSE(gone_.contains(open->id)) << open->id << ": a gate opened after the end";
            } else if (const auto* close = std::get_if<CloseGate>(&command)) {
                open_.erase(close->id);
            } else if (const auto* answer = std::get_if<Answer>(&command)) {
                gone_.erase(answer->id);
                rank_[answer->id] = 0;
                records_[answer->id] = 0;
            } else if (const auto* call = std::get_if<PlaceCall>(&command)) {
                gone_.erase(call->id);
                rank_[call->id] = 0;
                records_[call->id] = 0;
            } else if (const auto* record = std::get_if<WriteRecord>(&command)) {
                on_record_written(record->record);
            } else if (const auto* left = std::get_if<ParticipantLeft>(&command)) {
                gone_.insert(left->participant.id);
                EXPECT_FALSE(open_.contains(left->participant.id)) << "left with an open gate";
            }
        }
        check_roster(stage.room);
    }

private:
    void on_record_written(const RecordDraft& record) {
        EXPECT_LE(++records_[record.participant], 1) << "one leg, one record";
        EXPECT_LE(record.start, record.stop);
        EXPECT_EQ(record.states.back().state == State::left || record.states.size() == 64, true);
        State before = State::connecting;
        for (const StateSpan& span : record.states) {
            const bool back = before == State::in_room && span.state == State::lobby;
            EXPECT_TRUE(back || span.state >= before) << to_string(before) << " -> " << to_string(span.state);
            before = span.state;
        }
    }

    void check_roster(const Room& room) {
        unsigned in_room = 0;
        unsigned hosts = 0;
        bool unencrypted = false;
        for (const Participant& p : room.roster()) {
            const bool open = open_.contains(p.id);
            EXPECT_EQ(open, p.state == State::in_room && p.connected)
                << p.id << ": gate open iff in the room";
            EXPECT_EQ(p.state == State::lobby, p.lobby_reason != LobbyReason::none) << p.id;
            const int rank = p.state == State::in_room ? 2 : static_cast<int>(p.state);
            EXPECT_GE(rank, p.state == State::lobby ? 0 : rank_[p.id]) << p.id << ": states only advance";
            rank_[p.id] = rank;
            in_room += p.state == State::in_room ? 1 : 0;
            hosts += p.state == State::in_room && p.role == Role::host ? 1 : 0;
            unencrypted = unencrypted || (p.state == State::in_room && !p.encrypted);
            if (p.state == State::in_room && room.config().encryption == Encryption::required) {
                EXPECT_TRUE(p.encrypted) << p.id;
            }
            if (p.role == Role::host || p.state != State::in_room) {
                EXPECT_TRUE(p.grants.empty() || p.state == State::lobby);
            }
            if (p.talking) {
                EXPECT_TRUE(p.state == State::in_room && p.connected);
            }
        }
        const RoomView view = room.view();
        EXPECT_EQ(view.participant_count, in_room);
        EXPECT_EQ(view.host_present, hosts > 0);
        EXPECT_EQ(view.unencrypted, unencrypted);
        EXPECT_LE(in_room, room.config().max_participants);
        EXPECT_FALSE(view.locked && in_room == 0) << "rule 14";
        for (const Participant& p : room.roster()) {
            if (hosts > 0 && in_room < room.config().max_participants && p.connected) {
                EXPECT_NE(p.lobby_reason, LobbyReason::awaiting_host)
                    << p.id << " waits for a host who is there";
            }
            if (!view.locked) {
                EXPECT_TRUE(p.lobby_reason != LobbyReason::locked ||
                            in_room >= room.config().max_participants || !p.connected);
            }
        }
    }

    std::set<ParticipantId> open_;
    std::set<ParticipantId> gone_;
    std::map<ParticipantId, int> rank_;
    std::map<ParticipantId, int> records_;
};

// What may bring s into the room from here, and nothing else may.
bool may_enter(const Scenario& at, const std::string& name) {
    const bool passes = !at.locked && at.host_present;
    const bool admitted =
        name == "admin admits" || name == "admin admits all" || (name == "host h admits" && at.host_present);
    switch (at.state) {
        case State::connecting:
            return name == "media up, encrypted" && at.role == Role::host;
        case State::pin:
            return name == "host PIN" || (name == "guest PIN" && passes);
        case State::lobby:
            if (at.reason == LobbyReason::held) {
                return name == "admin admits" || (name == "host h admits" && at.host_present);
            }
            if (at.reason == LobbyReason::locked) {
                const bool unlocks = name == "admin unlocks" && (at.host_present || at.role == Role::host);
                const bool empties = name == "all others leave" && at.role == Role::host;
                return admitted || unlocks || empties;
            }
            return admitted || name == "another host enters" || name == "admin promotes";
        case State::in_room:
        case State::left:
            return true;
    }
    return false;
}

TEST(RoomExhaustive, NoPathIntoTheRoomWithoutItsCondition) {
    std::size_t built = 0;
    for (const Scenario& scenario : all_scenarios()) {
        for (const Happening& happening : all_happenings()) {
            auto stage = build(scenario);
            if (!stage) {
                continue;
            }
            ++built;
            Watcher watcher;
            watcher.follow(*stage, stage->log);
            const std::size_t before = stage->log.size();
            const bool last_host =
                scenario.role == Role::host && scenario.state == State::in_room && !scenario.host_present;
            happening.run(*stage);
            watcher.follow(*stage,
                           Commands(stage->log.begin() + static_cast<long>(before), stage->log.end()));

            const Participant* s = stage->room.find("s");
            const std::string where = std::string(to_string(scenario.state)) + "/" +
                                      to_string(scenario.reason) + " " + to_string(scenario.role) +
                                      (scenario.locked ? " locked" : "") +
                                      (scenario.host_present ? " host there" : "") + ": " + happening.name;
            if (s != nullptr && s->state == State::in_room) {
                EXPECT_TRUE(may_enter(scenario, happening.name)) << where;
            }
            if (last_host && s != nullptr && happening.name != "another host enters") {
                EXPECT_EQ(s->state, State::in_room) << where;
                EXPECT_EQ(s->role, Role::host) << where;
            }
            if (s != nullptr && s->state == State::in_room && s->role == Role::host &&
                scenario.role == Role::guest) {
                EXPECT_TRUE(happening.name == "admin promotes" || happening.name == "host PIN") << where;
            }
        }
    }
    EXPECT_GT(built, 900U);
}

Event random_event(std::mt19937& random, std::map<ParticipantId, std::uint64_t>& tickets) {
    const auto pick = [&](unsigned n) { return random() % n; };
    const ParticipantId id = "p" + std::to_string(pick(8));
    const ParticipantId other = "p" + std::to_string(pick(8));
    const CryptoReceipt receipt =
        pick(6) == 0 ? CryptoReceipt{} : CryptoReceipt{"TLSv1.3", "DTLS-SRTP", "AES_CM_128", 128};
    const Actor actor = pick(4) == 0 ? Actor::administrator() : Actor::of(id);
    const bool yes = pick(2) == 0;
    switch (pick(36)) {
        case 0:
        case 1:
        case 2: {
            Arrived arrived;
            arrived.id = id;
            arrived.address = "192.0.2." + std::to_string(pick(3));
            arrived.trusted_host = pick(8) == 0;
            return arrived;
        }
        case 3:
        case 4:
        case 5:
            return MediaUp{id, receipt};
        case 6:
        case 7:
            return Digits{id, yes ? "" : "123456"};
        case 8:
        case 9:
        case 10:
            return PinVerified{id, tickets[id], static_cast<PinMatch>(pick(3))};
        case 11:
            return PinTimedOut{id};
        case 12:
            return Left{id, yes ? Cause::normal : Cause::network};
        case 13:
            return Reconnecting{id};
        case 14:
        case 15:
            return Resumed{id, receipt};
        case 16:
            return Talking{{id, other}};
        case 17:
            return MediaSeen{id};
        case 18:
            return MediaSilent{id};
        case 19:
            return ReceiptChanged{id, receipt};
        case 20:
            return Action{actor, SetLock{yes}, 1};
        case 21:
            return Action{actor, Admit{other}, 1};
        case 22:
            return Action{actor, Hold{other}, 1};
        case 23:
            return Action{actor, SetRole{other, yes ? Role::host : Role::guest}, 1};
        case 24:
            return Action{actor, SetMute{other, yes}, 1};
        case 25:
            return Action{actor, Grant{other, static_cast<Right>(pick(4)), yes}, 1};
        case 26:
            return Action{actor, MuteGuests{yes}, 1};
        case 27:
            return pick(4) == 0 ? Event(Action{actor, Remove{other}, 1}) : Event(Tick{});
        case 28:
            return Action{actor, SetSpotlight{other, yes}, 1};
        case 29:
            return pick(30) == 0 ? Event(Action{actor, EndRoom{}, 1}) : Event(Action{actor, AdmitAll{}, 1});
        case 30:
            return Action{actor, DialOut{other, "sip:x@y", "", LegKind::sip, yes ? Role::host : Role::guest},
                          1};
        case 31:
            return Progressed{id, static_cast<CallProgress>(pick(4))};
        case 32:
            return Action{actor, Say{"hello"}, 1};
        case 33:
            return Action{actor, AllowChat{yes}, 1};
        default:
            return Key{id, "0123456789*#"[pick(12)]};
    }
}

void run_random(unsigned seed, HostAbsence absence, Encryption encryption) {
    std::mt19937 random(seed);
    RoomConfig config = scenario_config();
    config.host_absence = absence;
    config.encryption = encryption;
    config.max_participants = 5;
    config.guest_pin_length = seed % 2 == 0 ? 6 : 0;
    config.can_dial_out = seed % 3 != 0;
    config.lone_timeout = std::chrono::seconds(300);
    config.max_duration = std::chrono::hours(2);
    Stage stage(config);
    stage.now = TimePoint{std::chrono::hours(1)};
    Watcher watcher;
    std::map<ParticipantId, std::uint64_t> tickets;
    for (int step = 0; step < 3000; ++step) {
        const Event event = random_event(random, tickets);
        const auto* action = std::get_if<Action>(&event);
        watcher.follow(stage, stage.send(Tick{}));  // what time did is not the action's doing
        const unsigned hosts_before = stage.room.view().host_present ? 1 : 0;
        const Commands commands = stage.send(event);
        watcher.follow(stage, commands);
        std::size_t answers = 0;
        for (const Command& command : commands) {
            if (const auto* verify = std::get_if<VerifyPin>(&command)) {
                tickets[verify->id] = verify->ticket;
            }
            answers += std::holds_alternative<ActionDone>(command) ? 1 : 0;
        }
        ASSERT_EQ(answers, action != nullptr ? 1U : 0U);
        if (action != nullptr && hosts_before == 1 &&
            (std::holds_alternative<SetRole>(action->kind) || std::holds_alternative<Hold>(action->kind))) {
            ASSERT_TRUE(stage.room.view().host_present) << "the last host was demoted or held";
        }
        if (const auto next = stage.room.next_deadline()) {
            ASSERT_GT(*next, stage.now) << "a deadline that is due was not worked off";
        }
        stage.now += Duration(random() % (random() % 20 == 0 ? 60'000 : 500));
    }
    watcher.follow(stage, stage.room.end(Cause::shutdown, stage.now));
    EXPECT_TRUE(stage.room.idle());
    EXPECT_EQ(stage.room.next_deadline(), std::nullopt);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
}

TEST(RoomRandom, InvariantsHoldOverLongSequences) {
    unsigned seed = 1;
    for (int round = 0; round < 5; ++round) {
        for (const auto absence : {HostAbsence::end, HostAbsence::keep_going, HostAbsence::rehold}) {
            for (const auto encryption : {Encryption::required, Encryption::best_effort}) {
                run_random(seed++, absence, encryption);
                if (::testing::Test::HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

}  // namespace
}  // namespace vmr::room
