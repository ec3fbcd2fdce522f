// The parts without a network: hub, tokens, router, limits.
#include <gtest/gtest.h>

#include "base/source_limiter.hpp"
#include "daemon/api/event_hub.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/token_store.hpp"

namespace vmr::api {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

struct FakeSink : EventHub::Sink {
    bool deliver(const std::string& text) override {
        events.push_back(json::parse(text));
        return events.size() < limit;
    }
    bool may_follow() const override { return allowed; }
    std::uint64_t hidden_until() const override { return hidden; }
    void on_dropped(EventHub::Dropped why) override { dropped = why; }
    std::vector<json> events;
    std::size_t limit = 1000;
    bool allowed = true;
    std::uint64_t hidden = 0;
    std::optional<EventHub::Dropped> dropped;
};

json snapshot(const std::string& room) {
    return {{"room", {{"id", room}}}, {"participants", json::array()}};
}

TEST(EventHubTest, ResumesOnlyWhatTheRingStillHas) {
    EventHub hub(snapshot, std::chrono::system_clock::now, {3, 1 << 20, 10});
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(hub.publish("board", "vmr.talking", {{"participants", json::array()}}));
    }
    const auto first_type = [&](std::uint64_t since) {
        auto sink = std::make_shared<FakeSink>();
        EXPECT_EQ(hub.subscribe("board", since, sink), EventHub::Subscribed::ok);
        return sink->events.empty() ? std::string("none") : sink->events[0]["type"].get<std::string>();
    };
    EXPECT_EQ(first_type(ids[4]), "none");
    EXPECT_EQ(first_type(ids[1]), "vmr.talking");   // 2, 3 and 4 are there
    EXPECT_EQ(first_type(ids[0]), "vmr.snapshot");  // 1 is not
    EXPECT_EQ(first_type(ids[4] + 1), "vmr.snapshot");
    EXPECT_EQ(first_type(0), "vmr.snapshot");
    hub.forget_room("board");
    EXPECT_EQ(hub.subscriber_count(), 0u);
    const auto again = hub.publish("board", "vmr.talking", {{"participants", json::array()}});
    EXPECT_EQ(first_type(ids[4]), again > ids[4] + 1 ? "vmr.snapshot" : "vmr.talking");
}

TEST(EventHubTest, DropsSlowSinksAndCapsThem) {
    EventHub hub(snapshot, std::chrono::system_clock::now, {10, 1 << 20, 2});
    auto slow = std::make_shared<FakeSink>(), quick = std::make_shared<FakeSink>();
    slow->limit = 2;
    EXPECT_EQ(hub.subscribe("board", {}, slow), EventHub::Subscribed::ok);
    EXPECT_EQ(hub.subscribe("board", {}, quick), EventHub::Subscribed::ok);
    EXPECT_EQ(hub.subscribe("board", {}, std::make_shared<FakeSink>()), EventHub::Subscribed::full);
    hub.publish("board", "vmr.talking", {});
    EXPECT_EQ(slow->dropped, EventHub::Dropped::too_slow);
    EXPECT_EQ(hub.subscriber_count(), 1u);
    hub.publish("board", "vmr.announcement", {{"text", "\xff"}});  // broken UTF-8 does not throw
    EXPECT_EQ(quick->events.size(), 3u);
}

TEST(EventHubTest, DeliversNothingToWhoMayNotFollow) {
    EventHub hub(snapshot);
    auto held = std::make_shared<FakeSink>(), revoked = std::make_shared<FakeSink>();
    EXPECT_EQ(hub.subscribe("board", {}, held), EventHub::Subscribed::ok);
    EXPECT_EQ(hub.subscribe("board", {}, revoked), EventHub::Subscribed::ok);
    held->allowed = false;
    hub.publish("board", "vmr.talking", {});
    EXPECT_EQ(held->events.size(), 1u);  // the snapshot
    EXPECT_EQ(held->dropped, EventHub::Dropped::not_allowed);
    EXPECT_EQ(revoked->events.size(), 2u);
    revoked->allowed = false;
    hub.drop_unallowed();
    EXPECT_EQ(revoked->dropped, EventHub::Dropped::not_allowed);
    EXPECT_EQ(hub.subscriber_count(), 0u);
    EXPECT_EQ(hub.subscribe("board", {}, held), EventHub::Subscribed::not_allowed);
    EXPECT_EQ(held->events.size(), 1u);
}

TEST(EventHubTest, ResumesNothingFromBeforeTheSubscriberEntered) {
    EventHub hub(snapshot);
    const auto before = hub.publish("board", "vmr.talking", {});
    hub.publish("board", "vmr.message", {{"name", "Host"}, {"text", "of the guest in the lobby"}});
    auto back = std::make_shared<FakeSink>();
    back->hidden = hub.last_id();
    EXPECT_EQ(hub.subscribe("board", before, back), EventHub::Subscribed::ok);
    ASSERT_EQ(back->events.size(), 1u);
    EXPECT_EQ(back->events[0]["type"], "vmr.snapshot");
    const auto entered = hub.last_id();
    hub.unsubscribe(*back);
    hub.publish("board", "vmr.message", {{"name", "Host"}, {"text", "welcome back"}});
    EXPECT_EQ(hub.subscribe("board", entered, back), EventHub::Subscribed::ok);
    EXPECT_EQ(back->events.back()["data"]["text"], "welcome back");
}

TEST(EventHubTest, KeepsNothingOfAMeetingThatIsOver) {
    EventHub hub(snapshot);
    const auto before = hub.publish("board", "vmr.talking", {});
    hub.publish("board", "vmr.message", {{"name", "Host"}, {"text", "for these ears alone"}});
    hub.forget_events("board");
    hub.publish("board", "vmr.room.ended", {{"cause", "empty"}});
    auto late = std::make_shared<FakeSink>();
    EXPECT_EQ(hub.subscribe("board", before, late), EventHub::Subscribed::ok);
    ASSERT_EQ(late->events.size(), 1u);
    EXPECT_EQ(late->events[0]["type"], "vmr.snapshot");
}

TEST(TokenStoreTest, LeasesEndWithTheirBearers) {
    auto now = std::chrono::system_clock::time_point(1'000'000s);
    TokenStore store([&] { return now; });
    int revocations = 0;
    store.set_on_revoked([&] { ++revocations; });
    const Caller ada{Caller::Kind::participant, "board", "p1", ""};
    const std::string first = store.issue(ada, 60s)->token;
    const std::string second = store.issue(ada, 600s)->token;
    const auto of_first = store.lease(first), of_second = store.lease(second);
    EXPECT_FALSE(store.is_valid(store.lease("unknown")));
    EXPECT_TRUE(store.is_valid(of_first) && store.is_valid(of_second));
    now += 60s;
    EXPECT_FALSE(store.is_valid(of_first));
    EXPECT_TRUE(store.is_valid(of_second));
    store.revoke("unknown");
    EXPECT_EQ(revocations, 0);
    store.revoke(second);
    EXPECT_EQ(revocations, 1);
    EXPECT_FALSE(store.is_valid(of_second));
}

TEST(TokenStoreTest, ExpiresRevokesAndRedeemsOnce) {
    auto now = std::chrono::system_clock::time_point(1'000'000s);
    TokenStore store([&] { return now; }, 4);
    const Caller ada{Caller::Kind::participant, "board", "p1", ""};
    const std::string token = store.issue(ada, 60s)->token;
    EXPECT_EQ(token.size(), 43u);
    EXPECT_EQ(store.find(token)->participant, "p1");
    EXPECT_FALSE(store.find(token + "x") || store.find("") || store.find(std::string(100000, 'x')));
    now += 60s;
    EXPECT_FALSE(store.find(token));
    const std::string second = store.issue(ada, 60s)->token;
    store.revoke_participant("board", "p2");
    EXPECT_TRUE(store.find(second));
    store.revoke_participant("board", "p1");
    EXPECT_FALSE(store.find(second));
    const std::string once = store.issue_one_time_admin(60s)->token;
    EXPECT_FALSE(store.find(once));  // no bearer
    const auto session = store.redeem(once, 600s);
    EXPECT_EQ(store.find(session->token)->kind, Caller::Kind::admin);
    EXPECT_FALSE(store.redeem(once, 600s));
    EXPECT_FALSE(store.redeem(session->token, 600s));
    now += 3600s;
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(store.issue(ada, 60s));  // the expired ones make room
    }
    EXPECT_FALSE(store.issue(ada, 60s));
    store.set_admin_bearer("0123456789abcdef0123456789abcdef");
    now += 100000h;
    EXPECT_TRUE(store.find("0123456789abcdef0123456789abcdef"));
}

TEST(TokenStoreTest, NoneIsTakenForAnOption) {
    TokenStore store;
    for (int i = 0; i < 1000; ++i) {  // one in 64 would begin so
        EXPECT_NE(store.issue({}, 60s)->token.front(), '-');
    }
}

TEST(RouterTest, KnowsEveryOperationAndItsExamplesFit) {
    const json& document = schema::embedded("api/openapi.json");
    const Router router(document);
    int operations = 0;
    for (const auto& [path, item] : document["paths"].items()) {
        for (const auto& [method, description] : item.items()) {
            if (method == "parameters") {
                continue;
            }
            ++operations;
            std::string upper = method;
            std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
            std::string concrete = path;
            for (std::size_t at; (at = concrete.find('{')) != std::string::npos;) {
                concrete.replace(at, concrete.find('}') - at + 1, "x1");
            }
            const auto match = router.match(upper, concrete);
            ASSERT_NE(match.operation, nullptr) << method << path;
            EXPECT_EQ(match.operation->id, description["operationId"]);
            if (description.contains("requestBody")) {
                const json example = description["requestBody"]["content"]["application/json"]["example"];
                const auto params = Router::params(match, {}, "application/json", example.dump());
                EXPECT_FALSE(params.refused) << params.refused->body;
            }
            for (const auto& [code, response] : description["responses"].items()) {
                const json type = response.value("/content/application~1json"_json_pointer, json());
                if (type.contains("example")) {
                    const auto findings =
                        schema::Validator(schema::resolve(type["schema"], document)).check(type["example"]);
                    EXPECT_TRUE(findings.empty()) << path << findings[0].pointer << findings[0].message;
                }
            }
        }
    }
    EXPECT_GE(operations, 25);
    EXPECT_EQ(router.match("GET", "/rooms/").operation, nullptr);
    EXPECT_EQ(router.match("GET", "/rooms/a/b/c/d").operation, nullptr);
    EXPECT_EQ(router.match("PUT", "/rooms").allowed, "GET, POST");
}

TEST(RouterTest, CallRecordSchemaIsTheApisCall) {
    const json& document = schema::embedded("api/openapi.json");
    EXPECT_EQ(schema::resolve(document["components"]["schemas"]["Call"], document)["properties"],
              schema::embedded("cdr.json")["properties"]);
}

TEST(RouterTest, EachTextIsBounded) {
    // Whatever a client may send has a limit: no string without maxLength, no list without maxItems.
    const json& document = schema::embedded("api/openapi.json");
    std::function<void(const json&, const std::string&)> walk = [&](const json& node, const std::string& at) {
        if (node.is_object()) {
            if (node.value("type", json()) == "string" && !node.contains("enum")) {
                EXPECT_TRUE(node.contains("maxLength")) << at;
            }
            if (node.value("type", json()) == "array") {
                EXPECT_TRUE(node.contains("maxItems")) << at;
            }
        }
        for (const auto& [key, member] : node.items()) {
            if (member.is_structured() && key != "example") {
                walk(member, at + "/" + key);
            }
        }
    };
    walk(document["components"]["schemas"], "");
    walk(document["paths"], "");
}

TEST(LimitsTest, BucketsRefillAndStayBounded) {
    SteadyTime now{};
    SourceLimiter limiter(1, 2, 2);
    EXPECT_TRUE(limiter.take("a", now));
    EXPECT_TRUE(limiter.take("a", now));
    EXPECT_FALSE(limiter.take("a", now));
    EXPECT_TRUE(limiter.take("b", now));
    EXPECT_FALSE(limiter.take("c", now));  // no room to remember it
    EXPECT_FALSE(limiter.has("c", now));
    now += 10s;
    EXPECT_TRUE(limiter.take("c", now));  // the others are full again, and forgotten
    EXPECT_TRUE(limiter.take("a", now));
    for (int count = 0; count < 1000; ++count) {
        now += 1ms;
        limiter.take(std::to_string(count), now);
    }
    EXPECT_LE(limiter.sources(), 2U);
}

}  // namespace
}  // namespace vmr::api
