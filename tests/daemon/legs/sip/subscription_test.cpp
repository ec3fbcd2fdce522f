// A subscription on a made-up clock: RFC 6665 by section; and the conference's document (RFC 4575).
#include "daemon/legs/sip/subscriptions/subscription.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/subscriptions/conference_document.hpp"
#include "daemon/legs/sip/subscriptions/subscribe.hpp"
#include "tests/support/sip/fake_host.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Message subscribe(const std::string& extra) {
    return read(
        "SUBSCRIBE sip:room@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKs\r\n"
        "From: <sip:a@x>;tag=f\r\nTo: <sip:room@192.0.2.1>\r\nCall-ID: s1\r\nCSeq: 1 SUBSCRIBE\r\n"
        "Contact: <sip:a@192.0.2.7>\r\n" +
        extra + "Content-Length: 0\r\n\r\n");
}

Message response(int status, const std::string& extra = {}) {
    return read("SIP/2.0 " + std::to_string(status) +
                " X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKo\r\nFrom: <sip:room@192.0.2.1>;tag=l\r\n"
                "To: <sip:a@x>;tag=f\r\nCall-ID: s1\r\nCSeq: 1 NOTIFY\r\n" +
                extra + "Content-Length: 0\r\n\r\n");
}

std::shared_ptr<ConferenceUser> user(const std::string& id, const std::string& name = "Ada") {
    auto made = std::make_shared<ConferenceUser>();
    made->id = id;
    made->name = name;
    return made;
}

class Subscribing : public ::testing::Test {
protected:
    void SetUp() override {
        room->title = "Board";
        room->users = {user("p1")};
        shown = room;
    }
    void start(std::size_t max_users = 40) {
        subscription = std::make_unique<Subscription>(
            std::make_unique<ConferenceTopic>(
                "conference", "sip:board@192.0.2.1", [this] { return shown; }, max_users),
            [this](RequestParts parts) {
                sent.push_back(std::move(parts));
                return sent.size();
            });
    }
    std::string state() const { return sent.back().headers.at(1).value; }
    std::string body() const { return sent.back().body; }
    void answer(int status, std::int64_t now, const std::string& extra = {}) {
        subscription->receive_response(response(status, extra), now);
    }
    // Another meeting from now on.
    void change(std::vector<std::shared_ptr<const ConferenceUser>> users) {
        room = std::make_shared<Conference>(*room);
        room->users = std::move(users);
        shown = room;
    }

    std::shared_ptr<Conference> room = std::make_shared<Conference>();
    std::shared_ptr<const Conference> shown;
    std::unique_ptr<Subscription> subscription;
    std::vector<RequestParts> sent;
};

// RFC 6665 section 4.2.1.2, RFC 4575 section 4
TEST_F(Subscribing, BeginsWithTheWholeState) {
    start();
    subscription->renew(600, 0);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].method, "NOTIFY");
    EXPECT_EQ(sent[0].headers.at(0).value, "conference");
    EXPECT_EQ(state(), "active;expires=600");
    EXPECT_THAT(body(), HasSubstr("entity=\"sip:board@192.0.2.1\" state=\"full\" version=\"1\""));
    EXPECT_THAT(body(), HasSubstr("<display-text>Board</display-text>"));
    EXPECT_THAT(body(), HasSubstr("<user-count>1</user-count>"));
    EXPECT_THAT(body(), HasSubstr("<entry>guest</entry>"));
    EXPECT_THAT(body(), HasSubstr("<status>connected</status>"));
}

TEST_F(Subscribing, TellsWhatChangedAtMostOnceASecond) {
    start();
    subscription->renew(600, 0);
    answer(200, 10);
    change({room->users[0], user("p2", "Bob")});
    subscription->touch(20);
    change({room->users[0], room->users[1], user("p3", "Cy")});
    subscription->touch(30);
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_EQ(subscription->next_deadline(), 1000);
    subscription->tick(1000);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_THAT(body(), HasSubstr("state=\"partial\" version=\"2\""));
    EXPECT_THAT(body(), HasSubstr("Bob"));
    EXPECT_THAT(body(), HasSubstr("Cy"));
    EXPECT_THAT(body(), Not(HasSubstr("Ada")));
    answer(200, 1010);
    change({user("p3", "Cy Two")});
    subscription->touch(3000);
    EXPECT_THAT(body(), HasSubstr("<user entity=\"sip:p1@anonymous.invalid\" state=\"deleted\"/>"));
    EXPECT_THAT(body(), HasSubstr("<user entity=\"sip:p2@anonymous.invalid\" state=\"deleted\"/>"));
    EXPECT_THAT(body(), HasSubstr("Cy Two"));
}

TEST_F(Subscribing, SaysNothingWhereNothingIsNew) {
    start();
    subscription->renew(600, 0);
    answer(200, 10);
    change({user("p1")});  // another object, the same values
    subscription->touch(5000);
    EXPECT_EQ(sent.size(), 1U);
}

TEST_F(Subscribing, HasOneNotifyOnItsWay) {
    start();
    subscription->renew(600, 0);
    change({user("p2")});
    subscription->touch(5000);
    EXPECT_EQ(sent.size(), 1U);
    answer(200, 5010);
    EXPECT_EQ(sent.size(), 2U);
}

// RFC 6665 section 4.1.3: what a guest in the lobby sees is nothing
TEST_F(Subscribing, WaitsPendingUntilTheRoomIsSeenAndForgetsItAgain) {
    shown = nullptr;
    start();
    subscription->renew(600, 0);
    EXPECT_EQ(state(), "pending;expires=600");
    EXPECT_EQ(body(), "");
    answer(200, 10);
    subscription->touch(2000);
    EXPECT_EQ(sent.size(), 1U);
    shown = room;
    subscription->touch(3000);
    EXPECT_EQ(state(), "active;expires=597");
    EXPECT_THAT(body(), HasSubstr("state=\"full\" version=\"1\""));
    answer(200, 3010);
    shown = nullptr;
    subscription->touch(5000);
    EXPECT_EQ(state(), "pending;expires=595");
    EXPECT_THAT(body(), HasSubstr("state=\"full\" version=\"2\"></conference-info>"));
}

// RFC 6665 section 4.2.1.4 and 4.2.3
TEST_F(Subscribing, ExpiresUnlessItIsRefreshed) {
    start();
    subscription->renew(60, 0);
    answer(200, 10);
    subscription->renew(60, 50'000);
    EXPECT_THAT(body(), HasSubstr("state=\"full\" version=\"2\""));
    answer(200, 50'010);
    subscription->tick(60'000);
    EXPECT_EQ(sent.size(), 2U);
    EXPECT_EQ(subscription->next_deadline(), 110'000);
    subscription->tick(110'000);
    EXPECT_EQ(state(), "terminated;reason=timeout");
    EXPECT_FALSE(subscription->over());
    answer(200, 110'010);
    EXPECT_TRUE(subscription->over());
}

TEST_F(Subscribing, EndsByExpiresZeroWithTheState) {
    start();
    subscription->renew(0, 0);  // a fetch
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(state(), "terminated;reason=timeout");
    EXPECT_THAT(body(), HasSubstr("Ada"));
    answer(200, 10);
    EXPECT_TRUE(subscription->over());
}

TEST_F(Subscribing, EndsWithTheCall) {
    start();
    subscription->renew(600, 0);
    subscription->end("noresource", 100);  // waits for the NOTIFY on its way
    EXPECT_EQ(sent.size(), 1U);
    answer(200, 200);
    EXPECT_EQ(state(), "terminated;reason=noresource");
}

// RFC 6665 section 4.2.2
TEST_F(Subscribing, EndsWhereTheSubscriberIsGone) {
    for (const int status : {481, 489, 501}) {
        start();
        subscription->renew(600, 0);
        answer(status, 10);
        EXPECT_TRUE(subscription->over()) << status;
    }
    start();
    subscription->renew(600, 0);
    answer(480, 10, "Retry-After: 5\r\n");
    EXPECT_FALSE(subscription->over());
    answer(503, 10);
    EXPECT_FALSE(subscription->over());
    subscription->request_timed_out();
    EXPECT_TRUE(subscription->over());
}

TEST_F(Subscribing, ABigRoomComesInParts) {
    std::vector<std::shared_ptr<const ConferenceUser>> users;
    for (int i = 100; i < 125; ++i) {
        users.push_back(user("p" + std::to_string(i), "N" + std::to_string(i)));
    }
    change(users);
    start(10);
    subscription->renew(600, 0);
    EXPECT_THAT(body(), HasSubstr("<users state=\"partial\">"));
    EXPECT_THAT(body(), HasSubstr("N109"));
    EXPECT_THAT(body(), Not(HasSubstr("N110")));
    answer(200, 10);
    subscription->tick(1000);
    EXPECT_THAT(body(), HasSubstr("N119"));
    EXPECT_THAT(body(), Not(HasSubstr("N120")));
    answer(200, 1010);
    subscription->tick(2000);
    EXPECT_THAT(body(), HasSubstr("N124"));
    answer(200, 2010);
    EXPECT_EQ(sent.size(), 3U);
    EXPECT_EQ(subscription->next_deadline(), 600'000);
}

TEST_F(Subscribing, StrangersNamesStayText) {
    EXPECT_EQ(xml_text("<b a=\"1\">&'\x01\x7f"), "&lt;b a=&quot;1&quot;&gt;&amp;'");
    EXPECT_EQ(xml_text("M\xc3\xbcller \xff"), "M\xc3\xbcller \xef\xbf\xbd");
    EXPECT_EQ(xml_text("\xef\xbf\xbf"), "");
}

TEST_F(Subscribing, ShowsHowEachIsThere) {
    auto muted = user("p1");
    muted->status = ConferenceUser::Status::muted;
    muted->audible = false;
    muted->host = true;
    muted->video = muted->content = true;
    muted->joined_at = "2026-01-01T00:00:00.000Z";
    auto called = user("p2");
    called->status = ConferenceUser::Status::ringing;
    called->dialled = true;
    change({muted, called});
    start();
    subscription->renew(600, 0);
    EXPECT_THAT(body(), HasSubstr("<status>muted-via-focus</status><joining-method>dialed-in</joining-method>"
                                  "<joining-info><when>2026-01-01T00:00:00.000Z</when></joining-info>"));
    EXPECT_THAT(body(), HasSubstr("<type>audio</type><status>recvonly</status>"));
    EXPECT_THAT(body(), HasSubstr("<display-text>content</display-text><type>video</type>"));
    EXPECT_THAT(body(), HasSubstr("<entry>host</entry>"));
    EXPECT_THAT(body(), HasSubstr("<status>alerting</status><joining-method>dialed-out</joining-method>"
                                  "</endpoint>"));
}

TEST(Subscribe, IsRefusedAsTheRfcSays) {
    const auto status = [](const std::string& extra) {
        const auto refusal = refusal_of_subscribe(subscribe(extra));
        return refusal ? refusal->status : 200;
    };
    EXPECT_EQ(status(""), 489);
    EXPECT_EQ(status("Event: presence\r\n"), 489);
    EXPECT_EQ(status("Event: conference\r\n"), 200);
    EXPECT_EQ(status("o: Conference;id=7\r\n"), 200);
    EXPECT_EQ(status("Event: conference;id=\"a b\"\r\n"), 400);
    EXPECT_EQ(status("Event: conference\r\nExpires: 59\r\n"), 423);
    EXPECT_EQ(status("Event: conference\r\nExpires: soon\r\n"), 400);
    EXPECT_EQ(status("Event: conference\r\nExpires: 0\r\n"), 200);
    EXPECT_EQ(status("Event: conference\r\nAccept: application/pidf+xml\r\n"), 406);
    EXPECT_EQ(status("Event: conference\r\nAccept: text/plain, application/conference-info+xml\r\n"), 200);
    EXPECT_EQ(granted_seconds(subscribe("Event: conference\r\nExpires: 99999999999\r\n")), 3600U);
    EXPECT_EQ(granted_seconds(subscribe("Event: conference\r\nExpires: 90\r\n")), 90U);
    EXPECT_EQ(event_of(subscribe("Event: Conference;id=7\r\n")), "conference;id=7");
    EXPECT_EQ(target_dialog(subscribe("Target-Dialog: c1@x;local-tag=f;remote-tag=l\r\n")), "c1@x|l|f");
    EXPECT_EQ(target_dialog(subscribe("Target-Dialog: c1@x;local-tag=f\r\n")), "");
}

}  // namespace
}  // namespace vmr::sip::test
