// The parser's own rules, beyond those that the messages of RFC 4475 show.
#include <gtest/gtest.h>

#include "daemon/legs/sip/message/bounds.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {
namespace {

constexpr const char* kHead =
    "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

Result<Message> parse(const std::string& extra, const std::string& head = kHead) {
    return parse_message(head + extra + "\r\n", Flow());
}

TEST(Parser, ReadsWhatItShould) {
    const Result<Message> read = parse("Zed:\r\n y\r\n\tz\r\nc: Application / SDP ;x=y\r\n");
    ASSERT_TRUE(read.ok()) << read.error();
    EXPECT_EQ(*read->header("zed"), "y z");
    EXPECT_EQ(read->content_type, "application/sdp");
    EXPECT_EQ(read->branch, "z9hG4bKx");
    EXPECT_EQ(read->sent_by, "h");
    EXPECT_TRUE(parse("X: \"a\\\x01\\\"\"\r\n").ok()) << "a quoted-pair may be any ASCII";
}

TEST(Parser, RefusesLinesThatCouldBecomeOthers) {
    for (const std::string& bad : {std::string("X: a\nVia: b\r\n"),
                                   std::string("X: a\rb\r\n"),
                                   std::string("X: a\\\nb\r\n"),
                                   std::string("X: a\x01\r\n"),
                                   std::string("X: a\0b\r\n", 8),
                                   std::string("X y\r\n"),
                                   std::string("X y: z\r\n"),
                                   std::string(": z\r\n"),
                                   std::string("Max-Forwards: 256\r\n"),
                                   std::string("Max-Forwards: 1\r\nMax-Forwards: 1\r\n"),
                                   std::string("t: <sip:a@b>\r\n"),
                                   std::string("f: <sip:a@b>;tag=1\r\n"),
                                   std::string("i: 1\r\n"),
                                   std::string("c: x\r\n"),
                                   std::string("v: SIP/2.0/UDP h;;\r\n"),
                                   std::string("v: SIP/2.0/UDP h;=x\r\n"),
                                   std::string("v: SIP/3.0/UDP h\r\n"),
                                   std::string("v: SIP/2.0/UDP\r\n"),
                                   std::string("v: SIP/2.0/UDP a b:x\r\n"),
                                   std::string("Record-Route: x\r\n")}) {
        EXPECT_FALSE(parse(bad).ok()) << bad;
    }
}

TEST(Parser, KnowsAStatusLine) {
    const std::string rest = std::string(kHead).substr(std::string(kHead).find("\r\n"));
    for (const char* good : {"SIP/2.0 200 OK", "SIP/2.0 200 ", "SIP/2.0 200", "sip/2.0 200 OK"}) {
        EXPECT_EQ(parse("", good + rest).ok(), good[0] == 'S') << good;
    }
    for (const char* bad : {"SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0  200 x", "SIP/2.0 2000 x", "SIP/2.0",
                            "SIP/2.0 -20 x", "SIP/3.0 200 x"}) {
        EXPECT_FALSE(parse("", bad + rest).ok()) << bad;
    }
}

std::string contacts(std::size_t count) {
    std::string text = "Contact: ";
    for (std::size_t i = 0; i < count; ++i) {
        text += (i == 0 ? "<sip:a@h" : ", <sip:a@h") + std::to_string(i) +
                ";transport=tls>;expires=9;q=1;reg-id=1;received=\"sip:1\"";
    }
    return text + "\r\n";
}

// A registrar lists all bindings of the account, a redirection all targets: how many is not for us to say.
TEST(Parser, KeepsManyContactsOfAResponse) {
    const std::string rest = std::string(kHead).substr(std::string(kHead).find("\r\n"));
    const auto response = [&](std::size_t count) {
        const std::string text = "SIP/2.0 200 OK" + rest + contacts(count) + "\r\n";
        EXPECT_EQ(inspect(text, false).frame, Frame::complete) << count;
        const Result<Message> read = parse_message(text, Flow());
        EXPECT_TRUE(read.ok()) << count;
        return read ? read->contacts.size() : 0;
    };
    EXPECT_EQ(response(5), 5U);
    EXPECT_EQ(response(64), 64U);
    EXPECT_EQ(response(90), 64U);
    EXPECT_TRUE(parse(contacts(4)).ok());
    EXPECT_FALSE(parse(contacts(5)).ok()) << "a request";
}

TEST(Parser, BoundsParametersOfOneValue) {
    const std::string text = std::string(kHead) + "Subject: a" + std::string(65, ';') + "\r\n\r\n";
    EXPECT_EQ(inspect(text, false).frame, Frame::too_large);
}

TEST(Refusal, CopiesNothingThatCouldBecomeALine) {
    const Address source{"192.0.2.7", 5060};
    const std::string answer = stateless_refusal(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=\r\n z9hG4bKx\r\nFrom: a\nContact: b\r\n\r\n",
        source);
    EXPECT_EQ(answer,
              "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;branch= z9hG4bKx;received=192.0.2.7\r\n"
              "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(stateless_refusal("ACK sip:a@b SIP/2.0\r\nVia: x\r\n\r\n", source), "");
    EXPECT_EQ(stateless_refusal("SIP/2.0 200 OK\r\nVia: x\r\n\r\n", source), "");
    EXPECT_EQ(stateless_refusal("OPTIONS sip:a@b SIP/2.0\r\n\r\n", source), "");
    EXPECT_EQ(stateless_refusal("\x01\x02", source), "");
}

}  // namespace
}  // namespace vmr::sip
