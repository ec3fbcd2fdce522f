// Chat by MESSAGE (RFC 3428): what is read and written, by rule; then over real sockets, both ways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "daemon/legs/sip/dialog/instant_message.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Message message_with(const std::string& headers, const std::string& body) {
    return read(
        "MESSAGE sip:room@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKm\r\nFrom: "
        "<sip:a@x>;tag=f\r\nTo: <sip:room@192.0.2.1>;tag=l\r\nCall-ID: c1\r\nCSeq: 2 MESSAGE\r\n" +
        headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

// The status, or 0 where the text is taken.
int status_of(const std::string& headers, const std::string& body) {
    std::string text;
    const std::optional<Reply> refusal = read_message(message_with(headers, body), text);
    return refusal ? refusal->status : 0;
}

TEST(InstantMessage, TextIsReadWithItsParameters) {
    for (const char* type :
         {"text/plain", "Text/Plain;charset=utf-8", "text/plain; charset=\"UTF-8\"; format=flowed",
          "text/plain;charset=us-ascii", "text/plain ; x=y"}) {
        std::string text;
        EXPECT_FALSE(read_message(
            message_with(std::string("Content-Type: ") + type + "\r\n", "one\r\ntwo \xe2\x82\xac\r\n"), text))
            << type;
        EXPECT_EQ(text, "one\ntwo \xe2\x82\xac");
    }
}

TEST(InstantMessage, OtherTypesAre415WithWhatIsTaken) {
    for (const char* headers :
         {"Content-Type: message/cpim\r\n", "Content-Type: application/im-iscomposing+xml\r\n",
          "Content-Type: text/html\r\n", "Content-Type: text/plain;charset=utf-16\r\n",
          "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", ""}) {
        std::string text;
        const auto refusal = read_message(message_with(headers, "hello"), text);
        ASSERT_TRUE(refusal) << headers;
        EXPECT_EQ(refusal->status, 415) << headers;
        EXPECT_EQ(refusal->headers[0].name + ": " + refusal->headers[0].value, "Accept: text/plain");
    }
}

TEST(InstantMessage, SizeAndBytesAreChecked) {
    const std::string plain = "Content-Type: text/plain\r\n";
    EXPECT_EQ(status_of(plain, std::string(2000, 'a')), 0);
    EXPECT_EQ(status_of(plain, std::string(2000, 'a') + "\r\n"), 0);
    EXPECT_EQ(status_of(plain, std::string(2001, 'a')), 413);
    EXPECT_EQ(status_of(plain, "\xff"), 400);
    EXPECT_EQ(status_of(plain, "\xed\xa0\x80"), 400);
    EXPECT_EQ(status_of(plain, "\r\n"), 400);
    EXPECT_EQ(status_of(plain, ""), 400);
}

TEST(InstantMessage, RefusalsSayWhy) {
    EXPECT_EQ(answer_to_message(SayResult::said).status, 200);
    EXPECT_EQ(answer_to_message(SayResult::malformed).status, 400);
    EXPECT_EQ(answer_to_message(SayResult::refused).status, 403);
    const Reply later = answer_to_message(SayResult::later);
    EXPECT_EQ(later.status, 480);
    EXPECT_EQ(later.headers.at(0).name, "Retry-After");
}

TEST(InstantMessage, NoLineCanPretendToBeAnothers) {
    EXPECT_EQ(message_text({"Ada", "yes\nBob: no", false}), "Ada: yes\r\n  Bob: no");
    EXPECT_EQ(message_text({"Ad\xff", "hi", false}), "Ad\xef\xbf\xbd: hi");
}

class Written : public ::testing::Test {
protected:
    Dialog dialog(Transport transport, const std::string& extra = {}) {
        return {read("INVITE sip:room@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
                     "From: <sip:a@x>;tag=f\r\nTo: <sip:room@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n"
                     "Contact: <sip:a@192.0.2.7>\r\n" +
                         extra + "Content-Length: 0\r\n\r\n",
                     transport),
                "l", ""};
    }
    std::string written(Dialog dialog, const std::string& text) {
        const auto parts = message_request(dialog, "z9hG4bKours", text);
        return parts ? dialog.write_request(*parts) : "";
    }
};

// RFC 3428 sections 4 and 8
TEST_F(Written, HasNoContactAndIsShortWhereAHopMayBeUdp) {
    std::string euros = "Ada: ";
    for (int i = 0; i < 600; ++i) {
        euros += "\xe2\x82\xac";
    }
    const std::string small = written(dialog(Transport::udp), "Ada: hi");
    EXPECT_TRUE(small.starts_with("MESSAGE sip:a@192.0.2.7 SIP/2.0\r\n"));
    EXPECT_THAT(small, HasSubstr("\r\nContent-Type: text/plain;charset=UTF-8\r\n"));
    EXPECT_THAT(small, EndsWith("\r\n\r\nAda: hi"));
    EXPECT_EQ(header(small, "Contact"), "");
    for (const Dialog& far :
         {dialog(Transport::udp), dialog(Transport::tls, "Record-Route: <sip:p;lr>\r\n")}) {
        const std::string cut = written(far, euros);
        const std::size_t sent = with_software(cut, std::string(kMaxSoftware, 'x')).size();
        EXPECT_LE(sent, 1300U);
        EXPECT_GT(sent, 1290U);
        EXPECT_THAT(cut, EndsWith("\xe2\x82\xac\xe2\x80\xa6"));
        EXPECT_TRUE(is_utf8(cut));
    }
    EXPECT_THAT(written(dialog(Transport::tcp), euros), EndsWith(euros));
}

TEST_F(Written, NothingIsSentWhereNoTextFits) {
    EXPECT_EQ(
        written(dialog(Transport::udp, "Record-Route: <sip:" + std::string(1500, 'p') + ";lr>\r\n"), "hi"),
        "");
}

class Outboxes : public ::testing::Test {
protected:
    void say(int from, int to) {
        for (int i = from; i <= to; ++i) {
            outbox.add({std::to_string(i)});
        }
    }
    std::vector<std::string> sent;
    bool can_send = true;
    Outbox outbox{[this](const Outbox::Entry& entry) -> std::uint64_t {
        if (!can_send) {
            return 0;
        }
        sent.push_back(entry.text);
        return sent.size();
    }};
};

TEST_F(Outboxes, OneAtATimeAndTheOldestGivesWay) {
    say(1, 3);
    EXPECT_THAT(sent, ElementsAre("1"));
    EXPECT_TRUE(outbox.is_own(1));
    outbox.receive_response(100);
    EXPECT_THAT(sent, ElementsAre("1"));
    outbox.receive_response(202);
    EXPECT_FALSE(outbox.is_own(1));
    EXPECT_THAT(sent, ElementsAre("1", "2"));
    say(4, 30);
    outbox.receive_response(200);
    EXPECT_EQ(sent.back(), "11") << "20 wait, from 11 to 30";
}

TEST_F(Outboxes, WhoDoesNotKnowMessagesIsNotAskedAgain) {
    for (const int status : {405, 415, 481, 501}) {
        Outbox one([this](const Outbox::Entry& entry) -> std::uint64_t {
            sent.push_back(entry.text);
            return sent.size();
        });
        sent.clear();
        one.add({"1"});
        one.add({"2"});
        one.receive_response(status);
        one.add({"3"});
        EXPECT_THAT(sent, ElementsAre("1")) << status;
    }
    say(1, 2);
    outbox.receive_response(480);
    EXPECT_EQ(sent.back(), "2") << "of that message alone";
}

TEST_F(Outboxes, WhatCannotBeSentOrTimesOutIsForgotten) {
    can_send = false;
    say(1, 2);
    can_send = true;
    say(3, 5);
    EXPECT_THAT(sent, ElementsAre("3"));
    outbox.request_timed_out();
    say(6, 6);
    EXPECT_THAT(sent, ElementsAre("3", "6"));
    outbox.stop();
    say(7, 7);
    EXPECT_EQ(sent.size(), 2U);
}

class Chats : public ::testing::TestWithParam<Transport> {
protected:
    Chats() : client(GetParam(), harness.port(GetParam())), caller(client) {}
    void call(const std::string& allow = "Allow: INVITE, ACK, BYE, MESSAGE\r\n") {
        client.send(caller.request("INVITE", allow, kOffer));
        ok = client.expect("SIP/2.0 200");
        caller.learn(ok);
        client.send(caller.ack());
        leg = harness.observer.wait([](const auto& record) { return record.answered; })->leg;
    }
    void show(const std::string& text, bool protected_only = false) {
        harness.run([&] { leg->show_message({"Bob", text, protected_only}); });
    }
    std::string say(const std::string& text, const std::string& type = "text/plain") {
        client.send(caller.request("MESSAGE", {}, text, type));
        return client.expect("SIP/2.0 ");
    }
    Harness harness;
    Client client;
    Caller caller;
    std::string ok;
    std::shared_ptr<Leg> leg;
};

INSTANTIATE_TEST_SUITE_P(Transports, Chats, ::testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& info) { return std::string(uri_param(info.param)); });

TEST_P(Chats, WhatACallerWritesReachesTheRoom) {
    call();
    EXPECT_THAT(header(ok, "Allow"), HasSubstr("MESSAGE"));
    const std::string answer = say("good morning");
    EXPECT_TRUE(answer.starts_with("SIP/2.0 200")) << answer;
    const std::string way = GetParam() == Transport::tls ? "protected " : "";
    EXPECT_THAT(harness.observer.texts(), ElementsAre(way + "good morning"));
    EXPECT_EQ(header(say("<xml/>", "application/im-iscomposing+xml"), "Accept"), "text/plain");
    for (const auto& [result, status] : {std::pair(SayResult::refused, "SIP/2.0 403"),
                                         {SayResult::malformed, "SIP/2.0 400"},
                                         {SayResult::later, "SIP/2.0 480"}}) {
        harness.observer.said = result;
        EXPECT_TRUE(say("again").starts_with(status)) << status;
    }
    client.send(caller.request("BYE"));
    EXPECT_FALSE(client.expect("SIP/2.0 200").empty()) << "the call went on";
}

TEST_P(Chats, WhatIsWrittenReachesTheCallerOneAtATime) {
    call();
    show("one");
    show("two");
    const std::string first = client.expect("MESSAGE ");
    EXPECT_THAT(first, EndsWith("\r\n\r\nBob: one"));
    EXPECT_EQ(header(first, "Content-Type"), "text/plain;charset=UTF-8");
    client.send(caller.answer(first));
    const std::string second = client.expect("MESSAGE ");
    EXPECT_THAT(second, EndsWith("\r\n\r\nBob: two"));
    EXPECT_EQ(std::stoi(header(second, "CSeq")), std::stoi(header(first, "CSeq")) + 1);
}

TEST_P(Chats, ProtectedTextStaysOffTheClear) {
    call();
    show("secret", true);
    show("public");
    const std::string first = client.expect("MESSAGE ");
    EXPECT_THAT(first, EndsWith(GetParam() == Transport::tls ? "Bob: secret" : "Bob: public"));
}

TEST_P(Chats, WhoDoesNotSayItTakesMessagesGetsNone) {
    call("Allow: INVITE, ACK, BYE\r\n");
    show("hello");
    client.send(caller.request("OPTIONS"));
    EXPECT_TRUE(client.receive().starts_with("SIP/2.0 200")) << "nothing came before";
}

// RFC 4579: two conferences that call each other twice would never be done with a message.
TEST_P(Chats, AnotherConferenceGetsNoneAndMayWrite) {
    caller.contact += ";isfocus";
    call();
    show("hello");
    EXPECT_TRUE(say("from there").starts_with("SIP/2.0 200")) << "nothing came before";
}

TEST_P(Chats, BeforeACallThereIsNobodyToWriteTo) {
    harness.observer.only = "room";
    std::vector<std::string> answers;
    for (const char* name : {"room", "nobody"}) {
        Caller stranger(client, name);
        client.send(stranger.request("MESSAGE", {}, "hello", "text/plain"));
        const std::string answer = client.expect("SIP/2.0 ");
        EXPECT_THAT(header(answer, "Allow"), Not(HasSubstr("MESSAGE")));
        answers.push_back(answer.substr(0, answer.find("\r\n")));
    }
    EXPECT_THAT(answers, ElementsAre("SIP/2.0 405 Method Not Allowed", "SIP/2.0 405 Method Not Allowed"));
    EXPECT_TRUE(harness.observer.texts().empty());
}

TEST(PlacedChat, WhoIsCalledSaysSoInTheAnswer) {
    ScriptedPeer callee([](const std::string& request) -> std::vector<std::string> {
        if (request.starts_with("INVITE ")) {
            return {response(request, 200, "callee",
                             "Contact: <sip:bob@127.0.0.1>\r\nAllow: INVITE, ACK, BYE, MESSAGE\r\n",
                             kAnswer)};
        }
        return request.starts_with("ACK ") ? std::vector<std::string>() : std::vector{response(request, 200)};
    });
    SipConfig config;
    DialRule rule;
    rule.name = "any";
    rule.domains = {"127.0.0.1"};
    config.dial.rules = {rule};
    Harness harness(std::move(config));
    std::shared_ptr<Leg> leg;
    harness.run([&] {
        const auto plan =
            harness.legs->plan("sip:bob@127.0.0.1:" + std::to_string(callee.port()) + ";transport=udp");
        ASSERT_TRUE(plan.ok());
        leg = harness.legs->dial({"out-1", *plan, "Board", "board", {}});
    });
    EXPECT_THAT(header(callee.expect("INVITE "), "Allow"), HasSubstr("MESSAGE"));
    ASSERT_TRUE(harness.observer.wait([](const auto& record) { return record.answered; }));
    harness.run([&] { leg->show_message({"Ada", "welcome", false}); });
    EXPECT_THAT(callee.expect("MESSAGE "), EndsWith("\r\n\r\nAda: welcome"));
}

// Over a trunk, only where its settings say so.
class TrunkChats : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Messages, TrunkChats, ::testing::Bool());

TEST_P(TrunkChats, FollowTheTrunksSetting) {
    SipConfig config;
    TrunkConfig trunk;
    trunk.name = "carrier";
    trunk.sources = {"127.0.0.1"};
    trunk.numbers = {{"+4930123", "room"}};
    trunk.settings.messages = GetParam();
    config.trunks = {trunk};
    Harness harness(config);
    Client client(Transport::udp, harness.port(Transport::udp));
    Caller caller(client, "+4930123");
    client.send(caller.request("INVITE", "Allow: MESSAGE\r\n", kOffer));
    const std::string ok = client.expect("SIP/2.0 200");
    EXPECT_EQ(header(ok, "Allow").find("MESSAGE") != std::string::npos, GetParam());
    caller.learn(ok);
    client.send(caller.ack());
    const auto leg = harness.observer.wait([](const auto& record) { return record.answered; })->leg;
    harness.run([&] { leg->show_message({"Bob", "hello", false}); });
    client.send(caller.request("MESSAGE", {}, "hello", "text/plain"));
    EXPECT_EQ(client.receive().starts_with("MESSAGE "), GetParam());
    if (GetParam()) {
        EXPECT_FALSE(client.expect("SIP/2.0 200").empty());
    }
    EXPECT_EQ(harness.observer.texts().size(), GetParam() ? 1U : 0U);
}

}  // namespace
}  // namespace vmr::sip::test
