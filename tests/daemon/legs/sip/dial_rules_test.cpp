// Who may be called: deny by default; and our answers to those who challenge us, checked by our own server
// half.
#include "daemon/legs/sip/routing/dial_rules.hpp"

#include <gtest/gtest.h>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/routing/trunk_calls.hpp"

namespace vmr::sip {
namespace {

DialRules rules() {
    DialConfig config;
    config.from_host = "vmr.example";
    DialRule partners{.name = "partners", .domains = {"Example.org", "*.example.net", "192.0.2.7"}};
    partners.late_offer = true;
    const DialRule far{.name = "far", .prefixes = {"+49"}, .gateway = "sip:gw.example;transport=tls"};
    const DialRule near{.name = "near",
                        .prefixes = {"+4930", "+49 (30) 5"},
                        .gateway = "sips:gw2.example:5071",
                        .caller = "+4930555",
                        .identity = {"us", "secret"}};
    config.rules = {partners, far, near};
    return *DialRules::make(config);
}

std::string uri_of(const std::string& address) {
    const Result<DialPlan> plan = rules().plan(address);
    return plan ? plan->uri : "";
}

TEST(DialRules, NobodyWithoutARule) {
    for (const char* address :
         {"sip:a@b.example", "a@b.example", "+4930123", "tel:+4930123", "sip:127.0.0.1"}) {
        EXPECT_FALSE(DialRules().plan(address).ok()) << address;
    }
}

TEST(DialRules, DomainsAreExactOrBelowAStar) {
    EXPECT_EQ(uri_of("sip:alice@example.org"), "sip:alice@example.org");
    EXPECT_EQ(uri_of("alice@EXAMPLE.org"), "sip:alice@example.org");
    EXPECT_EQ(uri_of("sips:alice@a.b.example.net:5062"), "sips:alice@a.b.example.net:5062");
    EXPECT_EQ(uri_of("sip:192.0.2.7;transport=tcp"), "sip:192.0.2.7;transport=tcp");
    for (const char* address : {"sip:a@example.net", "sip:a@notexample.org", "sip:a@example.org.evil",
                                "sip:a@sub.example.org", "sip:a@192.0.2.70", "sip:a@evilexample.net"}) {
        EXPECT_EQ(uri_of(address), "") << address;
    }
}

TEST(DialRules, OnlyUserHostPortAndTransportAreLeft) {
    EXPECT_EQ(uri_of("sip:a%20b@example.org;maddr=10.0.0.1;ttl=1?Route=%3csip:x%3e&Subject=y"),
              "sip:a%20b@example.org");
    EXPECT_EQ(uri_of("sip:alice:password@example.org"), "sip:alice@example.org");
    EXPECT_EQ(uri_of("sip:a@example.org\r\nVia: x"), "");
    EXPECT_EQ(uri_of("sip:a@example.org>;tag=1"), "");
    EXPECT_EQ(uri_of("sip:a@example.org;transport=sctp"), "");
    EXPECT_EQ(uri_of(std::string(300, 'a') + "@example.org"), "");
    EXPECT_EQ(uri_of("http://example.org"), "");
}

TEST(DialRules, TheLongestPrefixSendsANumberToItsGateway) {
    EXPECT_EQ(uri_of("+49 89 123"), "sip:+4989123@gw.example;transport=tls;user=phone");
    EXPECT_EQ(uri_of("tel:+49-30-123;ext=5"), "sips:+4930123@gw2.example:5071;user=phone");
    EXPECT_EQ(uri_of("+4930512"), "sips:+4930512@gw2.example:5071;user=phone");
    EXPECT_EQ(uri_of("4989123"), "");
    EXPECT_EQ(uri_of("+33123"), "");
    EXPECT_EQ(uri_of("tel:nonsense"), "");
    EXPECT_EQ(rules().plan("+49 89 123")->kind, LegKind::phone);
}

TEST(DialRules, ANumberAtAGatewayIsANumberHoweverItIsWritten) {
    EXPECT_EQ(uri_of("sip:+4930123@gw.example"), "sips:+4930123@gw2.example:5071;user=phone");
    EXPECT_EQ(uri_of("sip:+33123@gw.example"), "");
    EXPECT_EQ(uri_of("sip:+33123;phone-context=x@GW2.example:5080;user=phone"), "");
    EXPECT_EQ(uri_of("sip:alice@gw.example"), "");
}

// A trunk's proxies make a call of it, whatever the domain: prefixes decide.
TEST(DialRules, ANumberAtADomainThatATrunkReachesIsANumber) {
    TrunkConfig trunk{.name = "net"};
    trunk.settings.proxies = {"sip:sbc.example"};
    const auto trunks = Trunks::make({trunk});
    ASSERT_TRUE(trunks.ok());
    const auto all = DialRules::make(
        {.rules = {{.name = "net", .domains = {"partner.example"}, .prefixes = {"+49"}, .trunk = "net"}}});
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(all->plan("sip:alice@partner.example", *trunks)->uri, "sip:alice@partner.example");
    EXPECT_EQ(all->plan("sip:+4930123@partner.example", *trunks)->uri, "+4930123");
    EXPECT_FALSE(all->plan("sip:+1900555@partner.example", *trunks).ok());
    EXPECT_FALSE(all->plan("sip:+1900555;x=y@partner.example;user=phone", *trunks).ok());
}

std::string by_trunk(const std::string& dialled, std::vector<std::string> prefixes,
                     std::map<std::string, SettingValue> set) {
    TrunkConfig trunk{.name = "net"};
    set["proxies"] = std::vector<std::string>{"sip:sbc.example"};
    trunk.settings = *trunk_settings("pstn", set);
    const auto trunks = Trunks::make({trunk});
    const auto all = DialRules::make({.rules = {{.name = "net", .prefixes = prefixes, .trunk = "net"}}});
    EXPECT_TRUE(trunks.ok() && all.ok());
    const Result<DialPlan> plan = all->plan(dialled, *trunks);
    if (!plan) {
        return "";
    }
    EXPECT_EQ(plan->address, plan->uri);
    return plan->uri + " " + trunk_request_uri(plan->uri, trunk.settings, "sip:sbc.example");
}

TEST(DialRules, ANumberForATrunkIsComparedInFull) {
    const std::map<std::string, SettingValue> german{{"country_code", std::string("49")}};
    for (const char* same :
         {"+49 30 12345", "030 12345", "0049 (30) 12345", "tel:03012345", "sip:03012345@sbc.example"}) {
        EXPECT_EQ(by_trunk(same, {"+4930"}, german), "+493012345 sip:+493012345@sbc.example;user=phone")
            << same;
    }
    EXPECT_EQ(by_trunk("089 12345", {"+4930"}, german), "");
    EXPECT_EQ(by_trunk("4711", {"47"}, german), "4711 sip:4711@sbc.example;user=phone");
    // A prefix as it is dialled is one of that country, and no way abroad.
    EXPECT_EQ(by_trunk("030 12345", {"0"}, german), "+493012345 sip:+493012345@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("0043 1 234567", {"0"}, german), "");
    EXPECT_EQ(by_trunk("+43 1 234567", {"0"}, german), "");
    EXPECT_EQ(by_trunk("030 12345", {"0"}, {}), "03012345 sip:03012345@sbc.example;user=phone");
    const std::map<std::string, SettingValue> digits{{"number_format", std::string("digits")}};
    EXPECT_EQ(by_trunk("493012345", {"+4930"}, digits), "+493012345 sip:493012345@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("493012345", {"4930"}, digits), "+493012345 sip:493012345@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("110", {"11"}, digits), "110 sip:110@sbc.example;user=phone");
}

// +49 and 00 43 … would be dialled as 00 0 43 …, or as 00 43 …: abroad, past the prefix.
TEST(DialRules, NoNumberBecomesAnotherAtTheTrunk) {
    const std::map<std::string, SettingValue> national{{"country_code", std::string("49")},
                                                       {"number_format", std::string("national")}};
    EXPECT_EQ(by_trunk("+49 30 12345", {"+49"}, national), "+493012345 sip:03012345@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("+43 1 234567", {"+4"}, national),
              "+431234567 sip:00431234567@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("+49 0 1900 555", {"+49"}, national), "");
    EXPECT_EQ(by_trunk("+49 (0) 30 12345", {"+49"}, national), "");
    const std::map<std::string, SettingValue> american{{"country_code", std::string("1")},
                                                       {"national_prefix", std::string()},
                                                       {"international_prefix", std::string("011")},
                                                       {"number_format", std::string("national")}};
    EXPECT_EQ(by_trunk("+1 212 5551234", {"+1"}, american),
              "+12125551234 sip:2125551234@sbc.example;user=phone");
    EXPECT_EQ(by_trunk("+1 011 49 30 12345", {"+1"}, american), "");
}

TEST(DialRules, AnAddressCostsWhatItsRuleSays) {
    TrunkConfig trunk{.name = "net"};
    trunk.settings.proxies = {"sip:sbc.example"};
    const auto trunks = Trunks::make({trunk});
    ASSERT_TRUE(trunks.ok());
    const auto all = DialRules::make(
        {.rules = {
             {.name = "free", .domains = {"partner.example"}},
             {.name = "net", .domains = {"far.example"}, .prefixes = {"+49"}, .trunk = "net", .price = 1},
             {.name = "mobile", .prefixes = {"+4917"}, .trunk = "net", .price = 2},
             {.name = "dear", .prefixes = {"+1"}, .gateway = "sip:gw.example", .price = 3},
             {.name = "paid", .domains = {"paid.example"}, .price = 4}}});
    ASSERT_TRUE(all.ok());
    for (const auto& [address, price] : {std::pair("a@partner.example", 0),
                                         {"a@far.example", 1},
                                         {"+4930123", 1},
                                         {"+4917123", 2},
                                         {"sip:+4917123@sbc.example", 2},
                                         {"sip:+4917123@far.example", 2},
                                         {"+1900", 3},
                                         {"sip:+1900@gw.example", 3},
                                         {"a@paid.example", 4}}) {
        const auto plan = all->plan(address, *trunks);
        ASSERT_TRUE(plan.ok()) << address;
        EXPECT_EQ(plan->price, price) << address;
    }
    // A transfer within a trunk, which no rule is asked about, costs no less than whatever it might be.
    TrunkConfig inbound{.name = "in"};
    inbound.settings.proxies = {"sip:in.example"};
    EXPECT_EQ(all->plan_within(trunk, "sip:+4930123@sbc.example")->price, 2);
    EXPECT_EQ(all->plan_within(inbound, "sip:+4930123@in.example")->price, 4);
}

TEST(DialRules, TheRuleSaysAsWhomWeCall) {
    const DialRules all = rules();
    const Invite number = all.invite({"l", *all.plan("+4930123"), "Board", "board"}, "");
    EXPECT_EQ(number.from_user, "+4930555");
    EXPECT_EQ(number.identity.user, "us");
    const Invite partner = all.invite({"l", *all.plan("alice@example.org"), "Board", "bo\"ard>"}, "");
    EXPECT_EQ(partner.from_user, "board");
    EXPECT_EQ(partner.from_host, "vmr.example");
    EXPECT_FALSE(partner.identity.given());
    EXPECT_TRUE(partner.late_offer);
}

TEST(DialRules, MistakesAreRefused) {
    const DialRule good{.name = "good", .domains = {"a.example"}};
    const std::pair<DialRule, const char*> wrong[] = {
        {{.name = "empty"}, ""},
        {{.name = "device", .domains = {"a"}}, "name"},
        {{.name = "all", .domains = {"*"}}, "domains/0"},
        {{.name = "inner", .domains = {"b.example", "a.*.example"}}, "domains/1"},
        {{.name = "lost", .prefixes = {"+49"}}, "gateway"},
        {{.name = "user", .prefixes = {"+49"}, .gateway = "sip:x@gw"}, "gateway"},
        {{.name = "letters", .prefixes = {"abc"}, .gateway = "sip:gw"}, "prefixes/0"},
        {{.name = "both", .prefixes = {"+49"}, .trunk = "t", .gateway = "sip:gw"}, "gateway"},
        {{.name = "quote", .domains = {"a"}, .identity = {"a\"b", "s"}}, "username"}};
    for (const auto& [rule, key] : wrong) {
        EXPECT_FALSE(DialRules::make({{rule}, "", std::chrono::seconds(60)}).ok()) << rule.name;
        const auto faults = faults_of({good, rule});
        ASSERT_EQ(faults.size(), 1U) << rule.name;
        EXPECT_EQ(faults[0].index, 1U);
        EXPECT_EQ(faults[0].key, key) << rule.name;
    }
}

// What we answer is what our own server half accepts, by either hash.
TEST(DigestClient, OurServerHalfAcceptsIt) {
    Digest server("vmr", "key");
    for (const DigestAlgorithms algorithms :
         {DigestAlgorithms::md5, DigestAlgorithms::sha256, DigestAlgorithms::both}) {
        Message challenge;
        challenge.request = false;
        challenge.method = "INVITE";
        challenge.status = 407;
        for (const std::string& value : server.challenge(algorithms, "192.0.2.1", false, 1000)) {
            challenge.headers.push_back({"proxy-authenticate", value});
        }
        const auto header = answer_challenge(challenge, {"us", "secret"}, "sip:bob@b.example", "c0ffee");
        ASSERT_TRUE(header);
        EXPECT_EQ(header->name, "Proxy-Authorization");
        const auto ha1_of = [](const std::string& user, DigestAlgorithms answer) {
            return user == "us" ? std::optional(digest_ha1(answer, user, "vmr", "secret")) : std::nullopt;
        };
        Message invite;
        invite.method = "INVITE";
        invite.uri = *parse_uri("sip:bob@b.example");
        invite.flow.remote.ip = "192.0.2.1";
        invite.headers = {{"proxy-authorization", header->value}};
        EXPECT_EQ(server.verify(invite, "proxy-authorization", ha1_of, 2000), Digest::Verdict::accepted);
        EXPECT_EQ(header->value.find("SHA-256") != std::string::npos, algorithms != DigestAlgorithms::md5);
    }
}

TEST(DigestClient, WhatCannotBeAnsweredIsNot) {
    Message challenge;
    challenge.request = false;
    challenge.status = 401;
    for (const char* value :
         {"Basic realm=\"x\"", "Digest realm=\"x\"", "Digest realm=\"x\", nonce=\"n\", algorithm=MD5-sess",
          "Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""}) {
        challenge.headers = {{"www-authenticate", value}};
        EXPECT_FALSE(answer_challenge(challenge, {"us", "secret"}, "sip:b", "c")) << value;
    }
    challenge.headers = {{"www-authenticate", "Digest realm=\"x\", nonce=\"n\""}};
    EXPECT_FALSE(answer_challenge(challenge, {}, "sip:b", "c"));
}

}  // namespace
}  // namespace vmr::sip
