// Transactions, digest, trunks, URIs, bounds: pure logic on a made-up clock.
#include <gtest/gtest.h>

#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/message/bounds.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/network/framer.hpp"
#include "daemon/legs/sip/network/stack.hpp"
#include "daemon/legs/sip/routing/caller.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"

namespace vmr::sip {
namespace {

Message message(const std::string& method, const std::string& branch, const std::string& ip = "192.0.2.7",
                const std::string& user = "room", const std::string& extra = {}) {
    Flow flow;
    flow.remote = {ip, 5060};
    flow.local = {"192.0.2.1", 5060};
    Result<Message> parsed = parse_message(
        method + " sip:" + user + "@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=" + branch +
            "\r\nf: <tel:+4930777>;tag=f\r\nt: <sip:x@y>\r\ni: c\r\nCSeq: 7 " + method + "\r\n" + extra +
            "\r\n",
        flow);
    EXPECT_TRUE(parsed.ok());
    return parsed ? *parsed : Message();
}

struct Recorder : TransactionUser {
    void on_request_received(const std::string& transaction, const Message& request) override {
        transactions.push_back(transaction);
        methods.push_back(request.method);
    }
    void on_invite_cancelled(const std::string&) override { ++cancelled; }
    void on_response_received(std::uint64_t, const Message& response) override {
        statuses.push_back(response.status);
    }
    void on_request_timed_out(std::uint64_t) override { ++timeouts; }
    std::vector<std::string> transactions, methods;
    std::vector<int> statuses;
    int cancelled = 0, timeouts = 0;
};

class TransactionRules : public ::testing::Test {
protected:
    Recorder user_;
    std::vector<std::string> sent_;
    Transactions transactions_{[this](const Flow&, const std::string& bytes) { sent_.push_back(bytes); },
                               user_, 100};
};

// RFC 3261 section 17.2.1
TEST_F(TransactionRules, AnInviteIsPassedOnceAndARefusalSentAgainUntilAck) {
    transactions_.receive(message("INVITE", "z9hG4bK1"), 0);
    transactions_.receive(message("INVITE", "z9hG4bK1"), 100);
    ASSERT_EQ(user_.transactions.size(), 1U);
    EXPECT_EQ(sent_.size(), 2U);  // 100 Trying, twice
    transactions_.respond(user_.transactions[0], 486, "486", 200);
    transactions_.tick(700);
    transactions_.tick(1700);
    EXPECT_EQ(std::count(sent_.begin(), sent_.end(), "486"), 3);
    transactions_.receive(message("ACK", "z9hG4bK1"), 1800);
    EXPECT_EQ(user_.transactions.size(), 1U);
    transactions_.tick(6000);
    EXPECT_EQ(std::count(sent_.begin(), sent_.end(), "486"), 3);
    transactions_.tick(1800 + kT4);
    EXPECT_EQ(transactions_.servers(), 0U);
}

// RFC 6026 section 7.1: after a 2xx repeated INVITEs are absorbed, the ACK goes up
TEST_F(TransactionRules, A2xxLeavesRepetitionToTheCall) {
    transactions_.receive(message("INVITE", "z9hG4bK2"), 0);
    transactions_.respond(user_.transactions[0], 200, "200", 10);
    const std::size_t before = sent_.size();
    transactions_.receive(message("INVITE", "z9hG4bK2"), 20);
    EXPECT_EQ(sent_.size(), before);
    transactions_.receive(message("ACK", "z9hG4bKother"), 30);
    EXPECT_EQ(user_.methods.back(), "ACK");
    EXPECT_EQ(user_.transactions.back(), "");
}

// RFC 3261 section 9.2; another source cannot cancel
TEST_F(TransactionRules, CancelMatchesItsInviteOnly) {
    transactions_.receive(message("INVITE", "z9hG4bK3"), 0);
    transactions_.receive(message("CANCEL", "z9hG4bK3", "203.0.113.1"), 10);
    EXPECT_TRUE(sent_.back().starts_with("SIP/2.0 481"));
    EXPECT_EQ(user_.cancelled, 0);
    transactions_.receive(message("CANCEL", "z9hG4bK3"), 20);
    EXPECT_TRUE(sent_.back().starts_with("SIP/2.0 200"));
    EXPECT_EQ(user_.cancelled, 1);
}

// RFC 3261 section 17.1.2.2: timers E and F
TEST_F(TransactionRules, ARequestIsSentAgainAndTimesOut) {
    transactions_.request(message("OPTIONS", "z").flow, "BYE", "z9hG4bKb", "BYE", "", 0);
    for (std::int64_t now = 0; now < kTimeout; now += 100) {
        transactions_.tick(now);
    }
    EXPECT_EQ(sent_.size(), 11U);  // at 0, 0.5, 1.5, 3.5, 7.5, … 31.5 s
    EXPECT_EQ(user_.timeouts, 0);
    transactions_.tick(kTimeout);
    EXPECT_EQ(user_.timeouts, 1);
    EXPECT_FALSE(transactions_.next_deadline());
}

TEST_F(TransactionRules, TheirNumberIsBounded) {
    for (int count = 0; count < 150; ++count) {
        transactions_.receive(message("OPTIONS", "z9hG4bK" + std::to_string(count)), 0);
    }
    EXPECT_EQ(transactions_.servers(), 100U);
    EXPECT_TRUE(sent_.back().starts_with("SIP/2.0 503"));
    transactions_.respond(user_.transactions[7], 200, "200", 10);
    transactions_.receive(message("OPTIONS", "z9hG4bKmore"), 20);
    EXPECT_EQ(user_.transactions.size(), 101U) << "what is answered gives way";
    EXPECT_EQ(transactions_.servers(), 100U);
    transactions_.tick(kTimeout + 20);
    EXPECT_EQ(transactions_.servers(), 0U);
}

// A branch that comes again and again, each time as a new request, holds nothing of the others.
TEST_F(TransactionRules, WhatWasAnsweredIsForgottenInWhateverOrder) {
    for (int count = 0; count < 250; ++count) {
        const std::int64_t now = count * (kTimeout + 1);
        transactions_.tick(now);
        transactions_.receive(message("OPTIONS", "z9hG4bKagain"), now);
        transactions_.respond(user_.transactions.back(), 200, "200", now);
        transactions_.receive(message("OPTIONS", "z9hG4bK" + std::to_string(count)), now + 1);
        transactions_.respond(user_.transactions.back(), 200, "200", now + 1);
    }
    EXPECT_EQ(user_.transactions.size(), 500U);
    EXPECT_EQ(transactions_.servers(), 2U);
    EXPECT_EQ(transactions_.answered(), transactions_.servers());
}

// Until then a copy is absorbed.
TEST_F(TransactionRules, ACopyOfWhatIsForgottenIsNew) {
    transactions_.receive(message("INVITE", "z9hG4bK2"), 0);
    transactions_.forget(user_.transactions[0]);
    EXPECT_EQ(transactions_.servers(), 1U) << "it is not answered";
    transactions_.respond(user_.transactions[0], 200, "200", 10);
    transactions_.forget(user_.transactions[0]);
    EXPECT_EQ(transactions_.servers(), 0U);
    transactions_.receive(message("INVITE", "z9hG4bK2"), 20);
    EXPECT_EQ(user_.transactions.size(), 2U);
}

std::string credentials(const std::string& challenge, const char* algorithm, const std::string& secret,
                        const std::string& nc = "00000001") {
    const std::size_t at = challenge.find("nonce=\"") + 7;
    const std::string nonce = challenge.substr(at, challenge.find('"', at) - at);
    const std::string ha1 = hash_hex(algorithm, "trunk:vmr:" + secret);
    const std::string ha2 = hash_hex(algorithm, "INVITE:sip:room@192.0.2.1");
    const std::string response = hash_hex(algorithm, ha1 + ":" + nonce + ":" + nc + ":cn:auth:" + ha2);
    return "Digest username=\"trunk\", realm=\"vmr\", nonce=\"" + nonce +
           "\", uri=\"sip:room@192.0.2.1\", response=\"" + response + "\", algorithm=" + algorithm +
           ", cnonce=\"cn\", qop=auth, nc=" + nc;
}

TEST(DigestRules, GoodBadReplayedExpiredAndStolen) {
    Digest digest("vmr", "key");
    const auto ha1_of = [](const std::string& user, DigestAlgorithms answer) {
        return user == "trunk" ? std::optional(digest_ha1(answer, user, "vmr", "s3cret")) : std::nullopt;
    };
    const auto verify = [&](const std::string& text, std::int64_t now,
                            const std::string& source = "192.0.2.7") {
        return digest.verify(message("INVITE", "z", source, "room", "Authorization: " + text + "\r\n"),
                             "authorization", ha1_of, now);
    };
    const auto values = digest.challenge(DigestAlgorithms::both, "192.0.2.7", false, 1000);
    ASSERT_EQ(values.size(), 2U);
    EXPECT_NE(values[0].find("SHA-256"), std::string::npos);
    const std::string good = credentials(values[0], "SHA-256", "s3cret");
    EXPECT_EQ(verify(credentials(values[0], "SHA-256", "wrong"), 1100), Digest::Verdict::refused);
    EXPECT_EQ(verify(good, 1100, "203.0.113.1"), Digest::Verdict::stale);
    EXPECT_EQ(verify(good, 1100), Digest::Verdict::accepted);
    EXPECT_EQ(verify(good, 1200), Digest::Verdict::stale) << "replayed";
    EXPECT_EQ(verify(credentials(values[0], "MD5", "s3cret", "00000002"), 1300), Digest::Verdict::accepted);
    EXPECT_EQ(verify(credentials(values[0], "MD5", "s3cret", "00000003"), 200000), Digest::Verdict::stale)
        << "expired";
    EXPECT_EQ(verify("Digest nonsense", 1), Digest::Verdict::none);
    EXPECT_EQ(verify("Digest realm=\"vmr\"", 1), Digest::Verdict::refused);
    EXPECT_EQ(digest.challenge(DigestAlgorithms::md5, "x", false, 1).size(), 1U);
}

TEST(TrunkRules, DenyByDefault) {
    const Trunks none;
    EXPECT_EQ(none.match(message("INVITE", "z", "192.0.2.7", "+4930123"), "").kind,
              Trunks::Match::Kind::none);
    TrunkConfig by_source{.name = "carrier",
                          .sources = {"198.51.100.0/24"},
                          .numbers = {{"+49 30 123", "team"}, {"+4930999", ""}}};
    TrunkConfig by_digest{.name = "pbx", .user = "trunk", .secret = "s", .numbers = {{"+4930555", "sales"}}};
    const auto trunks = Trunks::make({by_source, by_digest});
    ASSERT_TRUE(trunks.ok());
    using Kind = Trunks::Match::Kind;
    const auto match = [&](const std::string& ip, const std::string& number, const std::string& user = {}) {
        return trunks->match(message("INVITE", "z", ip, number), user);
    };
    EXPECT_EQ(match("198.51.100.9", "+4930123").alias, "team");
    EXPECT_EQ(match("198.51.100.9", "4930123").kind, Kind::trunk);
    EXPECT_EQ(match("198.51.100.9", "+4930999").kind, Kind::trunk);
    EXPECT_EQ(match("198.51.100.9", "+4930999").alias, "");
    EXPECT_EQ(match("198.51.100.9", "+1900555").kind, Kind::denied);
    EXPECT_EQ(match("198.51.100.9", "team").kind, Kind::denied);
    EXPECT_EQ(match("203.0.113.1", "+4930123").kind, Kind::none);
    EXPECT_EQ(match("203.0.113.1", "+4930555").kind, Kind::challenge);
    EXPECT_EQ(match("203.0.113.1", "+4930555", "trunk").alias, "sales");
    EXPECT_EQ(match("203.0.113.1", "+1900555", "trunk").kind, Kind::denied);
    EXPECT_FALSE(Trunks::make({{.name = "open", .numbers = {{"+1", "x"}}}}).ok());
    EXPECT_FALSE(Trunks::make({{.name = "bad", .sources = {"10.0.0.0/33"}}}).ok());
}

TEST(TrunkRules, AnAnswerByAnAlgorithmThatWasNotAskedForIsNone) {
    const auto trunks =
        Trunks::make({{.name = "any", .user = "any", .secret = "a"},
                      {.name = "new", .user = "new", .secret = "n", .algorithms = DigestAlgorithms::sha256}});
    ASSERT_TRUE(trunks.ok());
    EXPECT_EQ(trunks->secret_of("any", DigestAlgorithms::md5), "a");
    EXPECT_EQ(trunks->secret_of("new", DigestAlgorithms::sha256), "n");
    EXPECT_FALSE(trunks->secret_of("new", DigestAlgorithms::md5));
    EXPECT_FALSE(
        Trunks::make({{.name = "a", .user = "u", .secret = "1"},
                      {.name = "b", .user = "u", .secret = "2", .algorithms = DigestAlgorithms::md5}})
            .ok());
}

TEST(TrunkRules, TheCallerIsTheAssertedIdentityThenFrom) {
    EXPECT_EQ(trunk_caller(message("INVITE", "z"), {}).number, "+4930777");
    EXPECT_EQ(trunk_caller(message("INVITE", "z", "192.0.2.7", "x",
                                   "P-Asserted-Identity: \"A\" <sip:+49(30)888@pstn;user=phone>\r\n"),
                           {})
                  .number,
              "+4930888");
}

TEST(Cidrs, V4V6AndMapped) {
    EXPECT_TRUE(parse_cidr("10.1.0.0/15")->contains("10.0.255.1"));
    EXPECT_FALSE(parse_cidr("10.1.0.0/16")->contains("10.0.255.1"));
    EXPECT_TRUE(parse_cidr("10.1.2.3")->contains("::ffff:10.1.2.3"));
    EXPECT_TRUE(parse_cidr("2001:db8::/32")->contains("2001:db8:1::5"));
    EXPECT_FALSE(parse_cidr("x").ok());
}

TEST(Uris, ReadAndRefused) {
    EXPECT_EQ(parse_uri("sip:a%20b:pw@Host.Test:5070;lr?x=y")->user, "a b");
    EXPECT_EQ(parse_uri("sip:[2001:db8::1]:5061;transport=tls")->port, 5061);
    EXPECT_EQ(parse_uri("sip:a@Host.test.:5061")->host, "host.test");
    EXPECT_EQ(parse_uri("tel:+49-30-1;phone-context=x")->user, "+49-30-1");
    for (const char* bad :
         {"", ":", "sip:", "sip:a@", "sip:a@b:0", "sip:a@b:99999", "sip:a%0@b", "sip:a%zz@b", "sip:a@b c",
          " sip:a@b", "sip:@b", "sip:[2001:db8::x]", "sip:2001:db8::1", "1x:y", "sip:a\\b@c", "sip:a@[::1"}) {
        EXPECT_FALSE(parse_uri(bad)) << bad;
    }
    EXPECT_EQ(parse_uri("sip:a%00@b")->user, "a%00");  // legal, and never unescaped
    EXPECT_EQ(parse_uri("sip:a@b?Route=%3Csip:c%3E")->headers, "?Route=%3Csip:c%3E");
    EXPECT_EQ(parse_name_addr("\"A \\\"x\\\" <\" <sip:a@b;lr>;tag=t")->tag, "t");
    EXPECT_EQ(parse_name_addr("sip:a@b;tag=t")->uri.params, "");
    EXPECT_EQ(parse_name_addr("sip:a@b;x=\"<y>\";tag=t")->uri.host, "b");
    EXPECT_EQ(parse_name_addr("<sip:a@b;lr?x=y>;p")->uri.text, "sip:a@b;lr");
    for (const char* bad : {"\"open <sip:a@b>", "A, B <sip:a@b>", "sip:a@b?x=y", "< sip:a@b >", "<sip:a@b",
                            "sip:a@b;x=\"y", "sip:a@b;tag"}) {
        EXPECT_FALSE(parse_name_addr(bad)) << bad;
    }
}

TEST(Bounds, FramesAStreamAndRefusesSmuggling) {
    const std::string head = "OPTIONS sip:x SIP/2.0\r\nl: 3\r\n\r\n";
    EXPECT_EQ(inspect(head + "abcOPTIONS", true).length, head.size() + 3);
    EXPECT_EQ(inspect(head + "ab", true).frame, Frame::incomplete);
    EXPECT_EQ(inspect("OPTIONS sip:x SIP/2.0\r\nX: y\r\n\r\n", true).frame, Frame::malformed);
    EXPECT_EQ(inspect("OPTIONS sip:x SIP/2.0\r\nl: 3\r\nContent-Length: 4\r\n\r\nabcd", true).frame,
              Frame::too_large);
    EXPECT_EQ(inspect("OPTIONS sip:x SIP/2.0\r\nl: 99999999999999999999\r\n\r\n", true).frame,
              Frame::too_large);
    EXPECT_EQ(inspect(std::string("\0\1\2", 3), false).frame, Frame::malformed);
    EXPECT_EQ(inspect("\r\n\r\n", true).frame, Frame::keep_alive);
}

// What a stream's parts are taken for: "m" a message, "k" a keep-alive, "p" a ping, "!" no SIP.
std::string framed(const std::vector<std::string>& parts) {
    Framer framer;
    std::string seen;
    for (const std::string& part : parts) {
        framer.add(part);
        for (Framer::Found found = framer.look(); found.frame != Frame::incomplete; found = framer.look()) {
            if (found.frame != Frame::complete && found.frame != Frame::keep_alive) {
                return seen + "!";
            }
            seen += found.frame == Frame::complete ? "m" : found.ping ? "p" : "k";
            framer.drop(found);
        }
    }
    return seen + (framer.empty() ? "" : "...");
}

TEST(Streams, AreCutIntoMessagesWhereverTheirPartsEnd) {
    const std::string message = "OPTIONS sip:x SIP/2.0\r\nl: 3\r\n\r\nabc";
    EXPECT_EQ(framed({message + message + "\r\n\r\n" + message.substr(0, 20)}), "mmp...");
    const std::string stream = "\r\n\r\n" + message + "\r\n" + message;
    for (std::size_t at = 1; at < stream.size(); ++at) {
        const std::string seen = framed({stream.substr(0, at), stream.substr(at)});
        EXPECT_TRUE(seen == "pmkm" || seen == "kpmkm") << at << " " << seen;
    }
    std::vector<std::string> bytes;
    for (const char byte : stream) {
        bytes.emplace_back(1, byte);
    }
    EXPECT_EQ(framed(bytes), "kpmkm");
}

TEST(Streams, AKeepAliveInPartsIsOne) {
    EXPECT_EQ(framed({"\r", "\n"}), "k");
    EXPECT_EQ(framed({"\r\n\r", "\n"}), "kp");
    EXPECT_EQ(framed({"\r\n", "\r\n", "\r\n\r\n"}), "kpp");
    EXPECT_EQ(framed({"\r"}), "...");
    EXPECT_EQ(framed({"\rX"}), "!");
    EXPECT_EQ(framed({"\r\n\r", "X"}), "k!");
}

}  // namespace
}  // namespace vmr::sip
