// Rules 1 to 6: role and PIN.
#include "daemon/room/rules.hpp"
#include "tests/daemon/room/room_fixture.hpp"

namespace vmr::room {
namespace {

TEST_F(RoomTest, Rule1NoPinAndNoGuestsEveryoneIsHost) {
    auto config = pins_and_guests();
    config.guests_allowed = false;
    config.host_pin_length = 0;
    use(config);
    come("a");
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(role("a"), Role::host);
    EXPECT_EQ(count_in<AskPin>(all), 0U);
}

TEST_F(RoomTest, Rule1HostPinAndNoGuestsEveryoneMustEnterIt) {
    auto config = pins_and_guests();
    config.guests_allowed = false;
    use(config);
    come("a");
    ASSERT_NE(get<AskPin>("a"), nullptr);
    EXPECT_FALSE(get<AskPin>("a")->guest_entry_allowed);
    EXPECT_EQ(get<AskPin>("a")->max_length, 6U);
    send(Digits{"a", ""});
    EXPECT_NE(get<RejectPin>("a"), nullptr);
    enter_pin("a", PinMatch::guest);  // such a PIN is worth nothing here
    EXPECT_EQ(state("a"), State::pin);
    enter_pin("a", PinMatch::host);
    EXPECT_EQ(state("a"), State::in_room);
    EXPECT_EQ(role("a"), Role::host);
}

TEST_F(RoomTest, Rule2TheEnteredPinDecidesTheRole) {
    auto config = pins_and_guests();
    config.guest_pin_length = 8;
    use(config);
    come("h");
    EXPECT_FALSE(get<AskPin>("h")->guest_entry_allowed);
    EXPECT_EQ(get<AskPin>("h")->max_length, 8U);
    enter_pin("h", PinMatch::host);
    EXPECT_EQ(role("h"), Role::host);
    come("g");
    enter_pin("g", PinMatch::guest);
    EXPECT_EQ(role("g"), Role::guest);
    EXPECT_EQ(state("g"), State::in_room);
    come("x");
    send(Digits{"x", ""});
    EXPECT_NE(get<RejectPin>("x"), nullptr) << "a guest PIN exists: an empty entry is no guest";
}

TEST_F(RoomTest, Rule2WithoutGuestPinAnEmptyEntryIsAGuest) {
    come("g");
    EXPECT_TRUE(get<AskPin>("g")->guest_entry_allowed);
    send(Digits{"g", ""});
    EXPECT_EQ(get<AcceptPin>("g")->role, Role::guest);
    EXPECT_EQ(reason("g"), LobbyReason::awaiting_host);
}

TEST_F(RoomTest, Rule3WhatCannotBeAPinIsWrongAndNotEvaluated) {
    come("a");
    send(Digits{"a", "123"});
    EXPECT_EQ(get<VerifyPin>(), nullptr);
    EXPECT_NE(get<RejectPin>("a"), nullptr);
    send(Digits{"a", std::string(1'000'000, '1')});
    EXPECT_EQ(get<VerifyPin>(), nullptr);
    send(Digits{"a", "12a456"});
    EXPECT_EQ(get<VerifyPin>(), nullptr);
    EXPECT_FALSE(here("a"));
}

TEST_F(RoomTest, Rule4ThreeWrongEntriesEndTheLeg) {
    come("a");
    enter_pin("a", PinMatch::none);
    EXPECT_EQ(get<RejectPin>("a")->attempts_left, 2U);
    enter_pin("a", PinMatch::none);
    EXPECT_EQ(get<RejectPin>("a")->attempts_left, 1U);
    enter_pin("a", PinMatch::none);
    ASSERT_NE(get<Release>("a"), nullptr);
    EXPECT_EQ(get<Release>("a")->cause, Cause::pin_wrong);
    EXPECT_EQ(get<Release>("a")->prompt, Prompt::pin_wrong);
    EXPECT_EQ(record("a")->pin_wrong, 3U);
}

TEST_F(RoomTest, Rule4EntryTimesOut) {
    come("a");
    pass(119s);
    EXPECT_TRUE(here("a"));
    pass(1s);
    EXPECT_EQ(get<Release>("a")->cause, Cause::pin_timeout);
    come("b");
    send(PinTimedOut{"b"});
    EXPECT_EQ(get<Release>("b")->cause, Cause::pin_timeout);
}

TEST_F(RoomTest, Rule4ALateOrForgedVerificationChangesNothing) {
    come("a");
    send(Digits{"a", "123456"});
    const auto ticket = get<VerifyPin>()->ticket;
    send(PinVerified{"a", ticket + 1, PinMatch::host});
    EXPECT_EQ(state("a"), State::pin);
    send(PinVerified{"a", ticket, PinMatch::none});
    send(PinVerified{"a", ticket, PinMatch::host});
    EXPECT_EQ(state("a"), State::pin);
}

TEST_F(RoomTest, Rule4AWorkerThatNeverAnswersFailsClosed) {
    come("a");
    send(Digits{"a", "123456"});
    pass(60s);
    EXPECT_EQ(record("a")->cause, Cause::error);
}

TEST_F(RoomTest, Rule5TwentyGuessesPerSourceThenTheyWaitTheirTurn) {
    std::size_t evaluated = 0;
    for (int leg = 0; leg < 8; ++leg) {
        const std::string id = "x" + std::to_string(leg);
        come(id);
        for (int guess = 0; guess < 3 && here(id); ++guess) {
            send(Digits{id, "000000"});
            if (const auto* verify = get<VerifyPin>()) {
                ++evaluated;
                send(PinVerified{id, verify->ticket, PinMatch::none});
            }
        }
    }
    EXPECT_EQ(evaluated, 20U);
    EXPECT_TRUE(audited("pin", "throttled"));
    // Another source is not touched by it.
    arrive("other", LegKind::phone, "+4912345");
    send(MediaUp{"other", {}});
    enter_pin("other", PinMatch::host);
    EXPECT_EQ(state("other"), State::in_room);
    // And the right host PIN from the throttled source is late, not locked out.
    send(Left{"x6", Cause::normal});
    send(Left{"x7", Cause::normal});
    come("late");
    send(Digits{"late", "123456"});
    EXPECT_EQ(get<VerifyPin>(), nullptr);
    EXPECT_NE(said(Prompt::slow_down, "late"), nullptr);
    pass(10min);
    ASSERT_NE(get<VerifyPin>("late"), nullptr);
    send(PinVerified{"late", get<VerifyPin>("late")->ticket, PinMatch::host});
    EXPECT_EQ(state("late"), State::in_room);
}

TEST_F(RoomTest, Rule5ARoomUnderAttackSlowsGuestsAndNeverHosts) {
    for (int wrong = 0; wrong < 30; ++wrong) {
        throttle->failed("r1", now);
    }
    come("g");
    send(Digits{"g", ""});
    EXPECT_EQ(state("g"), State::pin);
    host("h");
    EXPECT_EQ(state("h"), State::in_room);
    pass(5s);
    EXPECT_EQ(state("g"), State::in_room);
    come("w");
    enter_pin("w", PinMatch::none);
    EXPECT_EQ(get<RejectPin>("w"), nullptr);
    pass(5s);
    EXPECT_NE(get<RejectPin>("w"), nullptr);
}

TEST_F(RoomTest, Rule5EveryAttemptIsAuditedAndNoDigitsAreKept) {
    come("a");
    enter_pin("a", PinMatch::none, "987654");
    enter_pin("a", PinMatch::host, "987654");
    EXPECT_TRUE(audited("pin", "wrong"));
    EXPECT_TRUE(audited("pin", "host"));
    for (const Command& command : all) {
        if (const auto* audit = std::get_if<Audit>(&command)) {
            EXPECT_EQ((audit->actor + audit->what + audit->target + audit->result).find("987654"),
                      std::string::npos);
        }
    }
}

TEST(PinThrottle, Rule5RightEntriesGiveTheirSlotBack) {
    PinThrottle throttle;
    TimePoint now{};
    for (int one = 0; one < 100; ++one) {
        now += 1s;
        ASSERT_TRUE(throttle.begin("office", now));
        throttle.succeeded("office", now);
    }
    for (int one = 0; one < 20; ++one) {
        now += 1s;
        ASSERT_TRUE(throttle.begin("office", now));
    }
    EXPECT_FALSE(throttle.begin("office", now));
    const TimePoint free = throttle.free_at("office", now);
    EXPECT_FALSE(throttle.begin("office", free - 1ms));
    EXPECT_TRUE(throttle.begin("office", free));
}

TEST(PinThrottle, Rule5NeverMoreThanTwentyInAnyTenMinutes) {
    PinThrottle throttle;
    std::vector<TimePoint> begun;
    for (TimePoint now{}; now < TimePoint{} + 60min; now += 7s) {
        if (throttle.begin("x", now)) {
            begun.push_back(now);
        }
    }
    for (std::size_t one = 20; one < begun.size(); ++one) {
        EXPECT_GE(begun[one] - begun[one - 20], 10min);
    }
}

// Counted by no source's limit: one address alone could make all guests of a room wait.
TEST_F(RoomTest, Rule5WhatCannotBeAPinIsNoGuessAtTheRoom) {
    for (int leg = 0; leg < 12; ++leg) {
        const std::string id = "x" + std::to_string(leg);
        come(id);
        for (int wrong = 0; wrong < 3; ++wrong) {
            send(Digits{id, "1"});
        }
    }
    EXPECT_EQ(count_in<RejectPin>(all), 24U) << "the third wrong one ends the call";
    EXPECT_EQ(throttle->guest_delay("r1", now), 0ms);
}

TEST(PinThrottle, Rule5AnIpv6NetworkIsOneSource) {
    PinThrottle throttle;
    const TimePoint now{};
    for (int one = 0; one < 20; ++one) {
        const std::string address = "2001:db8:0:1:" + std::to_string(one) + "::" + std::to_string(one);
        ASSERT_TRUE(throttle.begin(PinThrottle::source_key(address, ""), now));
    }
    EXPECT_FALSE(throttle.begin(PinThrottle::source_key("2001:db8:0:1:ffff::1", ""), now));
    EXPECT_TRUE(throttle.begin(PinThrottle::source_key("2001:db8:0:2::1", ""), now));
    EXPECT_EQ(PinThrottle::source_key("::ffff:192.0.2.7", ""), "192.0.2.7");
    EXPECT_EQ(PinThrottle::source_key("fe80::1%eth0", ""), "fe80::/64");
    EXPECT_EQ(PinThrottle::source_key("192.0.2.7", ""), "192.0.2.7");
    EXPECT_EQ(PinThrottle::source_key("+4930123", "t"), "t|+4930123");
    EXPECT_EQ(PinThrottle::source_name("2001:db8::1", ""), "2001:db8::1");
}

TEST(PinThrottle, Rule5MemoryIsBoundedAndDelayGrowsToItsLimit) {
    PinThrottle::Limits limits;
    limits.max_keys = 10;
    PinThrottle throttle(limits);
    for (int source = 0; source < 1000; ++source) {
        throttle.begin(std::to_string(source), TimePoint{} + std::chrono::seconds(source));
    }
    EXPECT_EQ(throttle.guest_delay("r", TimePoint{}), 0ms);
    for (int wrong = 0; wrong < 10'000; ++wrong) {
        throttle.failed("r", TimePoint{});
    }
    EXPECT_EQ(throttle.guest_delay("r", TimePoint{}), 40s);
    EXPECT_EQ(throttle.guest_delay("r", TimePoint{} + 10min), 0ms);
    EXPECT_NE(PinThrottle::source_key("1", "t"), PinThrottle::source_key("1", ""));
}

TEST_F(RoomTest, Rule6ATrustedHostNeedsNoPin) {
    arrive("h", LegKind::sip, "192.0.2.9", true);
    send(MediaUp{"h", strong()});
    EXPECT_EQ(state("h"), State::in_room);
    EXPECT_EQ(role("h"), Role::host);
}

TEST_F(RoomTest, TheDoorIsBoundedPerSource) {
    auto config = pins_and_guests();
    config.max_at_door_per_source = 2;
    use(config);
    come("a");
    come("b");
    arrive("c");
    ASSERT_NE(get<Refuse>("c"), nullptr);
    EXPECT_EQ(get<Refuse>("c")->cause, Cause::room_full);
    EXPECT_EQ(record("c")->cause, Cause::room_full);
    arrive("d", LegKind::sip, "192.0.2.77");
    EXPECT_NE(get<Answer>("d"), nullptr);
}

TEST_F(RoomTest, ALegThatNeverConnectsIsGivenUp) {
    arrive("a");
    pass(60s);
    EXPECT_FALSE(here("a"));
    EXPECT_EQ(record("a")->cause, Cause::network);
}

TEST_F(RoomTest, NamesAreTidied) {
    Arrived arrived;
    arrived.id = "a";
    arrived.name = "B\r\nob" + std::string(500, 'x');
    send(arrived);
    EXPECT_EQ(room->find("a")->name.substr(0, 4), "Bobx");
    EXPECT_EQ(room->find("a")->name.size(), 128U);
}

TEST_F(RoomTest, ConfigChangeAtTheDoorAsksAgainOrLetsIn) {
    come("a");
    auto config = pins_and_guests();
    config.guest_pin_length = 5;
    send(ConfigChanged{config});
    ASSERT_NE(get<AskPin>("a"), nullptr);
    EXPECT_FALSE(get<AskPin>("a")->guest_entry_allowed);
    config.guest_pin_length = config.host_pin_length = 0;
    config.guests_allowed = false;
    send(ConfigChanged{config});
    EXPECT_EQ(state("a"), State::in_room);
}

// U+009B begins a terminal's escape sequence, U+202E turns what follows round.
TEST_F(RoomTest, NamesGiveNoOrdersToWhoShowsThem) {
    Arrived arrived;
    arrived.id = "a";
    arrived.name = "A\u009b31m\x1b[2Jd\u202eto\u2066m \u00e9\u2019\u05d0\x9b\u200f";
    arrived.user_agent = "Phone\u009d0;title\u009c";
    send(arrived);
    EXPECT_EQ(room->find("a")->name, "A31m[2Jdtom \u00e9\u2019\u05d0\u200f");
    EXPECT_EQ(room->find("a")->user_agent, "Phone0;title");
    send(MediaUp{"a", strong()});
    for (const char* wrong : {"A\u009b", "\u202eA", "A\u2029", "\u2069"}) {
        EXPECT_EQ(act(Actor::administrator(), Rename{"a", wrong}), Outcome::invalid) << wrong;
    }
    EXPECT_EQ(act(Actor::administrator(), Rename{"a", "\u00c4da"}), Outcome::done);
}

}  // namespace
}  // namespace vmr::room
