// Devices that register, over real sockets on the loopback: found, called over the connection that they
// opened, lost with it, trusted when they call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/message/digest.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::HasSubstr;

SipConfig with_registrar(bool allow_clear = false) {
    SipConfig config;
    config.realm = "vmr.example";
    config.registrar.enabled = true;
    config.registrar.domains = {"vmr.example"};
    config.registrar.allow_clear = allow_clear;
    config.devices = {
        {{.name = "kitchen", .display_name = "The kitchen", .digest = DeviceDigest::both}, "s3cret"},
        {{.name = "hall"}, "other"}};
    return config;
}

// One that registers.
class Device {
public:
    Device(Transport transport, std::uint16_t port, std::string name, std::string secret)
        : client(transport, port), name_(std::move(name)), secret_(std::move(secret)) {}

    std::string request(const std::string& method, const std::string& uri, const std::string& extra) {
        ++cseq_;
        return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/" + client.name() +
               " 127.0.0.1:" + std::to_string(listener().local_port()) + ";branch=z9hG4bK" + name_ +
               std::to_string(cseq_) + (listens != nullptr ? "" : ";rport") +
               "\r\nMax-Forwards: 70\r\nFrom: \"x\" <sip:" + name_ + "@vmr.example>;tag=t" + name_ +
               "\r\nTo: <" + (method == "REGISTER" ? "sip:" + name_ + "@vmr.example" : uri) +
               ">\r\nCall-ID: reg-" + name_ + "-" + std::to_string(client.local_port()) +
               "\r\nCSeq: " + std::to_string(cseq_) + " " + method + "\r\n" + extra;
    }
    std::string contact() const {
        return "Contact: <sip:" + name_ + "@127.0.0.1:" + std::to_string(listener().local_port()) + ">";
    }
    std::string credentials(const std::string& method, const std::string& challenge,
                            const std::string& name) const {
        const std::string params = digest_parameters(challenge.substr(7));
        const std::string nonce = parameter(params, "nonce");
        const std::string algorithm = parameter(params, "algorithm");
        const std::string ha1 = hash_hex(algorithm.c_str(), name_ + ":vmr.example:" + secret_);
        const std::string uri = method == "REGISTER" ? "sip:vmr.example" : "sip:team@vmr.example";
        const std::string ha2 = hash_hex(algorithm.c_str(), method + ":" + uri);
        return name + ": Digest username=\"" + name_ + "\", realm=\"vmr.example\", nonce=\"" + nonce +
               "\", uri=\"" + uri + "\", response=\"" +
               hash_hex(algorithm.c_str(), ha1 + ":" + nonce + ":00000001:cn:auth:" + ha2) +
               "\", algorithm=" + algorithm + ", cnonce=\"cn\", qop=auth, nc=00000001\r\n";
    }
    // The final answer.
    std::string register_(const std::string& params = {}) {
        const std::string extra = contact() + params + "\r\nSupported: outbound\r\n";
        client.send(request("REGISTER", "sip:vmr.example", extra + "Content-Length: 0\r\n\r\n"));
        const std::string first = listener().receive();
        if (!first.starts_with("SIP/2.0 401")) {
            return first;
        }
        client.send(request("REGISTER", "sip:vmr.example",
                            extra +
                                credentials("REGISTER", header(first, "WWW-Authenticate"), "Authorization") +
                                "Content-Length: 0\r\n\r\n"));
        return listener().receive();
    }
    // An INVITE, with `extra` headers; what comes after a 100.
    std::string invite(const std::string& extra = {}) {
        client.send(request("INVITE", "sip:team@vmr.example",
                            contact() + "\r\n" + extra + "Content-Type: application/sdp\r\nContent-Length: " +
                                std::to_string(std::string(kOffer).size()) + "\r\n\r\n" + kOffer));
        std::string answer = client.receive();
        while (answer.starts_with("SIP/2.0 1")) {
            answer = client.receive();
        }
        return answer;
    }

    Client client;
    Client* listens = nullptr;  // where answers are to go; null: where it sends from

private:
    Client& listener() { return listens != nullptr ? *listens : client; }
    const Client& listener() const { return listens != nullptr ? *listens : client; }

    std::string name_, secret_;
    int cseq_ = 0;
};

class Registrations : public ::testing::Test {
protected:
    void start(SipConfig config) { harness_ = std::make_unique<Harness>(std::move(config)); }
    std::unique_ptr<Device> device(Transport transport, const std::string& name = "kitchen",
                                   const std::string& secret = "s3cret") {
        return std::make_unique<Device>(transport, harness_->port(transport), name, secret);
    }
    std::size_t contacts(const std::string& name) {
        std::size_t count = 0;
        harness_->run([&] { count = harness_->legs->lookup(name).size(); });
        return count;
    }
    std::shared_ptr<Leg> dial(const std::string& address) {
        std::shared_ptr<Leg> leg;
        harness_->run([&] {
            if (const Result<DialPlan> plan = harness_->legs->plan(address)) {
                leg = harness_->legs->dial({"out-1", *plan, "Board", "board"});
            }
        });
        return leg;
    }
    std::unique_ptr<Harness> harness_;
};

TEST_F(Registrations, ADeviceIsCalledOverTheConnectionThatItOpened) {
    start(with_registrar());
    const auto kitchen = device(Transport::tls);
    const std::string answer = kitchen->register_(";reg-id=1;+sip.instance=\"<urn:uuid:1>\"");
    EXPECT_THAT(answer, HasSubstr("SIP/2.0 200 OK"));
    EXPECT_THAT(answer, HasSubstr("Flow-Timer: 120"));
    ASSERT_TRUE(dial("Kitchen@vmr.example"));
    const std::string invite = kitchen->client.expect("INVITE");
    EXPECT_THAT(invite, HasSubstr("INVITE sip:kitchen@127.0.0.1:" +
                                  std::to_string(kitchen->client.local_port()) + " SIP/2.0"));
    EXPECT_EQ(header(invite, "To"), "<sip:kitchen@vmr.example>");
    EXPECT_THAT(header(invite, "Contact"), HasSubstr(std::to_string(harness_->port(Transport::tls))));
    Caller callee(kitchen->client);
    kitchen->client.send(callee.answer(invite, {}, kAnswer));
    EXPECT_THAT(kitchen->client.expect("ACK"), HasSubstr("ACK sip:"));
    const auto record = harness_->observer.wait([](const auto& one) { return one.answered; });
    ASSERT_TRUE(record);
    EXPECT_TRUE(record->arrival.signalling.starts_with("TLSv1."));
}

TEST_F(Registrations, WhoSendsFromAnotherPortIsCalledWhereItListens) {
    start(with_registrar(true));
    Client listens(Transport::udp, harness_->port(Transport::udp));
    const auto kitchen = device(Transport::udp);
    kitchen->listens = &listens;
    ASSERT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 200 OK"));
    ASSERT_TRUE(dial("Kitchen@vmr.example"));
    EXPECT_NE(listens.expect("INVITE"), "");
}

TEST_F(Registrations, ComesBackByAnotherConnection) {
    start(with_registrar());
    auto first = device(Transport::tls);
    ASSERT_THAT(first->register_(), HasSubstr("SIP/2.0 200 OK"));
    EXPECT_EQ(contacts("kitchen"), 1U);
    first.reset();
    EXPECT_TRUE(harness_->wait([&] { return harness_->legs->lookup("kitchen").empty(); }))
        << "lost with its connection";
    ASSERT_TRUE(dial("kitchen"));
    const auto unreachable = harness_->observer.wait([](const auto& one) { return one.ended.has_value(); });
    ASSERT_TRUE(unreachable);
    EXPECT_EQ(*unreachable->ended, EndCause::unreachable);
    EXPECT_THAT(unreachable->turned_down.text, HasSubstr("Not registered"));
    const auto second = device(Transport::tls);
    ASSERT_THAT(second->register_(), HasSubstr("SIP/2.0 200 OK"));
    ASSERT_TRUE(dial("kitchen"));
    EXPECT_NE(second->client.expect("INVITE"), "");
}

TEST_F(Registrations, WrongSecretsAreRefusedAndTakenBackOnesEnd) {
    start(with_registrar());
    EXPECT_THAT(device(Transport::tls, "kitchen", "guess")->register_(), HasSubstr("SIP/2.0 401"));
    EXPECT_THAT(device(Transport::tls, "nobody", "guess")->register_(), HasSubstr("SIP/2.0 401"));
    EXPECT_THAT(device(Transport::tcp)->register_(), HasSubstr("SIP/2.0 403 TLS Required"));
    EXPECT_THAT(device(Transport::udp)->register_(), HasSubstr("SIP/2.0 403 TLS Required"));
    const auto kitchen = device(Transport::tls);
    ASSERT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 200 OK"));
    ASSERT_THAT(kitchen->register_(";expires=0"), HasSubstr("SIP/2.0 200 OK"));
    EXPECT_EQ(contacts("kitchen"), 0U);
    ASSERT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 200 OK"));
    harness_->run([&] { EXPECT_TRUE(harness_->legs->devices()->set({.name = "kitchen"}, "changed")); });
    EXPECT_EQ(contacts("kitchen"), 0U) << "registered by the old secret";
    EXPECT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 401"));
}

TEST_F(Registrations, KeepAlivesAreAnswered) {
    SipConfig config = with_registrar(true);
    config.stack.answer_stun = true;
    start(config);
    const auto kitchen = device(Transport::tls);
    ASSERT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 200 OK"));
    kitchen->client.send("\r\n\r\n");
    EXPECT_EQ(kitchen->client.receive_raw(), "\r\n");  // RFC 5626 section 4.4.1
    const auto hall = device(Transport::udp, "hall", "other");
    ASSERT_THAT(hall->register_(), HasSubstr("SIP/2.0 200 OK"));
    hall->client.send(std::string("\0\1\0\0\x21\x12\xa4\x42", 8) + "0123456789ab");
    const std::string answer = hall->client.receive_raw();
    ASSERT_EQ(answer.size(), 32U);
    EXPECT_EQ(answer.substr(0, 2), "\1\1");
    EXPECT_EQ(answer.substr(8, 12), "0123456789ab");
}

// RFC 5626 section 4.4.1: a flow over which nothing came for longer than agreed is dead.
TEST_F(Registrations, ASilentFlowIsClosed) {
    SipConfig config = with_registrar();
    config.registrar.keep_alive = std::chrono::seconds(3);
    config.registrar.keep_alive_grace = std::chrono::seconds(0);
    start(config);
    const auto kitchen = device(Transport::tls);
    ASSERT_THAT(kitchen->register_(";reg-id=1;+sip.instance=\"<urn:uuid:1>\""), HasSubstr("SIP/2.0 200 OK"));
    EXPECT_EQ(contacts("kitchen"), 1U);
    EXPECT_TRUE(kitchen->client.closed(15000));
    EXPECT_TRUE(harness_->wait([&] { return harness_->legs->lookup("kitchen").empty(); }));
}

TEST_F(Registrations, WhoRegisteredIsTrustedWhenTheyCall) {
    start(with_registrar());
    const auto kitchen = device(Transport::tls);
    ASSERT_THAT(kitchen->register_(), HasSubstr("SIP/2.0 200 OK"));
    ASSERT_THAT(kitchen->invite(), HasSubstr("SIP/2.0 200 OK"));
    const auto record = harness_->observer.wait([](const auto& one) { return one.arrival.trusted; });
    ASSERT_TRUE(record);
    EXPECT_EQ(record->arrival.caller, "kitchen@vmr.example");
    EXPECT_EQ(record->arrival.display_name, "The kitchen");
}

TEST_F(Registrations, WhoSaysToBeOfOurDomainProvesIt) {
    start(with_registrar());
    for (const char* name : {"kitchen", "nobody"}) {
        const auto stranger = device(Transport::udp, name, "guess");
        EXPECT_THAT(stranger->invite(), HasSubstr("SIP/2.0 407")) << name;
    }
    const auto kitchen = device(Transport::tcp);
    const std::string challenge = kitchen->invite();
    ASSERT_THAT(challenge, HasSubstr("SIP/2.0 407"));
    const std::string given =
        kitchen->credentials("INVITE", header(challenge, "Proxy-Authenticate"), "Proxy-Authorization");
    EXPECT_THAT(kitchen->invite(given), HasSubstr("SIP/2.0 200 OK"));
    ASSERT_TRUE(harness_->observer.wait([](const auto& one) { return one.arrival.trusted; }));
    // With a foreign name nobody is asked, nor trusted.
    Client client(Transport::udp, harness_->port(Transport::udp));
    Caller caller(client);
    client.send(caller.request("INVITE", {}, kOffer));
    EXPECT_NE(client.expect("SIP/2.0 200"), "");
    EXPECT_EQ(harness_->observer.arrivals(), 2U);
}

TEST_F(Registrations, WithoutARegistrarNobodyRegisters) {
    start({});
    EXPECT_THAT(device(Transport::tls)->register_(), HasSubstr("SIP/2.0 405"));
    EXPECT_EQ(harness_->legs->devices(), nullptr);
}

}  // namespace
}  // namespace vmr::sip::test
