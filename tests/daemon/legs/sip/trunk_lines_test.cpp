// Whether a trunk's proxies are there, and our registrations with them: scripted proxies on a made-up clock.
#include "daemon/legs/sip/trunks/lines.hpp"

#include <gmock/gmock.h>

#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

class Proxies : public ::testing::Test, public LineHost {
protected:
    struct Sent {
        Flow flow;
        std::string method, bytes;
    };
    TrunkConfig trunk(const std::string& profile, Strings proxies,
                      std::map<std::string, SettingValue> set = {}) {
        TrunkConfig config{.name = "t", .sources = {}};
        set["proxies"] = std::move(proxies);
        config.settings = *trunk_settings(profile, set);
        config.account = {"us", "secret"};
        return config;
    }
    void begin(const TrunkConfig& config) {
        lines.set({config}, "vmr.example", time);
        lines.tick(time);
    }
    void at(std::int64_t when) {
        time = when;
        lines.tick(time);
    }
    void respond(std::size_t number, int status, const std::string& extra = {}) {
        const Sent& to = sent.at(number);
        const std::string contact = to.method == "REGISTER" && status == 200 && extra.empty()
                                        ? "Contact: " + header(to.bytes, "Contact") + ";expires=600\r\n"
                                        : "";
        lines.receive_response(
            number + 1,
            read("SIP/2.0 " + std::to_string(status) + " Word\r\nVia: " + header(to.bytes, "Via") +
                 "\r\nFrom: " + header(to.bytes, "From") + "\r\nTo: " + header(to.bytes, "To") +
                 ";tag=x\r\nCall-ID: " + header(to.bytes, "Call-ID") + "\r\nCSeq: " +
                 header(to.bytes, "CSeq") + "\r\n" + contact + extra + "Content-Length: 0\r\n\r\n"),
            time);
    }
    Strings methods() const {
        Strings all;
        for (const Sent& one : sent) {
            all.push_back(one.method);
        }
        return all;
    }

    void resolve(const Destination& destination, OnResolved on_resolved) override {
        const auto found = names.find(destination.host);
        ++resolved;
        if (found == names.end()) {
            on_resolved(Error{"unknown host"});
            return;
        }
        std::vector<Target> targets;
        for (const std::string& ip : found->second) {
            targets.push_back({destination.transport.value_or(Transport::udp), {ip, 5060}});
        }
        on_resolved(targets);
    }
    void open(const Target& target, const std::string&, OnOpened on_opened) override {
        if (dead.contains(target.address.ip)) {
            on_opened(Error{"no connection"});
            return;
        }
        const bool stream = target.transport != Transport::udp;
        on_opened(Flow{target.transport, target.address, {"192.0.2.1", 5061}, stream ? ++connection : 0});
    }
    std::uint64_t request(const Flow& flow, const std::string& method, const std::string&,
                          const std::string& bytes, const std::string&) override {
        sent.push_back({flow, method, bytes});
        return sent.size();
    }
    std::int64_t now() const override { return time; }
    std::string new_token() override { return "token" + std::to_string(++tokens); }
    void on_line_changed(const LineStatus& status) override { changes.push_back(status); }
    void on_trunk_found(const std::string& name) override { found = lines.addresses(name); }

    std::map<std::string, Strings> names{{"a", {"192.0.2.10"}}, {"b", {"192.0.2.20"}}, {"c", {"192.0.2.30"}}};
    std::set<std::string> dead, found;
    std::vector<Sent> sent;
    std::vector<LineStatus> changes;
    std::int64_t time = 0;
    std::uint64_t connection = 0;
    int tokens = 0, resolved = 0;
    Lines lines{*this};
};

constexpr const char* kA = "sip:a;transport=tls";
constexpr const char* kB = "sip:b;transport=tls";
constexpr const char* kC = "sip:c;transport=tls";

TEST_F(Proxies, AreAskedByOptionsAndUpWhenTheyAnswer) {
    begin(trunk("sip-provider", {kA}, {{"register", false}}));
    ASSERT_THAT(methods(), ElementsAre("OPTIONS"));
    const std::string options = sent[0].bytes;
    EXPECT_THAT(options,
                StartsWith("OPTIONS sip:a;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1:5061;"));
    EXPECT_THAT(header(options, "From"), StartsWith("<sip:us@vmr.example>;tag="));
    EXPECT_EQ(header(options, "Contact"), "<sip:us@vmr.example:5061;transport=tls>");
    EXPECT_THAT(options, Not(HasSubstr("User-Agent")));
    EXPECT_EQ(found, std::set<std::string>{"192.0.2.10"});
    EXPECT_FALSE(lines.status()[0].up);
    respond(0, 404);  // somebody is there (RFC 3261 section 11)
    EXPECT_TRUE(lines.status()[0].up);
    EXPECT_EQ(changes.size(), 1U);
    at(59'000);
    EXPECT_EQ(sent.size(), 1U);
    at(60'000);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(header(sent[1].bytes, "CSeq"), "2 OPTIONS");
    EXPECT_EQ(header(sent[1].bytes, "Call-ID"), header(options, "Call-ID"));
}

TEST_F(Proxies, AreDownAfterSeveralFailuresAndUpAgain) {
    begin(trunk("sip-provider", {kA}, {{"register", false}}));
    respond(0, 200);
    at(60'000);
    at(68'000);  // no answer
    EXPECT_TRUE(lines.status()[0].up);
    at(73'000);
    ASSERT_EQ(sent.size(), 3U);
    respond(2, 503);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_FALSE(changes[1].up);
    EXPECT_EQ(changes[1].why, "OPTIONS: 503 Service Unavailable");
    at(83'000);  // 10 s, then 20 s
    ASSERT_EQ(sent.size(), 4U);
    respond(3, 200);
    EXPECT_TRUE(changes.back().up);
    EXPECT_EQ(changes.back().why, "");
    EXPECT_EQ(lines.next_deadline(), 143'000);
}

TEST_F(Proxies, AnotherServerOfTheNameIsTriedAtOnce) {
    names["a"] = {"192.0.2.10", "192.0.2.11", "192.0.2.12"};
    dead = {"192.0.2.10"};
    begin(trunk("sip-provider", {kA}, {{"register", false}}));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].flow.remote.ip, "192.0.2.11");
    respond(0, 503);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1].flow.remote.ip, "192.0.2.12");
    respond(1, 200);
    EXPECT_TRUE(lines.status()[0].up);
    EXPECT_EQ(found.size(), 3U);
}

TEST_F(Proxies, AConnectionThatBreaksIsOpenedAgain) {
    begin(trunk("sip-provider", {kA}, {{"register", false}}));
    respond(0, 200);
    lines.connection_closed(1, 10'000);
    EXPECT_EQ(lines.next_deadline(), 11'000);
    at(11'000);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1].flow.connection, 2U);
    EXPECT_TRUE(lines.status()[0].up);
}

TEST_F(Proxies, AnUnknownNameIsLookedUpAgainWithPauses) {
    names.clear();
    begin(trunk("sip-provider", {kA}, {{"register", false}}));
    EXPECT_EQ(resolved, 1);
    at(100);
    EXPECT_EQ(resolved, 1);
    at(5'000);
    EXPECT_EQ(resolved, 2);
    EXPECT_EQ(lines.status()[0].why, "unknown host");
    EXPECT_FALSE(changes.back().up);
    at(14'999);
    EXPECT_EQ(resolved, 2);
}

TEST_F(Proxies, CallsGoToThoseThatAreUpFirst) {
    begin(trunk("pstn", {kA, kB, kC}, {{"options_interval", std::int64_t{60}}}));
    EXPECT_THAT(lines.ways("t"), ElementsAre(kA, kB, kC));
    EXPECT_THAT(lines.ways("other"), IsEmpty());
    respond(0, 503);
    at(5'000);
    ASSERT_EQ(sent.size(), 4U);
    respond(3, 503);
    EXPECT_THAT(lines.ways("t"), ElementsAre(kB, kC, kA));
}

TEST_F(Proxies, WithoutOptionsEveryProxyCountsAsUp) {
    begin(trunk("pstn", {kA, kB}));
    EXPECT_THAT(sent, IsEmpty());
    EXPECT_TRUE(lines.status()[0].up);
    EXPECT_THAT(lines.ways("t"), ElementsAre(kA, kB));
    EXPECT_EQ(lines.next_deadline(), std::nullopt);
}

TEST_F(Proxies, ATrunkThatDidNotChangeGoesOnOverAReload) {
    const TrunkConfig config = trunk("sip-provider", {kA}, {{"register", false}});
    begin(config);
    respond(0, 200);
    lines.set({config}, "vmr.example", 100);
    lines.tick(100);
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_TRUE(lines.status()[0].up);
    TrunkConfig other = config;
    other.settings.options_interval = 30;
    lines.set({other}, "vmr.example", 200);
    lines.tick(200);
    EXPECT_EQ(sent.size(), 2U);
    lines.set({}, "vmr.example", 300);
    EXPECT_THAT(lines.status(), IsEmpty());
}

constexpr const char* kChallenge =
    "WWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"\r\n";

class Registrations : public Proxies {
protected:
    void begin_registered(std::map<std::string, SettingValue> set = {}) {
        set.emplace("options_interval", std::int64_t{0});
        begin(trunk("sip-provider", {kA}, std::move(set)));
        ASSERT_THAT(methods(), ElementsAre("REGISTER"));
    }
};

TEST_F(Registrations, AreMadeWithCredentialsAndRefreshed) {
    begin_registered();
    const std::string first = sent[0].bytes;
    EXPECT_THAT(first, StartsWith("REGISTER sip:a SIP/2.0\r\n"));
    EXPECT_EQ(header(first, "To"), "<sip:us@a>");
    EXPECT_EQ(header(first, "Contact"), "<sip:us@vmr.example:5061;transport=tls>");
    EXPECT_EQ(header(first, "Expires"), "600");
    EXPECT_THAT(lines.ways("t"), ElementsAre(kA));
    respond(0, 401, kChallenge);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_THAT(header(sent[1].bytes, "Authorization"), HasSubstr("uri=\"sip:a\", algorithm=SHA-256"));
    EXPECT_EQ(header(sent[1].bytes, "CSeq"), "2 REGISTER");
    EXPECT_EQ(header(sent[1].bytes, "Call-ID"), header(first, "Call-ID"));
    respond(1, 200, "Contact: " + header(first, "Contact") + ";expires=300, <sip:other@x>;expires=9\r\n");
    EXPECT_TRUE(lines.status()[0].up && lines.status()[0].registered);
    EXPECT_EQ(lines.next_deadline(), 150'000);
    at(150'000);
    ASSERT_EQ(sent.size(), 3U);
    respond(2, 200);
    EXPECT_EQ(lines.next_deadline(), 150'000 + 300'000);
}

TEST_F(Registrations, OursIsFoundAmongManyBindings) {
    begin_registered();
    std::string all;
    for (int other = 0; other < 20; ++other) {
        all += "<sip:us@h" + std::to_string(other) + ">;expires=9, ";
    }
    respond(0, 200, "Contact: " + all + header(sent[0].bytes, "Contact") + ";expires=300\r\n");
    EXPECT_TRUE(lines.status()[0].registered);
    EXPECT_EQ(lines.next_deadline(), 150'000);
}

TEST_F(Proxies, ACallOfTheTrunkIsCalledBackByTheLineThatHasItsAddress) {
    begin(trunk("sip-provider", {kA, kB}, {{"register", false}}));
    lines.connection_closed(1, 1'000);
    const std::optional<Opening> back = lines.opened_at("t", "192.0.2.20");
    ASSERT_TRUE(back && lines.opened_at("t", "192.0.2.10"));
    EXPECT_EQ(back->target, (Target{Transport::tls, {"192.0.2.20", 5060}}));
    EXPECT_EQ(back->host, "b");
    EXPECT_FALSE(lines.opened_at("t", "192.0.2.30"));
    EXPECT_FALSE(lines.opened_at("other", "192.0.2.10"));
}

TEST_F(Registrations, ALongerIntervalIsTakenWhereTheRegistrarAsksForIt) {
    begin_registered();
    respond(0, 423, "Min-Expires: 1800\r\n");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(header(sent[1].bytes, "Expires"), "1800");
    respond(1, 200, "Expires: 1800\r\n");
    EXPECT_EQ(lines.next_deadline(), 1'200'000);
}

TEST_F(Registrations, WrongCredentialsAreNotTriedOverAndOver) {
    begin_registered();
    respond(0, 401, kChallenge);
    respond(1, 401, kChallenge);
    EXPECT_EQ(sent.size(), 2U);
    EXPECT_FALSE(lines.status()[0].up);
    EXPECT_THAT(lines.status()[0].why, StartsWith("REGISTER: 401"));
    EXPECT_THAT(lines.ways("t"), ElementsAre(kA));  // the last resort
    EXPECT_EQ(lines.next_deadline(), 30'000);
    at(30'000);
    respond(2, 403);
    EXPECT_EQ(lines.next_deadline(), 90'000);
}

TEST_F(Registrations, AStaleNonceIsAnsweredAgain) {
    begin_registered();
    respond(0, 401, kChallenge);
    respond(
        1, 401,
        "WWW-Authenticate: Digest realm=\"a\", nonce=\"n2\", stale=true, algorithm=MD5, qop=\"auth\"\r\n");
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_THAT(header(sent[2].bytes, "Authorization"), HasSubstr("nonce=\"n2\""));
}

TEST_F(Registrations, RunOutWhenTheRegistrarIsGone) {
    begin_registered();
    respond(0, 200);
    at(300'000);
    ASSERT_EQ(sent.size(), 2U);
    lines.request_timed_out(2, time);
    EXPECT_FALSE(changes.empty());
    at(600'000);
    EXPECT_FALSE(lines.status()[0].registered);
    EXPECT_FALSE(lines.status()[0].up);
}

TEST_F(Registrations, AnotherServerOfTheNameIsTried) {
    names["a"] = {"192.0.2.10", "192.0.2.11"};
    begin_registered();
    respond(0, 503);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1].flow.remote.ip, "192.0.2.11");
    respond(1, 200);
    EXPECT_TRUE(lines.status()[0].up);
}

TEST_F(Registrations, FollowTheConnection) {
    begin_registered();
    respond(0, 200);
    lines.connection_closed(1, 5'000);
    at(6'000);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[1].flow.connection, 2U);
    EXPECT_TRUE(lines.status()[0].registered);
}

TEST_F(Registrations, AreTakenBackWhenTheTrunkGoes) {
    begin_registered();
    respond(0, 200);
    lines.set({}, "vmr.example", 1'000);
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(header(sent[1].bytes, "Expires"), "0");
    respond(1, 401, kChallenge);
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_THAT(sent[2].bytes, HasSubstr("Authorization: Digest"));
    respond(2, 200, "Expires: 0\r\n");
    at(40'000);
    EXPECT_EQ(sent.size(), 3U);
    EXPECT_EQ(lines.next_deadline(), std::nullopt);
}

TEST_F(Registrations, WithOptionsAProxyIsUpWhenBothAreAnswered) {
    begin(trunk("sip-provider", {kA}));
    ASSERT_THAT(methods(), ElementsAre("REGISTER", "OPTIONS"));
    respond(1, 200);
    EXPECT_FALSE(lines.status()[0].up);
    respond(0, 200);
    EXPECT_TRUE(lines.status()[0].up);
}

}  // namespace
}  // namespace vmr::sip::test
