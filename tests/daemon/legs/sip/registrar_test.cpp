// Registrar, accounts, locations, firmware: pure logic on a made-up clock.
#include "daemon/legs/sip/registrar/registrar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/message/parse.hpp"

namespace vmr::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string header(const Reply& reply, const std::string& name) {
    std::string all;
    for (const Header& one : reply.headers) {
        all += one.name == name ? (all.empty() ? "" : "\n") + one.value : "";
    }
    return all;
}

struct Request {
    std::string user = "kitchen";
    std::string secret = "s3cret";
    std::string aor = "kitchen";
    std::string headers = "Contact: <sip:kitchen@10.0.0.5:5061;transport=tls>\r\n";
    std::string algorithm = "SHA-256";
    std::string call_id = "c1";
    Transport transport = Transport::tls;
    std::uint64_t connection = 1;
    std::string ip = "192.0.2.7";
    std::string via = "Via: SIP/2.0/TLS 10.0.0.5:5061;branch=z9hG4bK1\r\n";
    std::string host = "vmr.example";
};

class RegistrarRules : public ::testing::Test {
protected:
    RegistrarRules() {
        EXPECT_TRUE(accounts_.set({.name = "Kitchen", .aliases = {"galley"}}, "s3cret"));
        EXPECT_TRUE(accounts_.set({.name = "hall", .digest = DeviceDigest::md5}, "other"));
    }
    static RegistrarConfig config() {
        RegistrarConfig config;
        config.enabled = true;
        config.domains = {"vmr.example"};
        config.max_contacts = 3;
        config.firmware = {{"Acme", "2.0"}, {"Acme VC9", "3.10.1"}};
        return config;
    }
    void make(const RegistrarConfig& config) {
        registrar_ = std::make_unique<Registrar>(config, accounts_, digest_);
        registrar_->set_on_event([this](const DeviceEvent& event) {
            events_.push_back(std::string(to_string(event.kind)) + " " + event.device +
                              (event.reason.empty() ? "" : " " + event.reason));
        });
    }
    Message message(const Request& request, const std::string& authorization = {}) {
        Flow flow;
        flow.transport = request.transport;
        flow.remote = {request.ip, 40000};
        flow.local = {"192.0.2.1", 5061};
        flow.connection = request.transport == Transport::udp ? 0 : request.connection;
        Result<Message> parsed = parse_message(
            "REGISTER sip:" + request.host + " SIP/2.0\r\n" + request.via + "From: <sip:" + request.aor +
                "@" + request.host + ">;tag=f\r\nTo: <sip:" + request.aor + "@" + request.host +
                ">\r\nCall-ID: " + request.call_id + "\r\nCSeq: " + std::to_string(++cseq_) +
                " REGISTER\r\nMax-Forwards: 70\r\n" + request.headers +
                (authorization.empty() ? "" : "Authorization: " + authorization + "\r\n") + "\r\n",
            flow);
        EXPECT_TRUE(parsed.ok()) << parsed.error();
        return parsed ? *parsed : Message();
    }
    static std::string credentials(const Request& request, const std::string& challenge,
                                   const std::string& nc = "00000001") {
        const std::size_t at = challenge.find("nonce=\"") + 7;
        const std::string nonce = challenge.substr(at, challenge.find('"', at) - at);
        const char* algorithm = request.algorithm.c_str();
        const std::string ha1 = hash_hex(algorithm, request.user + ":vmr.example:" + request.secret);
        const std::string ha2 = hash_hex(algorithm, "REGISTER:sip:" + request.host);
        return "Digest username=\"" + request.user + "\", realm=\"vmr.example\", nonce=\"" + nonce +
               "\", uri=\"sip:" + request.host + "\", response=\"" +
               hash_hex(algorithm, ha1 + ":" + nonce + ":" + nc + ":cn:auth:" + ha2) +
               "\", algorithm=" + request.algorithm + ", cnonce=\"cn\", qop=auth, nc=" + nc;
    }
    // Challenged, then with credentials.
    Reply send(const Request& request, std::int64_t now = 1000) {
        if (!registrar_) {
            make(config());
        }
        const auto first = registrar_->answer(message(request), now);
        if (first.reply.status != 401) {
            return first.reply;
        }
        const auto second = registrar_->answer(
            message(request, credentials(request, header(first.reply, "WWW-Authenticate"))), now);
        wrong_ = second.wrong_digest;
        return second.reply;
    }

    Accounts accounts_{"vmr.example", "key", 100};
    Digest digest_{"vmr.example", "key"};
    std::unique_ptr<Registrar> registrar_;
    std::vector<std::string> events_;
    unsigned cseq_ = 0;
    bool wrong_ = false;
};

TEST_F(RegistrarRules, ADeviceRegistersIsFoundRefreshesAndLeaves) {
    const Reply reply = send({}, 1000);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(header(reply, "Contact"), "<sip:kitchen@10.0.0.5:5061;transport=tls>;expires=3600");
    const std::vector<Contact> found = registrar_->lookup("kitchen");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].flow.connection, 1U);
    EXPECT_EQ(found[0].flow.remote.port, 40000);
    EXPECT_EQ(header(send({.headers = {}}, 61000), "Contact"),
              "<sip:kitchen@10.0.0.5:5061;transport=tls>;expires=3540");  // asks only
    EXPECT_EQ(
        send({.headers = "Contact: <sip:kitchen@10.0.0.5:5061;transport=TLS>\r\nExpires: 120\r\n"}, 100000)
            .status,
        200);
    EXPECT_EQ(registrar_->registrations(), 1U) << "a refresh, though written in another way";
    EXPECT_EQ(registrar_->next_deadline(), 100000 + 120000);
    EXPECT_EQ(
        send({.headers = "Contact: <sip:kitchen@10.0.0.5:5061;transport=tls>;expires=0\r\n"}, 110000).status,
        200);
    EXPECT_TRUE(registrar_->lookup("kitchen").empty());
    EXPECT_THAT(events_, ::testing::ElementsAre("registered kitchen", "unregistered kitchen device"));
}

TEST_F(RegistrarRules, ExpiryHasAFloorACeilingAndAnEnd) {
    const Reply brief = send({.headers = "Contact: <sip:a@10.0.0.5>;expires=30\r\n"});
    EXPECT_EQ(brief.status, 423);
    EXPECT_EQ(header(brief, "Min-Expires"), "60");
    EXPECT_THAT(header(send({.headers = "Contact: <sip:a@10.0.0.5>;expires=99999\r\n"}), "Contact"),
                HasSubstr("expires=3600"));
    EXPECT_THAT(header(send({.headers = "Contact: <sip:a@10.0.0.5>;expires=soon\r\n"}), "Contact"),
                HasSubstr("expires=3600"));
    registrar_->tick(1000 + 3600000 - 1);
    EXPECT_EQ(registrar_->registrations(), 1U);
    registrar_->tick(1000 + 3600000);
    EXPECT_EQ(registrar_->registrations(), 0U);
    EXPECT_FALSE(registrar_->next_deadline());
    EXPECT_EQ(events_.back(), "expired kitchen time");
}

// Known or not, wrong secret or none: one answer, and the challenge of a kind that devices have.
TEST_F(RegistrarRules, NobodyLearnsWhoHasAnAccount) {
    make(config());
    for (const char* aor : {"kitchen", "nobody"}) {
        const auto first = registrar_->answer(message({.aor = aor}), 1000);
        EXPECT_EQ(first.reply.status, 401);
        EXPECT_FALSE(first.wrong_digest);
        const std::string challenge = header(first.reply, "WWW-Authenticate");
        const Request wrong{.user = aor, .secret = "guess", .aor = aor};
        const auto second = registrar_->answer(message(wrong, credentials(wrong, challenge)), 1001);
        EXPECT_EQ(second.reply.status, 401);
        EXPECT_TRUE(second.wrong_digest);
        EXPECT_THAT(header(second.reply, "WWW-Authenticate"), Not(HasSubstr("stale")));
    }
    // Another's name and nobody's name are the same to who has an account.
    EXPECT_EQ(send({.aor = "hall"}).status, 403);
    EXPECT_EQ(send({.aor = "nobody"}).status, 403);
    EXPECT_EQ(send({.aor = "galley"}).status, 200) << "an alias is its own";
    EXPECT_EQ(registrar_->lookup("kitchen").size(), 1U);
    std::size_t md5 = 0;
    for (int i = 0; i < 64; ++i) {
        md5 += accounts_.algorithms_for("nobody" + std::to_string(i)) == DigestAlgorithms::md5 ? 1 : 0;
    }
    EXPECT_GT(md5, 8U);
    EXPECT_LT(md5, 56U);
}

TEST_F(RegistrarRules, TheAlgorithmIsTheDevices) {
    EXPECT_EQ(send({.algorithm = "MD5"}).status, 401) << "sha256 alone";
    const Request hall{.user = "hall", .secret = "other", .aor = "hall", .algorithm = "MD5"};
    EXPECT_EQ(send(hall).status, 200);
    Request sha = hall;
    sha.algorithm = "SHA-256";
    EXPECT_EQ(send(sha).status, 401);
    EXPECT_TRUE(wrong_);
}

TEST_F(RegistrarRules, CredentialsAreGoodOnce) {
    make(config());
    const Request request;
    const std::string challenge =
        header(registrar_->answer(message(request), 1000).reply, "WWW-Authenticate");
    const std::string used = credentials(request, challenge);
    EXPECT_EQ(registrar_->answer(message(request, used), 1001).reply.status, 200);
    const auto replayed = registrar_->answer(message(request, used), 1002);
    EXPECT_EQ(replayed.reply.status, 401);
    EXPECT_THAT(header(replayed.reply, "WWW-Authenticate"), HasSubstr("stale=true"));
    EXPECT_FALSE(replayed.wrong_digest);
    EXPECT_EQ(
        registrar_->answer(message(request, credentials(request, challenge, "00000002")), 1003).reply.status,
        200);
    Request other = request;
    other.ip = "203.0.113.9";
    EXPECT_EQ(
        registrar_->answer(message(other, credentials(request, challenge, "00000003")), 1004).reply.status,
        401);
}

TEST_F(RegistrarRules, ClearTransportsAreRefusedUnlessAllowed) {
    EXPECT_EQ(send({.transport = Transport::udp}).status, 403);
    EXPECT_EQ(send({.transport = Transport::tcp}).status, 403);
    RegistrarConfig clear = config();
    clear.allow_clear = true;
    make(clear);
    EXPECT_EQ(send({.transport = Transport::udp}).status, 200);
}

// RFC 3581: who does not ask for answers where it sends from is not called there either.
TEST_F(RegistrarRules, ByDatagramsADeviceIsReachedWhereItsAnswersGo) {
    RegistrarConfig clear = config();
    clear.allow_clear = true;
    make(clear);
    const auto port = [&](Transport transport, const std::string& via) {
        EXPECT_EQ(send({.transport = transport, .via = "Via: SIP/2.0/" + via + "\r\n"}).status, 200);
        return registrar_->lookup("kitchen").at(0).flow.remote.port;
    };
    EXPECT_EQ(port(Transport::udp, "UDP 192.0.2.7:5062;branch=z9hG4bK1"), 5062);
    EXPECT_EQ(port(Transport::udp, "UDP 192.0.2.7;branch=z9hG4bK2"), 5060);
    EXPECT_EQ(port(Transport::udp, "UDP 192.0.2.7:5062;branch=z9hG4bK3;rport"), 40000);
    EXPECT_EQ(port(Transport::udp, "UDP 10.0.0.5:5062;branch=z9hG4bK4"), 40000) << "behind a NAT";
    EXPECT_EQ(port(Transport::tls, "TLS 192.0.2.7:5062;branch=z9hG4bK5"), 40000);
}

TEST_F(RegistrarRules, ForeignDomainsPathAndUnknownOptionsAreRefused) {
    EXPECT_EQ(send({.host = "other.example"}).status, 404);
    EXPECT_EQ(send({.host = "192.0.2.1"}).status, 200) << "the address that it was sent to";
    for (const char* extra : {"Path: <sip:edge;lr>\r\n", "Require: sec-agree\r\n"}) {
        const Reply reply = send({.headers = extra});
        EXPECT_EQ(reply.status, 420);
        EXPECT_FALSE(header(reply, "Unsupported").empty());
    }
}

// RFC 3261 section 10.2.2
TEST_F(RegistrarRules, TheStarGoesAloneAndRemovesAll) {
    ASSERT_EQ(send({.headers = "Contact: <sip:a@10.0.0.5>, <sip:b@10.0.0.6>;q=0.5\r\n"}).status, 200);
    EXPECT_EQ(send({.headers = "Contact: *\r\n"}).status, 400);
    EXPECT_EQ(send({.headers = "Contact: *\r\nExpires: 60\r\n"}).status, 400);
    EXPECT_EQ(send({.headers = "Contact: *, <sip:a@10.0.0.5>\r\nExpires: 0\r\n"}).status, 400);
    EXPECT_EQ(registrar_->registrations(), 2U);
    const Reply reply = send({.headers = "Contact: *\r\nExpires: 0\r\n"});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(header(reply, "Contact"), "");
    EXPECT_EQ(registrar_->registrations(), 0U);
}

TEST_F(RegistrarRules, ContactsAreInTheOrderOfTheirPreference) {
    ASSERT_EQ(send({.headers = "Contact: <sip:a@10.0.0.5>;q=0.25, <sip:b@10.0.0.6>;q=0.9\r\n"}, 1000).status,
              200);
    const Reply reply = send({.headers = "Contact: <sip:c@10.0.0.7>;q=0.25\r\n", .call_id = "c2"}, 2000);
    EXPECT_EQ(header(reply, "Contact"),
              "<sip:b@10.0.0.6>;expires=3599;q=0.900\n<sip:c@10.0.0.7>;expires=3600;q=0.250\n"
              "<sip:a@10.0.0.5>;expires=3599;q=0.250");
}

TEST_F(RegistrarRules, AFurtherContactReplacesTheOldest) {
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(send({.headers = "Contact: <sip:a@10.0.0." + std::to_string(i) + ">\r\n",
                        .call_id = "c" + std::to_string(i),
                        .connection = static_cast<std::uint64_t>(i + 1)},
                       1000 + i)
                      .status,
                  200);
    }
    EXPECT_EQ(registrar_->registrations(), 3U);
    EXPECT_EQ(registrar_->lookup("kitchen").back().uri, "sip:a@10.0.0.1");
    EXPECT_THAT(events_, ::testing::Contains("unregistered kitchen replaced"));
}

TEST_F(RegistrarRules, AnOldRequestChangesNothing) {
    ASSERT_EQ(send({}).status, 200);
    cseq_ -= 2;
    EXPECT_EQ(send({}).status, 500);
    cseq_ -= 2;
    EXPECT_EQ(send({.call_id = "rebooted"}).status, 200) << "another Call-ID counts anew";
}

TEST_F(RegistrarRules, ManyOfOneSourceAndOfAllAreRefused) {
    RegistrarConfig small = config();
    small.max_registrations_per_source = 1;
    small.max_registrations = 2;
    make(small);
    EXPECT_EQ(send({}).status, 200);
    EXPECT_EQ(send({}).status, 200) << "a refresh needs no place";
    const Request hall{.user = "hall", .secret = "other", .aor = "hall", .algorithm = "MD5"};
    const Reply refused = send(hall);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(header(refused, "Retry-After"), "60");
    Request elsewhere = hall;
    elsewhere.ip = "192.0.2.8";
    EXPECT_EQ(send(elsewhere).status, 200);
    elsewhere.ip = "192.0.2.9";
    elsewhere.headers = "Contact: <sip:b@10.0.0.9>\r\n";
    EXPECT_EQ(send(elsewhere).status, 503);
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(registrar_->is_over_limit(message({}), 5000));
    }
    EXPECT_TRUE(registrar_->is_over_limit(message({}), 5000));
    EXPECT_FALSE(registrar_->is_over_limit(message({.ip = "192.0.2.9"}), 5000));
}

// RFC 5626 section 6
TEST_F(RegistrarRules, AFlowReplacesTheOneItSucceeds) {
    const std::string contact =
        "Supported: outbound\r\nContact: <sip:k@10.0.0.5:1>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
    const Reply reply = send({.headers = contact});
    EXPECT_EQ(header(reply, "Require"), "outbound");
    EXPECT_EQ(header(reply, "Flow-Timer"), "120");
    EXPECT_THAT(header(reply, "Contact"), HasSubstr(";+sip.instance=\"<urn:uuid:1>\";reg-id=1"));
    EXPECT_EQ(send({.headers = "Supported: outbound\r\nContact: "
                               "<sip:k@10.0.0.5:2>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n",
                    .call_id = "c2",
                    .connection = 2})
                  .status,
              200);
    ASSERT_EQ(registrar_->registrations(), 1U);
    EXPECT_EQ(registrar_->lookup("kitchen")[0].flow.connection, 2U);
    registrar_->connection_closed(1);  // of the flow before
    EXPECT_EQ(registrar_->registrations(), 1U);
    registrar_->connection_closed(2);
    EXPECT_EQ(registrar_->registrations(), 0U);
    EXPECT_EQ(events_.back(), "expired kitchen connection");
    EXPECT_EQ(send({.headers = contact,
                    .via = "Via: SIP/2.0/TLS p;branch=z9hG4bK0\r\nVia: SIP/2.0/TLS "
                           "10.0.0.5;branch=z9hG4bK1\r\n"})
                  .status,
              439)
        << "a proxy is between us";
    EXPECT_THAT(header(send({.headers = contact.substr(21)}), "Require"), Not(HasSubstr("outbound")))
        << "who does not support it";
}

// RFC 5627 section 5
TEST_F(RegistrarRules, AnInstanceHasAddressesOfItsOwn) {
    const std::string contact =
        "Contact: <sip:kitchen@10.0.0.5:5061>;+sip.instance=\"<urn:uuid:f81d4fae-7dec>\"\r\n";
    Request request;
    request.headers = contact;
    EXPECT_THAT(header(send(request), "Contact"), Not(HasSubstr("gruu"))) << "it did not ask";
    request.headers = contact + "Supported: gruu\r\n";
    const auto temporary = [](const Reply& reply) {
        const std::string text = header(reply, "Contact");
        const std::size_t at = text.find(";temp-gruu=\"sip:") + 16;
        EXPECT_THAT(text.substr(at), HasSubstr("@vmr.example;gr\""));
        return text.substr(at, text.find('@', at) - at);
    };
    const Reply reply = send(request);
    EXPECT_THAT(header(reply, "Contact"),
                HasSubstr(";pub-gruu=\"sip:kitchen@vmr.example;gr=urn:uuid:f81d4fae-7dec\""));
    const std::string first = temporary(reply);
    const std::string second = temporary(send(request));
    EXPECT_NE(first, second);
    EXPECT_EQ(first.find("kitchen"), std::string::npos);
    for (const std::string& user : {first, second}) {
        const auto owner = registrar_->owner_of(user);
        ASSERT_TRUE(owner) << user;
        EXPECT_EQ(owner->aor, "kitchen");
        EXPECT_EQ(owner->contact.instance, "<urn:uuid:f81d4fae-7dec>");
    }
    std::string forged = first;
    forged.back() = forged.back() == '0' ? '1' : '0';
    for (const std::string& user : {forged, first + "0", std::string("tgruu."), std::string("kitchen")}) {
        EXPECT_FALSE(registrar_->owner_of(user)) << user;
    }
    // A new Call-ID: the device began anew, and what it gave out before is nobody's (section 5.3).
    request.call_id = "c2";
    const std::string third = temporary(send(request));
    EXPECT_FALSE(registrar_->owner_of(first));
    EXPECT_TRUE(registrar_->owner_of(third));
    request.headers =
        "Contact: <sip:kitchen@10.0.0.6:5061>;+sip.instance=\"<with space>\"\r\nRequire: gruu\r\n"
        "Supported: gruu\r\n";
    const Reply other = send(request);
    EXPECT_EQ(other.status, 200);
    EXPECT_THAT(header(other, "Contact"), Not(HasSubstr("gr=with")));
}

TEST_F(RegistrarRules, OldFirmwareIsToldSo) {
    const Reply reply =
        send({.headers = "User-Agent: acme vc9/v3.9.12 (x)\r\nContact: <sip:a@10.0.0.5>\r\n"});
    EXPECT_EQ(reply.status, 403);
    EXPECT_EQ(reply.reason, "Firmware Too Old");
    EXPECT_EQ(header(reply, "Warning"), "399 vmr.example \"firmware 3.9.12 is older than 3.10.1\"");
    EXPECT_EQ(registrar_->registrations(), 0U);
    EXPECT_EQ(events_.back(), "refused kitchen firmware 3.9.12 is older than 3.10.1");
    EXPECT_EQ(send({.headers = "User-Agent: Acme VC9/3.10.1\r\nContact: <sip:a@10.0.0.5>\r\n"}).status, 200);
    EXPECT_EQ(send({.headers = "User-Agent: Acme\r\nContact: <sip:a@10.0.0.5>\r\n"}).status, 403);
    EXPECT_EQ(send({.headers = "User-Agent: Other/0.1\r\nContact: <sip:a@10.0.0.5>\r\n"}).status, 200);
    EXPECT_EQ(registrar_->seen("kitchen")->user_agent, "Other/0.1");
}

// Who shares a proxy's connection is not who registered over it.
TEST_F(RegistrarRules, BehindAProxyAConnectionIsNobodys) {
    const std::string proxy = "Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK2\r\n";
    ASSERT_EQ(send({}).status, 200);
    EXPECT_EQ(registrar_->sender_of(message({.via = proxy + Request().via})), nullptr);
    ASSERT_EQ(send({.via = proxy + Request().via}, 2000).status, 200);
    EXPECT_EQ(registrar_->sender_of(message({})), nullptr) << "the proxy's own";
    ASSERT_EQ(send({}, 3000).status, 200);
    EXPECT_EQ(registrar_->sender_of(message({})), accounts_.find("kitchen"));
}

TEST_F(RegistrarRules, WhoCallsOverTheConnectionOfADeviceIsThatDevice) {
    ASSERT_EQ(send({}).status, 200);
    EXPECT_EQ(registrar_->sender_of(message({})), accounts_.find("kitchen"));
    EXPECT_EQ(registrar_->sender_of(message({.aor = "galley"})), accounts_.find("kitchen"));
    EXPECT_EQ(registrar_->sender_of(message({.aor = "hall"})), nullptr);
    EXPECT_EQ(registrar_->sender_of(message({.connection = 2})), nullptr);
    EXPECT_EQ(registrar_->sender_of(message({.host = "other.example"})), nullptr);
    registrar_->forget("kitchen");
    EXPECT_EQ(registrar_->sender_of(message({})), nullptr);
    EXPECT_EQ(events_.back(), "unregistered kitchen removed");
}

}  // namespace
}  // namespace vmr::sip
