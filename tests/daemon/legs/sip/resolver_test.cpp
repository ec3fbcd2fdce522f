// RFC 3263 on written-down answers; then the same over libre's client and a server of our own.
#include "daemon/legs/sip/network/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/message/uri.hpp"
#include "tests/support/sip/dns_server.hpp"
#include "tests/support/sip/stack_client.hpp"

namespace vmr::sip {

void PrintTo(const Target& target, std::ostream* out) {
    *out << uri_param(target.transport) << " " << target.address.text();
}

namespace test {
namespace {

using ::testing::ElementsAre;
using Zone = std::map<Question, std::vector<DnsRecord>>;

Target target(Transport transport, const std::string& ip, std::uint16_t port) {
    return {transport, {ip, port}};
}

Result<std::vector<Target>> resolve(const std::string& uri, const Zone& zone, ResolverMeans means = {},
                                    std::size_t* questions = nullptr) {
    const auto parsed = parse_uri(uri);
    const Result<Destination> wanted = parsed ? destination_of(*parsed) : Result<Destination>(Error{"bad"});
    if (!wanted) {
        return Error{wanted.error()};
    }
    Resolution resolution(*wanted, std::move(means));
    std::vector<Question> open = resolution.start();
    while (!open.empty()) {
        const Question question = open.back();
        open.pop_back();
        const auto found = zone.find(question);
        if (questions != nullptr) {
            ++*questions;
        }
        for (const Question& next :
             resolution.answer(question, found == zone.end() ? std::vector<DnsRecord>() : found->second)) {
            open.push_back(next);
        }
    }
    return resolution.result();
}

std::vector<Target> targets(const std::string& uri, const Zone& zone, ResolverMeans means = {},
                            std::size_t* questions = nullptr) {
    const auto found = resolve(uri, zone, std::move(means), questions);
    return found.ok() ? found.value() : std::vector<Target>();
}

DnsRecord address(const std::string& ip) {
    return {.text = ip};
}
DnsRecord srv(const std::string& host, std::uint16_t port, std::uint16_t priority = 0,
              std::uint16_t weight = 0) {
    return {.text = host, .order = priority, .weight = weight, .port = port};
}
DnsRecord naptr(const std::string& service, const std::string& name, std::uint16_t order,
                std::uint16_t preference = 0, const std::string& flags = "s") {
    return {.text = name, .order = order, .weight = preference, .flags = flags, .service = service};
}

TEST(Resolver, ALiteralAsksNothing) {
    std::size_t questions = 0;
    EXPECT_THAT(targets("sip:a@192.0.2.1", {}, {}, &questions),
                ElementsAre(target(Transport::udp, "192.0.2.1", 5060)));
    EXPECT_THAT(targets("sips:a@192.0.2.1", {}, {}, &questions),
                ElementsAre(target(Transport::tls, "192.0.2.1", 5061)));
    EXPECT_THAT(targets("sip:a@192.0.2.1:5080;transport=tcp", {}, {}, &questions),
                ElementsAre(target(Transport::tcp, "192.0.2.1", 5080)));
    EXPECT_THAT(targets("sip:a@[2001:db8::1];transport=tls", {}, {.ipv6 = true}, &questions),
                ElementsAre(target(Transport::tls, "2001:db8::1", 5061)));
    EXPECT_FALSE(resolve("sip:a@[2001:db8::1]", {}, {}, &questions).ok());  // no IPv6 here
    EXPECT_EQ(questions, 0U);
}

TEST(Resolver, APortAsksForAddressesOnly) {
    std::size_t questions = 0;
    const Zone zone{{{RecordType::a, "a.example"}, {address("192.0.2.1"), address("192.0.2.2")}}};
    EXPECT_THAT(
        targets("sip:x@A.example:5070", zone, {}, &questions),
        ElementsAre(target(Transport::udp, "192.0.2.1", 5070), target(Transport::udp, "192.0.2.2", 5070)));
    EXPECT_EQ(questions, 1U);
}

TEST(Resolver, ATransportSkipsNaptr) {
    const Zone zone{{{RecordType::naptr, "a.example"}, {naptr("SIP+D2U", "_sip._udp.a.example", 1)}},
                    {{RecordType::srv, "_sips._tcp.a.example"}, {srv("h.example", 5071)}},
                    {{RecordType::a, "h.example"}, {address("192.0.2.9")}}};
    EXPECT_THAT(targets("sip:x@a.example;transport=tls", zone),
                ElementsAre(target(Transport::tls, "192.0.2.9", 5071)));
    EXPECT_THAT(targets("sips:x@a.example", zone), ElementsAre(target(Transport::tls, "192.0.2.9", 5071)));
}

TEST(Resolver, NaptrOrderHoldsAndTlsComesFirstAmongEquals) {
    Zone zone{
        {{RecordType::naptr, "a.example"},
         {naptr("SIP+D2U", "_sip._udp.u.example", 10, 1), naptr("SIPS+D2T", "_sips._tcp.t.example", 10, 9),
          naptr("SIP+D2T", "_sip._tcp.first.example", 5), naptr("E2U+sip", "x.example", 1),
          naptr("SIP+D2T", "no-service-flag.example", 1, 1, "u")}},
        {{RecordType::srv, "_sip._tcp.first.example"}, {srv("h", 1)}},
        {{RecordType::srv, "_sips._tcp.t.example"}, {srv("h", 2)}},
        {{RecordType::srv, "_sip._udp.u.example"}, {srv("h", 3)}},
        {{RecordType::a, "h"}, {address("192.0.2.1")}}};
    EXPECT_THAT(targets("sip:x@a.example", zone),
                ElementsAre(target(Transport::tcp, "192.0.2.1", 1), target(Transport::tls, "192.0.2.1", 2),
                            target(Transport::udp, "192.0.2.1", 3)));
    EXPECT_THAT(targets("sip:x@a.example", zone, {.udp = false, .tcp = false}),
                ElementsAre(target(Transport::tls, "192.0.2.1", 2)));
}

TEST(Resolver, WithoutNaptrEachTransportsServicesAreTriedTlsFirst) {
    const Zone zone{{{RecordType::srv, "_sip._udp.a.example"}, {srv("u.example", 5060)}},
                    {{RecordType::srv, "_sips._tcp.a.example"}, {srv("t.example", 5061)}},
                    {{RecordType::a, "t.example"}, {address("192.0.2.1")}},
                    {{RecordType::a, "u.example"}, {address("192.0.2.2")}},
                    {{RecordType::aaaa, "u.example"}, {address("2001:db8::2")}}};
    EXPECT_THAT(
        targets("sip:x@a.example", zone, {.ipv6 = true}),
        ElementsAre(target(Transport::tls, "192.0.2.1", 5061), target(Transport::udp, "2001:db8::2", 5060),
                    target(Transport::udp, "192.0.2.2", 5060)));
}

TEST(Resolver, WithoutServicesTheHostItself) {
    const Zone zone{{{RecordType::a, "a.example"}, {address("192.0.2.1")}}};
    EXPECT_THAT(targets("sip:x@a.example", zone), ElementsAre(target(Transport::udp, "192.0.2.1", 5060)));
    EXPECT_THAT(targets("sips:x@a.example", zone), ElementsAre(target(Transport::tls, "192.0.2.1", 5061)));
    EXPECT_EQ(resolve("sip:x@b.example", zone).error(), "unknown host");
}

TEST(Resolver, PrioritiesAndWeightsOrderServers) {
    const Zone zone{{{RecordType::srv, "_sip._tcp.a.example"},
                     {srv("second", 2, 20), srv("light", 3, 10, 10), srv("heavy", 4, 10, 90)}},
                    {{RecordType::a, "second"}, {address("192.0.2.2")}},
                    {{RecordType::a, "light"}, {address("192.0.2.3")}},
                    {{RecordType::a, "heavy"}, {address("192.0.2.4")}}};
    const auto ports = [&](std::uint32_t pick) {
        std::vector<int> found;
        ResolverMeans means;
        means.random = [pick](std::uint32_t limit) { return std::min(pick, limit - 1); };
        for (const Target& one : targets("sip:x@a.example;transport=tcp", zone, means)) {
            found.push_back(one.address.port);
        }
        return found;
    };
    EXPECT_THAT(ports(5), ElementsAre(3, 4, 2));
    EXPECT_THAT(ports(50), ElementsAre(4, 3, 2));
}

TEST(Resolver, ADotMeansNotHere) {
    const Zone zone{{{RecordType::srv, "_sip._udp.a.example"}, {srv(".", 0)}},
                    {{RecordType::a, "a.example"}, {address("192.0.2.1")}}};
    EXPECT_FALSE(resolve("sip:x@a.example", zone).ok());
}

TEST(Resolver, HostileAnswersAreBounded) {
    Zone zone;
    for (int i = 0; i < 1000; ++i) {
        zone[{RecordType::srv, "_sip._udp.a.example"}].push_back(
            srv("h" + std::to_string(i), static_cast<std::uint16_t>(1 + i)));
        zone[{RecordType::a, "h" + std::to_string(i)}].push_back(
            address("192.0.2." + std::to_string(i % 256)));
    }
    zone[{RecordType::srv, "_sips._tcp.a.example"}] = {srv("bad name\r\nVia: x", 1), srv("127.0.0.1", 0)};
    std::size_t questions = 0;
    const auto found = resolve("sip:x@a.example", zone, {}, &questions);
    ASSERT_TRUE(found.ok());
    EXPECT_LE(found->size(), kMaxTargets);
    EXPECT_LE(questions, 1 + 3 + 2 * kMaxTargets);
    for (const Target& one : *found) {
        EXPECT_EQ(one.transport, Transport::udp);
    }
}

TEST(Resolver, ALargeRequestTriesTcpFirstWhereNothingElseIsSaid) {
    Resolution large({.host = "192.0.2.1", .large = true}, {});
    EXPECT_TRUE(large.start().empty());
    EXPECT_THAT(large.result().value(), ElementsAre(target(Transport::tcp, "192.0.2.1", 5060),
                                                    target(Transport::udp, "192.0.2.1", 5060)));
    Resolution said({.host = "192.0.2.1", .transport = Transport::udp, .large = true}, {});
    EXPECT_TRUE(said.start().empty());
    EXPECT_THAT(said.result().value(), ElementsAre(target(Transport::udp, "192.0.2.1", 5060)));
}

TEST(Resolver, UnusableAddressesAreRefused) {
    for (const char* uri : {"tel:+49", "sip:x@a.example;transport=sctp", "sips:x@a.example;transport=udp",
                            "sip:x@-", "sip:x@a..example"}) {
        EXPECT_FALSE(resolve(uri, {}).ok()) << uri;
    }
}

TEST(Resolver, WhatNobodyAnswersCountsAsNone) {
    Resolution resolution({.host = "a.example"}, {});
    EXPECT_THAT(resolution.start(), ElementsAre(Question{RecordType::naptr, "a.example"}));
    EXPECT_EQ(resolution.hurry().size(), 3U);
    EXPECT_TRUE(resolution.answer({RecordType::naptr, "a.example"}, {naptr("SIP+D2U", "late", 1)}).empty());
    EXPECT_TRUE(
        resolution.answer({RecordType::srv, "_sip._tcp.a.example"}, {srv("h.example", 5070)}).empty());
    EXPECT_THAT(resolution.hurry(), ElementsAre(Question{RecordType::a, "h.example"}));
    EXPECT_TRUE(resolution.hurry().empty()) << "addresses have all the time there is";
    EXPECT_FALSE(resolution.done());
    EXPECT_TRUE(resolution.answer({RecordType::a, "h.example"}, {address("192.0.2.1")}).empty());
    EXPECT_THAT(resolution.result().value(), ElementsAre(target(Transport::tcp, "192.0.2.1", 5070)));
}

// RFC 3263 section 4.2: the host itself is for domains without SRV records, not for name servers that are
// slow.
TEST(Resolver, ServicesHaveAllTheTimeThatAddressesDoNotNeed) {
    Resolution resolution({.host = "a.example"}, {});
    (void)resolution.start();
    EXPECT_EQ(resolution.patience(5000), 1500) << "some name servers never answer NAPTR";
    EXPECT_EQ(resolution.patience(1000), 1000);
    (void)resolution.answer({RecordType::naptr, "a.example"}, {});
    EXPECT_EQ(resolution.patience(4900), 3400);
    EXPECT_EQ(resolution.patience(3500), 2000) << "NAPTR was not answered";
    EXPECT_EQ(resolution.patience(1400), 0);
    (void)resolution.hurry();
    EXPECT_EQ(resolution.patience(1500), 1500);
}

TEST(Resolver, SilenceMakesNoSecureAddressLessSo) {
    Resolution resolution({.host = "a.example", .secure = true}, {});
    (void)resolution.start();
    EXPECT_THAT(resolution.hurry(), ElementsAre(Question{RecordType::srv, "_sips._tcp.a.example"}));
    EXPECT_THAT(resolution.hurry(), ElementsAre(Question{RecordType::a, "a.example"}));
    (void)resolution.answer({RecordType::a, "a.example"}, {address("192.0.2.1")});
    EXPECT_THAT(resolution.result().value(), ElementsAre(target(Transport::tls, "192.0.2.1", 5061)));
}

TEST(ResolverOnTheWire, AServerThatKnowsNoNaptrIsNoObstacle) {
    DnsServer server;
    server.ignore("a.example");
    server.set(RecordType::srv, "_sip._tcp.a.example", {srv("h.example", 5080)});
    server.set(RecordType::a, "h.example", {address("192.0.2.44")});
    StackClient client({server.address()});
    const auto found = client.resolve("sip:x@a.example");
    ASSERT_TRUE(found.ok()) << found.error();
    EXPECT_THAT(*found, ElementsAre(target(Transport::tcp, "192.0.2.44", 5080)));
}

TEST(ResolverOnTheWire, WhatASlowServerKnowsOfServicesCounts) {
    DnsServer server;
    server.set(RecordType::srv, "_sips._tcp.a.example", {srv("h.example", 5081)});
    server.set(RecordType::a, "h.example", {address("192.0.2.44")});
    server.set(RecordType::a, "a.example", {address("192.0.2.80")});
    server.delay(RecordType::srv, std::chrono::milliseconds(2200));
    StackClient client({server.address()});
    const auto found = client.resolve("sip:x@a.example");
    ASSERT_TRUE(found.ok()) << found.error();
    EXPECT_THAT(*found, ElementsAre(target(Transport::tls, "192.0.2.44", 5081)));
}

TEST(ResolverOnTheWire, FollowsNaptrToAddresses) {
    DnsServer server;
    server.set(RecordType::naptr, "a.example", {naptr("SIP+D2T", "_sip._tcp.a.example", 1)});
    server.set(RecordType::srv, "_sip._tcp.a.example", {srv("h.example", 5080)});
    server.set(RecordType::a, "h.example", {address("192.0.2.44")});
    StackClient client({server.address()});
    const auto found = client.resolve("sip:x@a.example");
    ASSERT_TRUE(found.ok()) << found.error();
    EXPECT_THAT(*found, ElementsAre(target(Transport::tcp, "192.0.2.44", 5080)));
    EXPECT_EQ(server.asked().size(), 3U);
}

TEST(ResolverOnTheWire, AnUnknownHostIsToldAtOnceAndASilentServerInTime) {
    DnsServer server;
    server.ignore("silent.example");
    StackClient client({server.address()});
    EXPECT_EQ(client.resolve("sip:x@nowhere.example").error(), "unknown host");
    EXPECT_EQ(client.resolve("sip:x@silent.example").error(), "the name servers did not answer in time");
}

}  // namespace
}  // namespace test
}  // namespace vmr::sip
