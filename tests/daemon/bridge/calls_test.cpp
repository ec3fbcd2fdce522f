// Calls that a room is asked to place, and participants that it is asked to move: who asked, from where, and
// what came of it is in the audit log, refusals too.
#include <mutex>

#include "bridge_fixture.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

const std::string kSound =
    "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n";

using Line = std::map<std::string, std::string>;
std::vector<Line> audited;

GLogWriterOutput take_log(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer data) {
    Line line;
    for (gsize i = 0; i < count; ++i) {
        if (fields[i].length < 0) {
            line[fields[i].key] = static_cast<const char*>(fields[i].value);
        }
    }
    if (line["GLIB_DOMAIN"] == "vmr-audit") {
        audited.push_back(line);
    }
    return g_log_writer_default(level, fields, count, data);
}

// Takes what looks like a SIP address, and numbers of one country.
class FakeDialler final : public Dialler {
public:
    Result<DialPlan> plan(const std::string& address) const override {
        DialPlan plan;
        plan.address = plan.uri = address;
        if (address.starts_with("+49")) {
            plan.kind = LegKind::phone;
            plan.price = price;
        } else if (address.find('@') == std::string::npos) {
            return Error{"no rule allows it"};
        }
        return plan;
    }
    std::shared_ptr<Leg> dial(const Placement& placement) override {
        asked = placement;
        return dialled[placement.leg] = std::make_shared<FakeLeg>(placement.leg);
    }
    std::int64_t price = 0;
    std::optional<Placement> asked;  // last
    std::map<std::string, std::shared_ptr<FakeLeg>> dialled;
};

class BridgeCallsTest : public BridgeFixture {
protected:
    static void SetUpTestSuite() {
        static std::once_flag once;
        std::call_once(once, [] { g_log_set_writer_func(take_log, nullptr, nullptr); });
    }
    void SetUp() override {
        BridgeFixture::SetUp();
        bridge_->set_dialler(&dialler_);
        limit(false);
        ops::RoomConfig board;
        board.id = "board";
        board.aliases = {"board"};
        bridge_->start_rooms({board});
        audited.clear();
    }
    void limit(bool guests_refer) { bridge_->set_dial_limits({20, 10, guests_refer}); }
    // A call that has not been answered yet.
    std::shared_ptr<FakeLeg> arrive(const std::string& name, const std::string& trunk = "") {
        auto leg = std::make_shared<FakeLeg>(name);
        Arrival arrival;
        arrival.leg = name;
        arrival.alias = "board";
        arrival.kind = trunk.empty() ? LegKind::sip : LegKind::phone;
        arrival.trunk = trunk;
        arrival.trusted = !trunk.empty();
        arrival.caller = "+43123";
        arrival.remote_address = "192.0.2.7:5060";
        sessions_[name] = bridge_->on_leg_arrived(leg, arrival);
        EXPECT_TRUE(run_until([&] { return leg->accepted; }));
        return leg;
    }
    std::shared_ptr<FakeLeg> enter(const std::string& name, const std::string& trunk = "") {
        auto leg = arrive(name, trunk);
        EXPECT_TRUE(sessions_.at(name)->answer(kSound).ok());
        bridge_->on_leg_answered(name);
        EXPECT_TRUE(run_until([&] { return participant(name)["state"] == "in_room"; }));
        audited.clear();
        return leg;
    }
    api::Response ask(const std::string& operation, json params, const api::Caller& caller = kAdmin) {
        api::Response answer;
        params["room"] = "board";
        bridge_->perform(caller, operation, params,
                         [&](const api::Response& response) { answer = response; });
        return answer;
    }
    json participant(const std::string& id) {
        const json all = ask("listParticipants", json::object()).body["participants"];
        const auto found = std::ranges::find_if(all, [&](const json& one) { return one["id"] == id; });
        return found == all.end() ? json::object() : *found;
    }
    bool refer(const std::string& leg, const std::string& address) {
        return bridge_->on_leg_referred(leg, {address, "", [](int, const std::string&) {}});
    }
    static void expect_audited(const std::string& what, const std::string& actor, const std::string& source,
                               const std::string& target, const std::string& result) {
        ASSERT_EQ(audited.size(), 1U);
        const Line& line = audited[0];
        EXPECT_EQ(line.at("MESSAGE"), "audit: " + what);
        EXPECT_EQ(line.at("VMR_ROOM"), "board");
        EXPECT_EQ(line.at("VMR_ACTOR"), actor);
        EXPECT_EQ(line.at("VMR_SOURCE"), source);
        EXPECT_EQ(line.at("VMR_TARGET"), target);
        EXPECT_EQ(line.at("VMR_RESULT"), result);
        audited.clear();
    }

    static inline const api::Caller kAdmin{api::Caller::Kind::admin, "", "", "192.0.2.9"};
    FakeDialler dialler_;
    std::map<std::string, std::shared_ptr<MediaSession>> sessions_;
};

TEST_F(BridgeCallsTest, WhatNoRuleAllows) {
    const api::Caller stranger{api::Caller::Kind::participant, "board", "p", "192.0.2.8"};
    const json params{{"participant", "p1"}, {"address", "+3990012345"}};
    EXPECT_EQ(ask("dialOut", params).status, 403);
    expect_audited("dial_out", "admin", "192.0.2.9", "+3990012345", "not_allowed");
    EXPECT_EQ(ask("transferParticipant", params).status, 403);
    expect_audited("transfer", "admin", "192.0.2.9", "p1 +3990012345", "not_allowed");
    EXPECT_EQ(ask("dialOut", params, stranger).status, 403);
    EXPECT_EQ(ask("transferParticipant", params, stranger).status, 403);
    EXPECT_TRUE(audited.empty());  // who is not in the room is not heard at all
}

TEST_F(BridgeCallsTest, TransfersOfWhoIsNotThere) {
    EXPECT_EQ(ask("transferParticipant", {{"participant", "p1"}, {"address", "a@b.example"}}).status, 404);
    expect_audited("transfer", "admin", "192.0.2.9", "p1 a@b.example", "not_found");
    arrive("p1");
    audited.clear();
    EXPECT_EQ(ask("transferParticipant", {{"participant", "p1"}, {"address", "a@b.example"}}).status, 409);
    expect_audited("transfer", "admin", "192.0.2.9", "p1 a@b.example", "conflict");
}

TEST_F(BridgeCallsTest, ReferOfWhoIsNotInTheRoomYet) {
    arrive("early");
    audited.clear();
    EXPECT_FALSE(refer("early", "a@b.example"));
    expect_audited("dial_out", "early", "192.0.2.7", "a@b.example", "not_allowed");
}

TEST_F(BridgeCallsTest, ReferOfAHost) {
    enter("host");
    EXPECT_TRUE(refer("host", "a@b.example"));
    expect_audited("dial_out", "host", "192.0.2.7", "a@b.example", "ok");
    EXPECT_FALSE(refer("host", "+3990012345"));
    expect_audited("dial_out", "host", "192.0.2.7", "+3990012345", "not_allowed");
}

// It is done with an administrator's rights, and is the guest's wish all the same.
TEST_F(BridgeCallsTest, ReferOfAGuest) {
    enter("host");
    enter("guest");
    ASSERT_EQ(ask("updateParticipant", {{"participant", "guest"}, {"role", "guest"}}).status, 204);
    audited.clear();
    EXPECT_FALSE(refer("guest", "a@b.example"));
    expect_audited("dial_out", "guest", "192.0.2.7", "a@b.example", "not_allowed");
    limit(true);
    EXPECT_TRUE(refer("guest", "a@b.example"));
    expect_audited("dial_out", "guest", "192.0.2.7", "a@b.example", "ok");
}

TEST_F(BridgeCallsTest, ReferOverATrunk) {
    enter("phone", "carrier");
    EXPECT_FALSE(refer("phone", "+4990012345"));
    expect_audited("dial_out", "phone", "carrier|+43123", "+4990012345", "not_allowed");
    EXPECT_TRUE(refer("phone", "a@b.example"));
    expect_audited("dial_out", "phone", "carrier|+43123", "a@b.example", "ok");
}

// What the trunk calls of its own goes by it, and no rule is asked; limits count.
TEST_F(BridgeCallsTest, ReferToTheTrunksOwn) {
    const std::string kOwn = "sip:carrier.example;x-m=8:orgid:1";
    enter("host");
    enter("phone", "carrier");
    const auto refer_back = [&] {
        Referral referral{kOwn, "", [](int, const std::string&) {}};
        referral.plan = DialPlan{LegKind::phone, "+1900", referral.address};
        referral.plan->trunk = "carrier";
        return bridge_->on_leg_referred("phone", std::move(referral));
    };
    EXPECT_FALSE(refer("phone", kOwn));
    expect_audited("dial_out", "phone", "carrier|+43123", kOwn, "not_allowed");
    EXPECT_TRUE(refer_back());
    expect_audited("dial_out", "phone", "carrier|+43123", "+1900", "ok");
    EXPECT_EQ(dialler_.asked->plan.uri, kOwn);
    EXPECT_EQ(dialler_.asked->plan.trunk, "carrier");
    bridge_->set_dial_limits({1, 1, false});
    EXPECT_FALSE(refer_back());
    expect_audited("dial_out", "phone", "carrier|+43123", kOwn, "conflict");
    ASSERT_EQ(ask("updateParticipant", {{"participant", "phone"}, {"role", "guest"}}).status, 204);
    audited.clear();
    limit(false);
    EXPECT_FALSE(refer_back()) << "hosts alone";
    limit(true);
    EXPECT_TRUE(refer_back());
}

// The name of who takes another's seat is theirs, not an administrator's doing.
TEST_F(BridgeCallsTest, TheNameOfWhoTakesASeat) {
    enter("host");
    Arrival arrival;
    arrival.leg = "other";
    arrival.replaces = "host";
    arrival.display_name = "Bob";
    arrival.remote_address = "192.0.2.8:5060";
    const auto leg = std::make_shared<FakeLeg>("other");
    ASSERT_NE(bridge_->on_leg_arrived(leg, arrival), nullptr);
    ASSERT_TRUE(run_until([&] { return participant("host")["name"] == "Bob"; }));
    expect_audited("rename", "host", "192.0.2.8", "host", "ok");
}

// RFC 3891 section 3: then the call that it was to replace stays as it is.
TEST_F(BridgeCallsTest, WhoCannotBeTakenReplacesNobody) {
    const auto host = enter("host");
    const std::pair<std::string, EndCause> offers[] = {
        {"garbage", EndCause::malformed},
        {kSound.substr(0, kSound.find("m=")) + "m=audio 30000 RTP/AVP 97\r\na=rtpmap:97 FOO/8000\r\n",
         EndCause::not_acceptable},
        {kSound, EndCause::encryption_required}};
    for (const auto& [offer, cause] : offers) {
        Arrival arrival;
        arrival.leg = "other";
        arrival.replaces = "host";
        arrival.signalling = "TLSv1.3 TLS_AES_256_GCM_SHA384";
        arrival.offer = offer;
        arrival.terms.srtp_required = cause == EndCause::encryption_required;
        const auto leg = std::make_shared<FakeLeg>("other");
        EXPECT_EQ(bridge_->on_leg_arrived(leg, arrival), nullptr) << offer;
        EXPECT_EQ(leg->ended, cause) << offer;
    }
    EXPECT_FALSE(host->ended);
    EXPECT_EQ(participant("host")["state"], "in_room");
}

class Heard final : public api::EventHub::Sink {
public:
    bool may_follow() const override { return true; }
    std::uint64_t hidden_until() const override { return 0; }
    bool deliver(const std::string& text) override {
        events.push_back(json::parse(text));
        return true;
    }
    void on_dropped(api::EventHub::Dropped) override {}
    std::vector<json> of(const std::string& type) const {
        std::vector<json> found;
        for (const json& event : events) {
            if (event["type"] == type) {
                found.push_back(event["data"]);
            }
        }
        return found;
    }
    std::vector<json> events;
};

// Numbers cost 1.5 of the currency a minute; the clock is the test's.
class BridgeCallCostsTest : public BridgeCallsTest {
protected:
    void SetUp() override {
        BridgeCallsTest::SetUp();
        bridge_.reset();
        services_->spend = Spend([this] { return now_; });
        bridge_ = std::make_unique<Bridge>(*services_, environment_);
        bridge_->set_dialler(&dialler_);
        ops::RoomConfig board;
        board.id = "board";
        board.aliases = {"board"};
        bridge_->start_rooms({board});
        events_.set_snapshot_provider([](const std::string&) { return json::object(); });
        ASSERT_EQ(events_.subscribe("", {}, heard_), api::EventHub::Subscribed::ok);
        dialler_.price = 1'500'000;
        may_cost({});
        audited.clear();
    }
    void may_cost(std::optional<std::int64_t> millionths) {
        bridge_->set_dial_limits({20, 10, false, {millionths, {}}});
    }
    api::Response call() { return ask("dialOut", {{"address", "+4930123"}}); }
    FakeLeg& answered(const std::string& called) {
        bridge_->on_leg_answered(called);
        return *dialler_.dialled.at(called);
    }
    json record() {
        const auto calls = std::make_shared<json>(json::array());  // an answer may come when the wait is over
        EXPECT_TRUE(run_until([&] {
            bridge_->perform(kAdmin, "listCalls", json::object(),
                             [calls](const api::Response& response) { *calls = response.body["calls"]; });
            return !calls->empty();
        }));
        return calls->empty() ? json::object() : calls->at(0);
    }
    bool reads(const std::string& metric) {
        return bridge_->metrics().find("\n" + metric + "\n") != std::string::npos;
    }

    Spend::Clock::time_point now_{std::chrono::hours(1000)};
    std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

TEST_F(BridgeCallCostsTest, WhoseFirstMinuteDoesNotFitIsNotCalled) {
    may_cost(4'000'000);
    const std::string first = call().body.at("participant");
    EXPECT_EQ(call().status, 201);
    audited.clear();
    const api::Response refused = call();
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.body, api::problem(409, "what calls out may cost in 24 hours is spent").body);
    expect_audited("dial_out", "admin", "192.0.2.9", "+4930123", "conflict");
    EXPECT_EQ(ask("dialOut", {{"address", "a@b.example"}}).status, 201);  // costs nothing
    const auto told = heard_->of("vmr.spend.limit_reached");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0], (json{{"spent", 0.0}, {"limit", 4.0}}));
    bridge_->on_leg_ended(first, EndCause::busy, nullptr);
    EXPECT_EQ(call().status, 201);
    EXPECT_EQ(call().status, 409);
    may_cost(6'000'000);
    EXPECT_EQ(call().status, 201);
    EXPECT_TRUE(reads("vmr_dial_out_spent 0.0"));
    EXPECT_TRUE(reads("vmr_dial_out_spend_limit 6.0"));
}

TEST_F(BridgeCallCostsTest, WhoseNextMinuteDoesNotFitGoes) {
    may_cost(3'500'000);
    const std::string called = call().body.at("participant");
    FakeLeg& leg = answered(called);
    EXPECT_TRUE(reads("vmr_dial_out_spent 1.5"));
    now_ += std::chrono::seconds(60);
    ASSERT_TRUE(run_until([&] { return reads("vmr_dial_out_spent 3.0"); }));
    EXPECT_EQ(heard_->of("vmr.spend.near_limit").size(), 1U);
    EXPECT_FALSE(leg.ended);
    audited.clear();
    now_ += std::chrono::seconds(55);
    ASSERT_TRUE(run_until([&] { return leg.ended.has_value(); }));
    EXPECT_EQ(leg.ended, EndCause::spend_limit);
    expect_audited("spend_limit", called, "+4930123", "+4930123", "ok");
    EXPECT_EQ(heard_->of("vmr.spend.limit_reached").size(), 1U);
    bridge_->on_leg_ended(called, EndCause::spend_limit, nullptr);
    const json made = record();
    EXPECT_EQ(made["end_cause"], "spend_limit");
    EXPECT_EQ(made["cost"], 3.0);
    EXPECT_TRUE(reads("vmr_dial_out_spent 3.0"));
}

// The record is written before the leg has gone.
TEST_F(BridgeCallCostsTest, WhoIsRemovedHasCostWhatHasBegun) {
    may_cost(100'000'000);
    const std::string called = call().body.at("participant");
    answered(called);
    now_ += std::chrono::seconds(61);
    ASSERT_EQ(ask("removeParticipant", {{"participant", called}}).status, 204);
    EXPECT_EQ(record()["cost"], 3.0);
}

TEST_F(BridgeCallCostsTest, AnAnswerThatWeCannotTakeIsCharged) {
    const std::string theirs = call().body.at("participant");
    bridge_->on_leg_turned_down(theirs, {488, 65, "488 Not Acceptable Here"});
    bridge_->on_leg_ended(theirs, EndCause::not_acceptable, nullptr);
    EXPECT_TRUE(reads("vmr_dial_out_spent 0.0"));
    const std::string ours = call().body.at("participant");
    bridge_->on_leg_turned_down(ours, {0, 58, "No media in common"});
    bridge_->on_leg_ended(ours, EndCause::not_acceptable, nullptr);
    EXPECT_TRUE(reads("vmr_dial_out_spent 1.5"));
}

TEST_F(BridgeCallCostsTest, AReferIsACallLikeOthers) {
    enter("host");
    may_cost(2'000'000);
    EXPECT_TRUE(refer("host", "+4930123"));
    audited.clear();
    EXPECT_FALSE(refer("host", "+4930123"));
    expect_audited("dial_out", "host", "192.0.2.7", "+4930123", "conflict");
}

// We would not be in that call.
TEST_F(BridgeCallCostsTest, NobodyIsTransferredAtACostThatIsNotCounted) {
    enter("host");
    const json there{{"participant", "host"}, {"address", "+4930123"}};
    EXPECT_EQ(ask("transferParticipant", there).status, 409);  // by a leg that cannot
    may_cost(1'000'000'000);
    audited.clear();
    EXPECT_EQ(ask("transferParticipant", there).status, 403);
    expect_audited("transfer", "admin", "192.0.2.9", "host +4930123", "not_allowed");
    EXPECT_EQ(ask("transferParticipant", {{"participant", "host"}, {"address", "a@b.example"}}).status, 409);
}

TEST_F(BridgeCallCostsTest, WhoTakesTheCallElsewhereCostsNothing) {
    may_cost(2'000'000);
    const std::string called = call().body.at("participant");
    EXPECT_EQ(call().status, 409);
    Arrival arrival;
    arrival.leg = "other";
    arrival.replaces = called;
    const auto leg = std::make_shared<FakeLeg>("other");
    ASSERT_NE(bridge_->on_leg_arrived(leg, arrival), nullptr);
    ASSERT_TRUE(run_until([&] { return leg->accepted; }));
    EXPECT_EQ(dialler_.dialled.at(called)->ended, EndCause::replaced);
    EXPECT_EQ(call().status, 201);
    bridge_->on_leg_answered("other");
    EXPECT_TRUE(reads("vmr_dial_out_spent 0.0"));
}

// It is no longer early, and there is nothing yet that another could take over.
TEST_F(BridgeCallsTest, WhoWasCalledAndHasNoMediaYetIsNotReplaced) {
    const std::string called = ask("dialOut", {{"address", "a@b.example"}}).body.at("participant");
    bridge_->on_leg_answered(called);
    Arrival arrival;
    arrival.leg = "other";
    arrival.replaces = called;
    const auto leg = std::make_shared<FakeLeg>("other");
    EXPECT_EQ(bridge_->on_leg_arrived(leg, arrival), nullptr);
    EXPECT_EQ(leg->ended, EndCause::declined);
    EXPECT_FALSE(participant(called).empty());
}

}  // namespace
}  // namespace vmr::bridge
