// Profiles are tables of defaults: those of the documents, each of them overridden alone; and what a trunk's
// settings make of numbers and callers.
#include "daemon/legs/sip/routing/trunk_profile.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "daemon/legs/sip/routing/caller.hpp"
#include "tests/support/sip/fake_host.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> found;
    std::size_t at = 2;
    while (at < line.size()) {
        const std::size_t end = std::min(line.find(" | ", at), line.size());
        found.push_back(line.substr(at, end - at));
        at = end + 3;
    }
    return found;
}

TEST(TrunkProfiles, TheDocumentsHaveTheSameDefaults) {
    std::ifstream file(std::string(std::getenv("VMR_SOURCE_ROOT")) + "/docs/operations.md");
    std::map<std::string, std::vector<std::string>> documented;
    for (std::string line; std::getline(file, line);) {
        if (const auto row = cells(line); line.starts_with("| `") && row.size() == kProfiles.size() + 3) {
            documented[row[0]] = {row.begin() + 2, row.begin() + 2 + kProfiles.size()};
        }
    }
    for (const SettingRow& row : setting_rows()) {
        const auto found = documented.find("`" + std::string(row.name) + "`");
        ASSERT_NE(found, documented.end()) << row.name;
        for (std::size_t i = 0; i < kProfiles.size(); ++i) {
            if (found->second[i] != "below") {
                EXPECT_EQ(found->second[i], row.defaults[i].empty() ? "–" : row.defaults[i])
                    << row.name << " in " << kProfiles[i];
            }
        }
    }
    EXPECT_EQ(documented.size(), setting_rows().size());
}

TEST(TrunkProfiles, EachSettingIsOverriddenAlone) {
    const auto plain = trunk_settings("teams-direct-routing", {});
    ASSERT_TRUE(plain.ok());
    EXPECT_THAT(plain->proxies, ElementsAre("sip:sip.pstnhub.microsoft.com;transport=tls",
                                            "sip:sip2.pstnhub.microsoft.com;transport=tls",
                                            "sip:sip3.pstnhub.microsoft.com;transport=tls"));
    EXPECT_THAT(plain->srtp_suites, ElementsAre("AES_CM_128_HMAC_SHA1_80"));
    EXPECT_TRUE(plain->tls && plain->options_first);
    EXPECT_EQ(plain->hold, HoldBy::inactive);
    const auto set = trunk_settings(
        "teams-direct-routing",
        {{"options_interval", std::int64_t{30}}, {"hold", std::string("sendonly")}, {"tls", false}});
    ASSERT_TRUE(set.ok());
    EXPECT_EQ(set->options_interval, 30);
    EXPECT_EQ(set->hold, HoldBy::sendonly);
    EXPECT_FALSE(set->tls);
    EXPECT_EQ(set->srtp_suites, plain->srtp_suites);
    const auto military = trunk_settings("as-sip", {});
    EXPECT_THAT(military->dscp_audio, ElementsAre(51, 39, 37, 35, 33));
    EXPECT_EQ(military->precedence, "uc-000000.0");
}

TEST(TrunkProfiles, MistakesAreNamed) {
    EXPECT_FALSE(trunk_settings("carrier", {}).ok());
    EXPECT_THAT(trunk_settings("pstn", {{"hold", std::string("never")}}).error(), StartsWith("hold: "));
    EXPECT_THAT(trunk_settings("pstn", {{"tls", std::int64_t{1}}}).error(), StartsWith("tls: "));
    EXPECT_THAT(trunk_settings("pstn", {{"colour", true}}).error(), StartsWith("colour: "));
    const auto make = [](std::map<std::string, SettingValue> set) {
        TrunkConfig config{.name = "t"};
        config.settings = *trunk_settings("pstn", set);
        return Trunks::make({config});
    };
    const auto proxy = [](const char* uri) { return SettingValue(std::vector<std::string>{uri}); };
    EXPECT_TRUE(make({{"proxies", proxy("sip:gw.example")}}).ok());
    EXPECT_FALSE(make({}).ok());
    EXPECT_FALSE(make({{"proxies", proxy("sip:user@gw.example")}}).ok());
    EXPECT_FALSE(make({{"proxies", proxy("sip:gw.example")}, {"tls", true}}).ok());
    EXPECT_TRUE(make({{"proxies", proxy("sip:gw.example;transport=tls")}, {"tls", true}}).ok());
    EXPECT_FALSE(make({{"proxies", proxy("sip:gw.example")}, {"register", true}}).ok());
    TrunkConfig nameless{.name = "t", .sources = {"192.0.2.7"}};
    nameless.settings = *trunk_settings("pstn", {{"mutual_tls", true}});
    EXPECT_FALSE(Trunks::make({nameless}).ok());
}

TEST(TrunkProfiles, EachMistakeIsToldByTheKeyThatItStandsAt) {
    TrunkConfig good{.name = "good", .user = "u", .secret = "s"};
    TrunkConfig bad{.name = "bad", .sources = {"192.0.2.7", "10.0.0.0/33"}, .user = "u", .secret = "t"};
    bad.numbers = {{"letters", "meet"}};
    bad.settings = *trunk_settings(
        "pstn",
        {{"proxies", std::vector<std::string>{"sip:gw.example", "sip:user@gw.example"}}, {"register", true}});
    std::vector<std::string> keys;
    for (const ConfigFault& fault : faults_of({good, bad})) {
        EXPECT_EQ(fault.index, 1U);
        keys.push_back(fault.key);
    }
    EXPECT_THAT(keys, ElementsAre("addresses/1", "proxies/1", "register", "numbers/letters", "username"));
}

TEST(TrunkNumbers, AreNormalisedBothWays) {
    TrunkSettings german = *trunk_settings("pstn", {{"country_code", std::string("49")}});
    EXPECT_EQ(to_e164("030 123-45", german), "+493012345");
    EXPECT_EQ(to_e164("0043 1 234", german), "+431234");
    EXPECT_EQ(to_e164("+1 (212) 555", german), "+1212555");
    EXPECT_EQ(to_e164("4711", german), "4711");  // an extension
    EXPECT_EQ(to_e164("alice", german), "");
    german.number_format = NumberFormat::national;
    EXPECT_EQ(from_e164("+493012345", german), "03012345");
    EXPECT_EQ(from_e164("+431234", german), "00431234");
    EXPECT_EQ(from_e164("4711", german), "4711");
    const TrunkSettings digits = *trunk_settings("pstn", {{"number_format", std::string("digits")}});
    EXPECT_EQ(to_e164("493012345", digits), "+493012345");
    EXPECT_EQ(to_e164("110", digits), "110");
    EXPECT_EQ(from_e164("+493012345", digits), "493012345");
    const TrunkSettings american = *trunk_settings("pstn", {{"country_code", std::string("1")},
                                                            {"national_prefix", std::string()},
                                                            {"international_prefix", std::string("011")}});
    EXPECT_EQ(to_e164("2125551234", american), "+12125551234");
    EXPECT_EQ(to_e164("011493012345", american), "+493012345");
    EXPECT_EQ(to_e164("911", american), "911");
    EXPECT_EQ(from_e164("+493012345", *trunk_settings("pstn", {})), "+493012345");
}

Message invite(const std::string& extra, const std::string& from = "sip:+4930777@pstn",
               const std::string& to = "+4930123") {
    return read("INVITE sip:" + to + "@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-1\r\n" +
                "From: \"Ann\" <" + from + ">;tag=1\r\nTo: <sip:" + to + "@192.0.2.1>\r\nCall-ID: 1\r\n" +
                "CSeq: 1 INVITE\r\nContact: <sip:192.0.2.7>\r\n" + extra + "Content-Length: 0\r\n\r\n");
}

class TrunkCalls : public ::testing::Test {
protected:
    Arrival arrive(const Message& call, std::map<std::string, SettingValue> set = {}) {
        TrunkConfig config{.name = "carrier", .sources = {"192.0.2.7"}};
        config.numbers = {{"+49 30 123", "team"}};
        config.settings = *trunk_settings("pstn", set);
        trunks = *Trunks::make({config});
        const Trunks::Match match = trunks.match(call, "");
        EXPECT_EQ(match.kind, Trunks::Match::Kind::trunk);
        return match.trunk != nullptr ? describe(call, match, "leg", "salt") : Arrival();
    }
    Trunks trunks;
};

TEST_F(TrunkCalls, ANationalNumberLeadsToItsRoom) {
    const Arrival call =
        arrive(invite({}, "sip:0301234567@pstn", "030123"), {{"country_code", std::string("49")}});
    EXPECT_EQ(call.alias, "team");
    EXPECT_EQ(call.caller, "+49301234567");
    EXPECT_EQ(call.kind, LegKind::phone);
    EXPECT_EQ(call.display_name, "Ann");
}

// A registrar writes our Contact over the Request-URI (RFC 3261 section 16.6): our account, whoever is
// called.
TEST_F(TrunkCalls, ACallToOurAccountLeadsWhereItsNumberDoes) {
    TrunkConfig config{.name = "provider", .sources = {"192.0.2.7"}};
    config.numbers = {{"+4930123", "team"}, {"+4930124", "board"}};
    config.settings = *trunk_settings("pstn", {{"country_code", std::string("49")}});
    const auto alias = [&](const std::string& account, const std::string& uri, const std::string& to,
                           const std::string& extra = {}) {
        config.account = {account, "secret"};
        trunks = *Trunks::make({config});
        Message call = invite(extra, "sip:+4930777@pstn", uri);
        call.to = *parse_name_addr("<sip:" + to + "@provider>");
        const Trunks::Match match = trunks.match(call, "");
        return match.kind == Trunks::Match::Kind::trunk ? match.alias : "none";
    };
    EXPECT_EQ(alias("1234567", "1234567", "+4930123"), "team");
    EXPECT_EQ(alias("1234567", "1234567", "030124"), "board");
    EXPECT_EQ(alias("+1234567", "1234567;x=y", "+4930123"), "team");
    EXPECT_EQ(alias("1234567", "1234567", "anybody", "P-Called-Party-ID: <tel:+4930124>\r\n"), "board");
    EXPECT_EQ(alias("us", "us", "+4930123"), "team");
    EXPECT_EQ(alias("1234567", "1234567", "+4930125"), "none");
    EXPECT_EQ(alias("1234567", "7654321", "+4930123"), "none") << "not our account: To is anybody's word";
    EXPECT_EQ(alias("", "1234567", "+4930123"), "none");
    config.numbers["1234567"] = "reception";  // whatever else is called
    EXPECT_EQ(alias("1234567", "1234567", "+4930123"), "team");
    EXPECT_EQ(alias("1234567", "1234567", "+4930125"), "reception");
}

TEST_F(TrunkCalls, TheNetworksVerdictOnTheCallerIsPassedOn) {
    const auto verdict = [&](const std::string& extra, const std::string& from = "sip:+4930777@pstn") {
        return arrive(invite(extra, from)).verification;
    };
    EXPECT_EQ(verdict({}), "");
    EXPECT_EQ(verdict({}, "sip:+4930777;verstat=TN-Validation-Passed@pstn;user=phone"), "passed");
    EXPECT_EQ(verdict("P-Asserted-Identity: <tel:+4930888;verstat=TN-Validation-Failed>\r\n"), "failed");
    EXPECT_EQ(verdict("P-Asserted-Identity: <sip:+4930888;verstat=No-TN-Validation@x>\r\n"), "none");
    EXPECT_EQ(verdict("P-Asserted-Identity: <sip:+4930888;verstat=made-up@x>\r\n"), "");
    const Arrival kept =
        arrive(invite("Identity: eyJhbGciOiJFUzI1NiJ9.e30.sig;info=<https://x>;ppt=shaken\r\n"));
    EXPECT_THAT(kept.identity, StartsWith("eyJhbGciOiJFUzI1NiJ9"));
    EXPECT_EQ(kept.verification, "");  // nobody here looks into it
    EXPECT_EQ(arrive(invite("P-Asserted-Identity: <sip:+4930888;verstat=TN-Validation-Passed@x>\r\n"),
                     {{"caller_trusted", false}})
                  .verification,
              "");
}

TEST_F(TrunkCalls, AnAssertionOfATrunkThatIsNotTrustedIsNotHeard) {
    const Message call = invite("P-Asserted-Identity: <sip:+4930888@x>\r\n");
    EXPECT_EQ(arrive(call).caller, "+4930888");
    EXPECT_EQ(arrive(call, {{"caller_trusted", false}}).caller, "+4930777");
}

TEST_F(TrunkCalls, AWithheldNumberIsShownToNobodyAndRecordedByPolicy) {
    for (const char* value : {"id", "user;id", "header; critical"}) {
        const Message call = invite(std::string("Privacy: ") + value +
                                    "\r\nP-Asserted-Identity: <sip:+4930888@x>\r\nIdentity: token\r\n");
        const Arrival hidden = arrive(call);
        EXPECT_TRUE(hidden.withheld) << value;
        EXPECT_EQ(hidden.display_name, "");
        EXPECT_THAT(hidden.caller, StartsWith("anonymous-"));
        EXPECT_EQ(hidden.caller, arrive(call).caller);  // the same caller, for the limits on guesses
        EXPECT_THAT(hidden.identity, IsEmpty());
        const Arrival recorded = arrive(call, {{"withheld_in_record", true}});
        EXPECT_TRUE(recorded.withheld);
        EXPECT_EQ(recorded.caller, "+4930888");
    }
    EXPECT_FALSE(arrive(invite("Privacy: none\r\n")).withheld);
    EXPECT_EQ(arrive(invite({}, "sip:anonymous@anonymous.invalid")).caller, "anonymous");
}

TEST_F(TrunkCalls, ASettingMayDemandTlsAndACertificate) {
    Message call = invite({});
    TrunkSettings settings = *trunk_settings("skype-for-business", {});
    ASSERT_TRUE(trunk_refusal(call, settings));
    EXPECT_EQ(trunk_refusal(call, settings)->status, 403);
    call.flow.transport = Transport::tls;
    ASSERT_TRUE(trunk_refusal(call, settings));
    EXPECT_EQ(trunk_refusal(call, settings)->reason, "Client Certificate Required");
    call.flow.peer_certificate = "/CN=pool.example";
    call.flow.peer_domains = {"pool.example"};
    EXPECT_TRUE(trunk_refusal(call, settings));  // somebody else's
    settings.proxies = {"sip:Pool.example;transport=tls"};
    EXPECT_FALSE(trunk_refusal(call, settings));
    settings.peer_names = {"other.example"};
    EXPECT_TRUE(trunk_refusal(call, settings));
    settings.peer_names = {"pool.example"};
    EXPECT_FALSE(trunk_refusal(call, settings));
    EXPECT_FALSE(trunk_refusal(invite({}), *trunk_settings("pstn", {})));
}

// Any server that we called has a certificate: it may be the trunk's, but vouches for no stranger.
TEST_F(TrunkCalls, ACertificateOfWhomWeCalledMakesNobodyTrusted) {
    Message call = invite({});
    call.flow.transport = Transport::tls;
    EXPECT_FALSE(describe(call, {}, "leg", "salt").trusted);
    call.flow.peer_certificate = "/CN=pool.example";
    call.flow.peer_domains = {"pool.example"};
    EXPECT_TRUE(describe(call, {}, "leg", "salt").trusted);
    call.flow.opened_by_us = true;
    EXPECT_FALSE(describe(call, {}, "leg", "salt").trusted);
    TrunkSettings settings = *trunk_settings("skype-for-business", {});
    settings.peer_names = {"pool.example"};
    EXPECT_FALSE(trunk_refusal(call, settings));
}

TEST_F(TrunkCalls, WithProxiesAloneNobodyElseIsTheTrunk) {
    TrunkConfig config{.name = "cloud"};
    config.numbers = {{"+4930123", "team"}};
    config.settings = *trunk_settings("pstn", {{"proxies", std::vector<std::string>{"sip:gw.example"}}});
    trunks = *Trunks::make({config});
    EXPECT_EQ(trunks.match(invite({}), "").kind, Trunks::Match::Kind::none);
    trunks.learn("cloud", {"192.0.2.7"});
    EXPECT_EQ(trunks.match(invite({}), "").kind, Trunks::Match::Kind::trunk);
    EXPECT_TRUE(trunks.is_source("192.0.2.7"));
}

}  // namespace
}  // namespace vmr::sip::test
