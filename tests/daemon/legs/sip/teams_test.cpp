// Direct Routing: each rule that Microsoft has published is one test here, with scripted proxies that behave
// as theirs do; and what Skype for Business and SIP providers expect. Nothing here is certified by anybody.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/support/sip/dns_server.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kSbc = "first";  // the name in the harness's certificate

// What a proxy of theirs does with a call.
ScriptedPeer::Script accepting(int options = 200) {
    return [options](const std::string& request) -> std::vector<std::string> {
        if (request.starts_with("OPTIONS ")) {
            return {response(request, options)};
        }
        if (request.starts_with("INVITE ")) {
            const std::string contact = "Contact: <sip:api.example:443;transport=tls>\r\n";
            return {response(request, 100), response(request, 183, "fork-a", contact),
                    response(request, 180, "fork-b", contact), response(request, 180, "fork-c", contact),
                    response(request, 200, "fork-b", contact + "Allow: INVITE, ACK, BYE, REFER, NOTIFY\r\n",
                             kAnswer)};
        }
        return request.starts_with("BYE ") ? std::vector{response(request, 200)} : std::vector<std::string>();
    };
}
ScriptedPeer::Script unavailable() {
    return [](const std::string& request) -> std::vector<std::string> {
        return request.starts_with("ACK ")
                   ? std::vector<std::string>()
                   : std::vector{response(request, request.starts_with("OPTIONS ") ? 200 : 503)};
    };
}

class DirectRouting : public ::testing::Test {
protected:
    struct Proxy {
        std::string name;
        TlsConfig certificate;
        std::unique_ptr<ScriptedPeer> peer;
    };
    DirectRouting()
        : folder_(std::filesystem::temp_directory_path() / ("vmr-teams-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~DirectRouting() override {
        harness_.reset();
        proxies_.clear();
        std::filesystem::remove_all(folder_);
    }
    ScriptedPeer& proxy(const std::string& name, ScriptedPeer::Script script) {
        Proxy added{name, make_certificate(name), nullptr};
        added.peer = std::make_unique<ScriptedPeer>(std::move(script), &added.certificate);
        dns_.set(RecordType::a, name, {{.text = "127.0.0.1"}});
        std::ofstream(folder_ / "ca.pem", std::ios::app)
            << std::ifstream(added.certificate.certificate_chain_file).rdbuf();
        proxies_.push_back(std::move(added));
        return *proxies_.back().peer;
    }
    void start(std::map<std::string, SettingValue> set = {},
               const std::string& profile = "teams-direct-routing") {
        std::vector<std::string> uris;
        for (const Proxy& proxy : proxies_) {
            uris.push_back("sip:" + proxy.name + ":" + std::to_string(proxy.peer->port()) + ";transport=tls");
        }
        set.emplace("proxies", uris);
        set.emplace("contact_host", std::string(kSbc));
        TrunkConfig trunk{.name = "teams", .sources = {"127.0.0.1"}, .numbers = {{"+4930123", "team"}}};
        trunk.settings = *trunk_settings(profile, set);
        SipConfig config;
        config.trunks = {trunk};
        config.dial.rules = {{.name = "teams", .prefixes = {"+49"}, .trunk = "teams", .caller = "+4930123"}};
        config.dial.referrals = referrals_;
        config.stack.outbound.name_servers = {dns_.address()};
        config.stack.outbound.ca_file = folder_ / "ca.pem";
        harness_ = std::make_unique<Harness>(std::move(config));
    }
    bool all_up() {
        return harness_->wait([&] {
            return std::ranges::all_of(harness_->legs->trunk_lines(),
                                       [](const auto& line) { return line.up; });
        });
    }
    std::shared_ptr<Leg> dial(const std::string& number = "+49 89 555") {
        std::shared_ptr<Leg> leg;
        harness_->run([&] {
            const Result<DialPlan> plan = harness_->legs->plan(number);
            ASSERT_TRUE(plan.ok());
            terms_ = plan->terms;
            leg = harness_->legs->dial({"out-1", *plan, "Board", "board"});
        });
        return leg;
    }
    std::optional<FakeObserver::Record> answered() {
        return harness_->observer.wait([](const auto& record) { return record.answered; });
    }
    // An INVITE of theirs along the connection that we opened.
    static std::string invite(const std::string& extra = {}, const std::string& number = "+4930123") {
        return "INVITE sip:" + number + "@" + kSbc +
               ":5061;user=phone;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS "
               "127.0.0.1:5061;branch=z9hG4bKt1\r\n"
               "Max-Forwards: 68\r\nRecord-Route: "
               "<sip:sip-du-a.pstnhub.example:5061;transport=tls;lr>\r\nFrom: "
               "\"Ann\" <sip:+4989555@a;user=phone>;tag=t\r\nTo: <sip:" +
               number +
               "@first>\r\nCall-ID: teams-1\r\nCSeq: 1 INVITE\r\nContact: "
               "<sip:api-du-a.pstnhub.example:443;x-i=1;transport=tls>\r\n" +
               extra +
               "Allow: INVITE, ACK, CANCEL, BYE, REFER, NOTIFY\r\nContent-Type: application/sdp\r\n"
               "Content-Length: " +
               std::to_string(std::string(kOffer).size()) + "\r\n\r\n" + kOffer;
    }
    // In the call of that INVITE; `to`: of its 200.
    static std::string within(const std::string& method, int cseq, const std::string& to,
                              const std::string& extra = {}, const std::string& body = {}) {
        return method + " sip:x@first SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK" + method +
               std::to_string(cseq) + "\r\nMax-Forwards: 68\r\nFrom: <sip:+4989555@a>;tag=t\r\nTo: " + to +
               "\r\nCall-ID: teams-1\r\nCSeq: " + std::to_string(cseq) + " " + method +
               "\r\nContact: <sip:api-du-a.pstnhub.example:443;transport=tls>\r\n" + extra +
               (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    // A transfer in that call, which is over as soon as it has begun: another may follow.
    Referral refer(ScriptedPeer& peer, int cseq, const std::string& to, const std::string& target,
                   const std::string& by) {
        EXPECT_TRUE(peer.send(
            within("REFER", cseq, to,
                   "Refer-To: <" + target + ">\r\nReferred-By: " + by + "\r\nRefer-Sub: false\r\n")));
        EXPECT_NE(peer.expect("SIP/2.0 202"), "") << target;
        const std::vector<Referral> all = harness_->observer.referrals();
        if (all.empty()) {
            return {};
        }
        harness_->run([&] { all.back().on_status(200, ""); });
        return all.back();
    }

    std::filesystem::path folder_;
    DnsServer dns_;
    std::vector<Proxy> proxies_;
    std::unique_ptr<Harness> harness_;
    MediaTerms terms_;
    bool referrals_ = false;  // dial_out.refer
};

TEST_F(DirectRouting, OurContactIsTheNameOfOurCertificate) {
    ScriptedPeer& peer = proxy("a", accepting());
    start();
    const std::string options = peer.expect("OPTIONS ");
    EXPECT_THAT(header(options, "Contact"), StartsWith(std::string("<sip:") + kSbc + ":"));
    EXPECT_THAT(header(options, "Contact"), HasSubstr(";transport=tls>"));
    EXPECT_THAT(header(options, "From"), StartsWith(std::string("<sip:") + kSbc + ">"));
    EXPECT_EQ(peer.client_name(), kSbc);
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial());
    const std::string call = peer.expect("INVITE ");
    EXPECT_THAT(header(call, "Contact"), HasSubstr(std::string("@") + kSbc + ":"));
    EXPECT_THAT(header(call, "From"), HasSubstr(std::string("<sip:+4930123@") + kSbc + ">"));
    EXPECT_THAT(call, Not(HasSubstr("sips:")));
    ASSERT_TRUE(answered());
    ASSERT_TRUE(peer.send(invite()));
    EXPECT_THAT(header(peer.expect("SIP/2.0 200"), "Contact"), HasSubstr(std::string("@") + kSbc + ":"));
}

TEST_F(DirectRouting, WeAskByOptionsAndPlaceNoCallBeforeThe200) {
    ScriptedPeer& peer = proxy("a", accepting(403));
    start();
    ASSERT_NE(peer.expect("OPTIONS "), "");
    ASSERT_TRUE(dial());
    const auto ended = harness_->observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended);
    EXPECT_EQ(*ended->ended, EndCause::unreachable);
    EXPECT_THAT(ended->turned_down.text, StartsWith("The trunk is down"));
    EXPECT_EQ(peer.count("INVITE "), 0U);
}

TEST_F(DirectRouting, ARequestUriIsE164WithAPlusOverTls) {
    ScriptedPeer& peer = proxy("a", accepting());
    start();
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial("+49 (89) 555"));
    const std::string call = peer.expect("INVITE ");
    EXPECT_THAT(call, StartsWith("INVITE sip:+4989555@a:" + std::to_string(peer.port()) +
                                 ";transport=tls;user=phone SIP/2.0\r\nVia: SIP/2.0/TLS "));
    EXPECT_THAT(header(call, "To"), StartsWith("<sip:+4989555@a:"));
    EXPECT_EQ(header(call, "P-Asserted-Identity"), "<sip:+4930123@first;user=phone>");
}

TEST_F(DirectRouting, SeveralRingingAnswersWithOtherTagsAreOneCall) {
    ScriptedPeer& peer = proxy("a", accepting());
    start();
    ASSERT_TRUE(all_up());
    const auto leg = dial();
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_EQ(call->progress, "ringing ");
    const std::string ack = peer.expect("ACK ");
    EXPECT_THAT(header(ack, "To"), HasSubstr("tag=fork-b"));
    harness_->run([&] { leg->end(EndCause::hangup); });
    EXPECT_THAT(header(peer.expect("BYE "), "To"), HasSubstr("tag=fork-b"));
}

TEST_F(DirectRouting, FailoverGoesOverTheThreeProxies) {
    ScriptedPeer& first = proxy("a", unavailable());
    ScriptedPeer& second = proxy("b", unavailable());
    ScriptedPeer& third = proxy("c", accepting());
    start();
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial());
    ASSERT_TRUE(answered());
    EXPECT_THAT(first.expect("INVITE "), StartsWith("INVITE sip:+4989555@a:"));
    EXPECT_THAT(second.expect("INVITE "), StartsWith("INVITE sip:+4989555@b:"));
    EXPECT_THAT(third.expect("INVITE "), StartsWith("INVITE sip:+4989555@c:"));
}

TEST_F(DirectRouting, AProxyThatIsDownIsNotTriedAtAll) {
    ScriptedPeer& first = proxy("a", accepting(503));
    proxy("b", accepting());
    start();
    ASSERT_TRUE(harness_->wait([&] { return harness_->legs->trunk_lines().at(1).up; }));
    ASSERT_TRUE(dial());
    ASSERT_TRUE(answered());
    EXPECT_EQ(first.count("INVITE "), 0U);
}

TEST_F(DirectRouting, MediaIsSrtpBySdesWithTheOneSuiteAndIceLiteWhereMediaIsBypassed) {
    proxy("a", accepting());
    start({{"ice", std::string("lite")}});
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial());
    EXPECT_TRUE(terms_.srtp_required);
    EXPECT_THAT(terms_.srtp_suites, ElementsAre("AES_CM_128_HMAC_SHA1_80"));
    EXPECT_THAT(terms_.audio_codecs, ElementsAre("G722", "PCMA", "PCMU"));
    EXPECT_TRUE(terms_.ice_lite);
    EXPECT_TRUE(terms_.hold_inactive);
}

TEST_F(DirectRouting, HoldByInactiveIsAnsweredAndTheirReferIsNotInOurAllow) {
    ScriptedPeer& peer = proxy("a", accepting());
    start();
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(peer.send(invite("P-Asserted-Identity: <tel:+4989777>\r\n")));
    const std::string ok = peer.expect("SIP/2.0 200");
    EXPECT_THAT(header(ok, "Allow"), Not(HasSubstr("REFER")));
    EXPECT_THAT(ok, HasSubstr("Record-Route: <sip:sip-du-a.pstnhub.example:5061;transport=tls;lr>"));
    const std::string to = header(ok, "To");
    ASSERT_TRUE(peer.send(within("ACK", 1, to)));
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_EQ(call->arrival.caller, "+4989777");
    ASSERT_TRUE(peer.send(within("INVITE", 2, to, {}, std::string(kOffer) + "a=inactive\r\n")));
    ASSERT_TRUE(harness_->wait([&] { return call->media->offers.size() == 2; }));
    EXPECT_THAT(call->media->offers.back(), HasSubstr("a=inactive"));
    ASSERT_TRUE(peer.send(within("ACK", 2, to)));
    ASSERT_TRUE(peer.send(within("REFER", 3, to, "Refer-To: <sip:+1900@a>\r\n")));
    EXPECT_NE(peer.expect("SIP/2.0 405"), "");
}

// With REFER in our Allow they transfer by it: to themselves, whomever it is for.
TEST_F(DirectRouting, ATransferGoesBackToThemWithTheStringsAsTheyAre) {
    referrals_ = true;
    proxy("a", unavailable());
    ScriptedPeer& peer = proxy("b", accepting());
    start();
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(peer.send(invite()));
    const std::string ok = peer.expect("SIP/2.0 200");
    EXPECT_THAT(header(ok, "Allow"), HasSubstr("REFER"));
    const std::string to = header(ok, "To");
    ASSERT_TRUE(peer.send(within("ACK", 1, to)));
    const std::string by = "<sip:b:5061;x-m=8:orgid:01-a;x-t=02-B;x-ti=03;x-tt=aHR0cHM6Ly9h%3D>";
    int cseq = 1;
    for (const std::string target :
         {"sip:b:5061;transport=tls;x-m=8:orgid:04-Z;x-t=02-B", "sip:+4989777@A;user=phone"}) {
        const Referral referral = refer(peer, ++cseq, to, target, by);
        ASSERT_TRUE(referral.plan);
        EXPECT_EQ(referral.plan->kind, LegKind::phone);
        EXPECT_EQ(referral.plan->address, cseq == 2 ? "b" : "+4989777");
        EXPECT_GT(referral.plan->max_duration.count(), 0);
        EXPECT_TRUE(referral.plan->terms.srtp_required);
        harness_->run([&] {
            EXPECT_TRUE(harness_->legs->dial({"out-" + std::to_string(cseq), *referral.plan, "B", "board"}));
        });
        const std::string call = peer.expect("INVITE ");
        EXPECT_THAT(call, StartsWith("INVITE " + target + " SIP/2.0\r\n"));
        EXPECT_EQ(header(call, "To"), "<" + target + ">");
        EXPECT_EQ(header(call, "Referred-By"), by);
        EXPECT_EQ(header(call, "P-Asserted-Identity"), "<sip:+4930123@first;user=phone>");
    }
}

// What is not theirs is for the rules to decide.
TEST_F(DirectRouting, ATransferElsewhereIsNotTheirs) {
    referrals_ = true;
    ScriptedPeer& peer = proxy("a", accepting());
    start();
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(peer.send(invite()));
    const std::string to = header(peer.expect("SIP/2.0 200"), "To");
    ASSERT_TRUE(peer.send(within("ACK", 1, to)));
    int cseq = 1;
    for (const char* target :
         {"sip:+4989777@elsewhere.example", "sips:+4989777@a", "tel:+4989777", "sip:a@elsewhere.example"}) {
        EXPECT_FALSE(refer(peer, ++cseq, to, target, "<sip:a>").plan) << target;
    }
}

TEST_F(DirectRouting, NobodyElseSpeaksInTheClearForIt) {
    proxy("a", accepting());
    start();
    Client client(Transport::udp, harness_->port(Transport::udp));
    Caller caller(client, "+4930123");
    client.send(caller.request("INVITE", {}, kOffer));
    EXPECT_THAT(client.expect("SIP/2.0 4"), StartsWith("SIP/2.0 403 TLS Required"));
}

TEST_F(DirectRouting, SkypesSessionTimersAndReliableAnswersAreOffered) {
    ScriptedPeer& peer = proxy("a", accepting());
    start({{"reliable", std::string("required")}, {"min_se", std::int64_t{120}}}, "skype-for-business");
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial());
    const std::string call = peer.expect("INVITE ");
    EXPECT_EQ(header(call, "Session-Expires"), "1800");
    EXPECT_EQ(header(call, "Min-SE"), "120");
    EXPECT_EQ(header(call, "Require"), "100rel");
    EXPECT_THAT(terms_.audio_codecs, ElementsAre("PCMU", "PCMA"));
}

TEST_F(DirectRouting, AProviderIsToldWhoCallsAsItWishes) {
    ScriptedPeer& peer = proxy("a", accepting());
    start({{"hide_caller", true},
           {"caller_header", std::string("preferred")},
           {"number_format", std::string("national")},
           {"country_code", std::string("49")},
           {"domain", std::string("provider.example")}},
          "pstn");
    ASSERT_TRUE(dial());
    const std::string call = peer.expect("INVITE ");
    EXPECT_THAT(call, StartsWith("INVITE sip:089555@provider.example;transport=tls;user=phone SIP/2.0\r\n"));
    EXPECT_EQ(header(call, "P-Preferred-Identity"), "<sip:030123@provider.example;user=phone>");
    EXPECT_EQ(header(call, "Privacy"), "id");
    EXPECT_THAT(header(call, "From"), StartsWith("\"Anonymous\" <sip:anonymous@anonymous.invalid>"));
}

TEST_F(DirectRouting, ACallThatDoesNotKnowPrecedenceIsAskedAgainWithout) {
    ScriptedPeer& peer = proxy("a", [](const std::string& request) -> std::vector<std::string> {
        if (request.starts_with("OPTIONS ")) {
            return {response(request, 200)};
        }
        if (request.find("Require: resource-priority") != std::string::npos) {
            return {response(request, 420, "x", "Unsupported: resource-priority\r\n")};
        }
        return request.starts_with("INVITE ") ? std::vector{response(request, 486)}
                                              : std::vector<std::string>();
    });
    start({}, "as-sip");
    ASSERT_TRUE(all_up());
    ASSERT_TRUE(dial());
    const std::string first = peer.expect("INVITE ");
    EXPECT_EQ(header(first, "Resource-Priority"), "uc-000000.0");
    EXPECT_EQ(header(first, "Require"), "resource-priority");
    const std::string second = peer.expect("INVITE ");
    EXPECT_EQ(header(second, "Resource-Priority"), "uc-000000.0");
    EXPECT_EQ(header(second, "Require"), "");
}

}  // namespace
}  // namespace vmr::sip::test
