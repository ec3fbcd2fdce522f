// Which way a dialog has once its connection is gone, and how its requests get there: pure.
#include "daemon/legs/sip/routing/way_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/registrar/locations.hpp"
#include "tests/support/sip/fake_host.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Flow flow(Transport transport, const std::string& ip = "192.0.2.7", std::uint64_t connection = 5) {
    Flow made;
    made.transport = transport;
    made.remote = {ip, 49152};
    made.local = {"192.0.2.1", 5060};
    made.connection = transport == Transport::udp ? 0 : connection;
    return made;
}

// As one line: "flow TRANSPORT CONNECTION", "open TRANSPORT ADDRESS HOST" or "none".
std::string told(const WayBack& way) {
    if (const Flow* stands = std::get_if<Flow>(&way)) {
        return std::string("flow ") + uri_param(stands->transport) + " " + std::to_string(stands->connection);
    }
    if (const Opening* opening = std::get_if<Opening>(&way)) {
        return std::string("open ") + uri_param(opening->target.transport) + " " +
               opening->target.address.text() + " " + opening->host;
    }
    return "none";
}

TEST(WaysBack, WhoCalledIsCalledAtTheAddressThatTheConnectionHadOnly) {
    const Flow tcp = flow(Transport::tcp);
    const Flow tls = flow(Transport::tls);
    const Flow six = flow(Transport::tcp, "2001:db8::7");
    EXPECT_EQ(told(way_back(tcp, "sip:a@192.0.2.7:5070;transport=tcp", {})),
              "open tcp 192.0.2.7:5070 192.0.2.7");
    EXPECT_EQ(told(way_back(tcp, "sip:192.0.2.7", {})), "open tcp 192.0.2.7:5060 192.0.2.7");
    EXPECT_EQ(told(way_back(tls, "sip:192.0.2.7;lr", {})), "open tls 192.0.2.7:5061 192.0.2.7");
    EXPECT_EQ(told(way_back(six, "sip:[2001:DB8:0:0::7]:5070", {})),
              "open tcp [2001:db8::7]:5070 2001:db8:0:0::7");
    EXPECT_EQ(told(way_back(tls, "sip:a@192.0.2.7:5060;transport=udp", {})),
              "open tls 192.0.2.7:5060 192.0.2.7")
        << "never by less than TLS";
    for (const char* elsewhere :
         {"sip:a@192.0.2.8:5070", "sip:a@phone.example", "sip:a@localhost:5060", "tel:+4930", "",
          "sip:", "sip:a@192.0.2.8;maddr=192.0.2.7", "sip:a@[::ffff:192.0.2.8]"}) {
        EXPECT_EQ(told(way_back(tcp, elsewhere, {})), "none") << elsewhere;
    }
}

TEST(WaysBack, WhoWasCalledIsCalledAgainByTheNameThatWasDialled) {
    const KnownWays known{{}, Opening{{Transport::tls, {"192.0.2.7", 5061}}, "pbx.example"}, false};
    const Flow gone = flow(Transport::tls);
    EXPECT_EQ(told(way_back(gone, "sip:a@192.0.2.7:6000", known)), "open tls 192.0.2.7:5061 pbx.example");
    EXPECT_EQ(told(way_back(gone, "sip:a@10.0.0.7", known)), "open tls 192.0.2.7:5061 pbx.example");
    // It had gone on by another address.
    const Flow moved = flow(Transport::tls, "192.0.2.9");
    EXPECT_EQ(told(way_back(moved, "sip:192.0.2.9:5071", known)), "open tls 192.0.2.9:5071 192.0.2.9");
    EXPECT_EQ(told(way_back(moved, "sip:edge.example", known)), "open tls 192.0.2.7:5061 pbx.example");
}

TEST(WaysBack, NothingFallsBehindTls) {
    const Flow gone = flow(Transport::tls);
    for (const Transport less : {Transport::tcp, Transport::udp}) {
        const KnownWays known{flow(less), Opening{{less, {"192.0.2.7", 5060}}, "pbx.example"}, false};
        EXPECT_EQ(told(way_back(gone, "sip:a@phone.example", known)), "none");
    }
}

TEST(WaysBack, OfATrunkANameWillDoAtTheSameAddress) {
    const Flow gone = flow(Transport::tls);
    const std::string route = "sip:edge.carrier.example:5071;transport=tls;lr";
    EXPECT_EQ(told(way_back(gone, route, {{}, {}, true})), "open tls 192.0.2.7:5071 edge.carrier.example");
    EXPECT_EQ(told(way_back(gone, route, {})), "none");
    EXPECT_EQ(told(way_back(gone, "sip:10.0.0.1;lr", {{}, {}, true})), "none");
}

TEST(WaysBack, ADeviceIsReachedByTheBindingThatItHasNow) {
    const KnownWays known{flow(Transport::tls, "198.51.100.3", 9), {}, false};
    EXPECT_EQ(told(way_back(flow(Transport::tls), "sip:k@192.0.2.7:5070", known)), "flow tls 9");
    EXPECT_EQ(told(way_back(flow(Transport::tcp), "sip:k@192.0.2.7:5070", known)), "flow tls 9");
}

TEST(WaysBack, TheBindingOfTheSameInstance) {
    Contact then{.uri = "sip:k@192.0.2.7:40000;transport=tcp", .flow = flow(Transport::tcp)};
    Contact other{.uri = "sip:k@192.0.2.9:40001;transport=tcp", .flow = flow(Transport::tcp, "192.0.2.9", 6)};
    Contact now{.uri = "sip:k@192.0.2.7:40002;transport=tcp", .flow = flow(Transport::tcp, "192.0.2.7", 7)};
    EXPECT_EQ(binding_of_same({other, now}, then)->flow.connection, 7U) << "the one from its address";
    EXPECT_FALSE(binding_of_same({other, now, now}, then)) << "or another device behind the same NAT";
    EXPECT_FALSE(binding_of_same({other}, then));
    for (const char* uri : {"sip:k@192.0.2.8:40002;transport=tcp", "sip:j@192.0.2.7:40002;transport=tcp"}) {
        Contact neighbour = now;
        neighbour.uri = uri;
        EXPECT_FALSE(binding_of_same({neighbour}, then)) << uri << ": another device behind the same NAT";
        EXPECT_EQ(binding_of_same({neighbour, now}, then)->uri, now.uri);
    }
    then.instance = "<urn:uuid:1>";
    EXPECT_FALSE(binding_of_same({other, now}, then));
    other.instance = then.instance;
    EXPECT_EQ(binding_of_same({now, other}, then)->flow.connection, 6U);
}

TEST(WaysBack, WhatMayBeFollowed) {
    const Flow tcp = flow(Transport::tcp), tls = flow(Transport::tls);
    EXPECT_TRUE(may_follow(tcp, flow(Transport::tcp, "192.0.2.7", 6), false));
    EXPECT_TRUE(may_follow(tcp, flow(Transport::udp), false));
    EXPECT_TRUE(may_follow(tcp, tls, false));
    EXPECT_FALSE(may_follow(tcp, flow(Transport::tcp, "192.0.2.9"), false));
    EXPECT_TRUE(may_follow(tcp, flow(Transport::tcp, "192.0.2.9"), true));
    EXPECT_TRUE(may_follow(tls, flow(Transport::tls, "192.0.2.9"), false)) << "who knows the tags is it";
    EXPECT_FALSE(may_follow(tls, tcp, true)) << "never by less than TLS";
    EXPECT_FALSE(may_follow(tls, flow(Transport::udp), true));
}

// What goes out, one line each: connection, first line, Via.
class MovedRequests : public ::testing::Test, public TransactionUser {
protected:
    void on_request_received(const std::string&, const Message&) override {}
    void on_invite_cancelled(const std::string&) override {}
    void on_response_received(std::uint64_t, const Message&) override {}
    void on_request_timed_out(std::uint64_t id) override { timed_out.push_back(id); }

    std::uint64_t request(const Flow& by, const std::string& method, const std::string& call) {
        const std::string branch = "z9hG4bK" + method;
        const std::string head = " sip:a@b SIP/2.0\r\n" + write_via(by, branch) + "To: <sip:a@b>\r\n\r\n";
        return transactions.request(by, method, branch, method + head, "ACK" + head, 0, call);
    }
    void answer(const std::string& method, int status, const Flow& by) {
        Message response = read(
            "SIP/2.0 " + std::to_string(status) + " x\r\n" + write_via(by, "z9hG4bK" + method) +
            "From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 " + method + "\r\n\r\n");
        transactions.receive(response, 0);
    }
    std::vector<std::string> sent;
    std::vector<std::uint64_t> timed_out;
    Transactions transactions{[this](const Flow& by, const std::string& bytes) {
                                  const std::size_t via = bytes.find("Via: SIP/2.0/");
                                  sent.push_back(std::to_string(by.connection) + " " +
                                                 bytes.substr(0, bytes.find(' ')) + " " +
                                                 bytes.substr(via + 13, bytes.find(";rport") - via - 13));
                              },
                              *this, 10};
};

TEST_F(MovedRequests, GoOutAgainByTheOtherWayUntilTheyAreAnswered) {
    const Flow gone = flow(Transport::tcp);
    const Flow now = flow(Transport::tls, "192.0.2.7", 8);
    request(gone, "BYE", "one");
    request(gone, "INFO", "two");
    request(gone, "OPTIONS", "");
    sent.clear();
    EXPECT_TRUE(transactions.awaits_answer("one", 5));
    EXPECT_FALSE(transactions.awaits_answer("one", 6));
    transactions.send_again("one", 5, now, 1000);
    EXPECT_THAT(sent, ElementsAre("8 BYE TLS 192.0.2.1:5060;branch=z9hG4bKBYE"));
    EXPECT_FALSE(transactions.awaits_answer("one", 5));
    EXPECT_TRUE(transactions.awaits_answer("one", 8));
    answer("BYE", 200, now);
    EXPECT_FALSE(transactions.awaits_answer("one", 8));
    transactions.send_again("one", 8, gone, 1000);
    EXPECT_EQ(sent.size(), 1U);
}

TEST_F(MovedRequests, StayWhereTheyAreRatherThanFallBehindTls) {
    request(flow(Transport::tls), "BYE", "one");
    request(flow(Transport::tcp), "INFO", "one");
    sent.clear();
    transactions.send_again("one", 5, flow(Transport::tcp, "192.0.2.7", 8), 1000);
    EXPECT_THAT(sent, ElementsAre(HasSubstr("8 INFO TCP")));
}

TEST_F(MovedRequests, AnInviteThatRingsIsOnlyAcknowledgedThere) {
    const Flow gone = flow(Transport::tcp);
    request(gone, "INVITE", "one");
    answer("INVITE", 100, gone);
    sent.clear();
    transactions.send_again("one", 5, flow(Transport::tcp, "192.0.2.7", 8), 1000);
    EXPECT_THAT(sent, IsEmpty());
    answer("INVITE", 486, gone);
    EXPECT_THAT(sent, ElementsAre(HasSubstr("8 ACK TCP")));
}

TEST_F(MovedRequests, HaveTheTimeThatTheyHadAndThreeWays) {
    const std::uint64_t id = request(flow(Transport::tcp), "BYE", "one");
    for (std::uint64_t connection = 5; connection < 10; ++connection) {
        transactions.send_again("one", connection, flow(Transport::tcp, "192.0.2.7", connection + 1), 20000);
    }
    EXPECT_EQ(sent.size(), 3U);
    EXPECT_FALSE(transactions.awaits_answer("one", 10));
    transactions.tick(kTimeout);
    EXPECT_THAT(timed_out, ElementsAre(id));
}

}  // namespace
}  // namespace vmr::sip::test
