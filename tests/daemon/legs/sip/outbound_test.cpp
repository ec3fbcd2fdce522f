// Flows that we open: to a SipLegs on the loopback, over each transport.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/stack_client.hpp"

namespace vmr::sip::test {
namespace {

std::string options(const Flow& flow, const std::string& branch) {
    return "OPTIONS sip:x@first SIP/2.0\r\nVia: SIP/2.0/" + std::string(via_name(flow.transport)) + " " +
           flow.local.text() + ";branch=z9hG4bK" + branch +
           ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@first>\r\nCall-ID: " + branch +
           "\r\nCSeq: 1 OPTIONS\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n";
}

StackConfig trusting(const std::string& ca_file, int timeout_ms = 5000) {
    StackConfig config;
    config.outbound.ca_file = ca_file;
    config.outbound.open_timeout_ms = timeout_ms;
    return config;
}

class Outbound : public ::testing::Test {
protected:
    Target target(Transport transport) const { return {transport, {"127.0.0.1", harness_.port(transport)}}; }
    Harness harness_;  // its certificate is "first"'s
};

TEST_F(Outbound, ARequestGoesOutAndItsAnswerComesBackOnEachTransport) {
    StackClient client({}, trusting(harness_.tls.certificate_chain_file));
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
        const Result<Flow> flow = client.open(target(transport), "first");
        ASSERT_TRUE(flow.ok()) << uri_param(transport) << ": " << flow.error();
        EXPECT_EQ(flow.value().protection.starts_with("TLSv1."), transport == Transport::tls);
        client.messages.clear();
        client.stack->send(flow.value(), options(flow.value(), uri_param(transport)));
        ASSERT_TRUE(client.wait([&] { return !client.messages.empty(); })) << uri_param(transport);
        EXPECT_EQ(client.messages[0].status, 200);
        const Flow& back = client.messages[0].flow;
        EXPECT_EQ(back.opened_by_us, transport != Transport::udp);
        EXPECT_EQ(back.peer_domains.empty(), transport != Transport::tls) << "a trunk is known by them";
    }
}

TEST_F(Outbound, AConnectionIsUsedAgainForTheSameNameOnly) {
    StackClient client({}, trusting(harness_.tls.certificate_chain_file));
    const Result<Flow> first = client.open(target(Transport::tls), "first");
    const Result<Flow> again = client.open(target(Transport::tls), "first");
    ASSERT_TRUE(first.ok() && again.ok());
    EXPECT_EQ(first.value().connection, again.value().connection);
    EXPECT_FALSE(client.open(target(Transport::tls), "other").ok());
}

TEST_F(Outbound, AnothersCertificateIsRefused) {
    StackClient client({}, trusting(harness_.tls.certificate_chain_file));
    for (const char* host : {"second", "first.example", "*", "127.0.0.1", ""}) {
        EXPECT_FALSE(client.open(target(Transport::tls), host).ok()) << host;
    }
}

TEST_F(Outbound, AnUntrustedChainIsRefused) {
    StackClient client({}, trusting(""));  // the system's: it does not know this one
    const Result<Flow> flow = client.open(target(Transport::tls), "first");
    ASSERT_FALSE(flow.ok());
    EXPECT_NE(flow.error().find("certificate"), std::string::npos) << flow.error();
}

TEST_F(Outbound, AReloadThatFailsKeepsWhomWeTrust) {
    const TlsConfig files = make_certificate("nobody");
    Harness later;
    replace_certificate_files(later.tls, "second");
    later.run([&] { ASSERT_TRUE(later.legs->reload_certificate().ok()); });
    {
        std::ofstream authorities(files.certificate_chain_file, std::ios::trunc);
        authorities << std::ifstream(harness_.tls.certificate_chain_file).rdbuf()
                    << std::ifstream(later.tls.certificate_chain_file).rdbuf();
    }
    StackClient client({}, trusting(files.certificate_chain_file));
    ASSERT_TRUE(client.open(target(Transport::tls), "first").ok());
    std::filesystem::remove_all(std::filesystem::path(files.private_key_file).parent_path());
    EXPECT_FALSE(client.stack->reload_certificate().ok());
    const Target fresh{Transport::tls, {"127.0.0.1", later.port(Transport::tls)}};
    const Result<Flow> flow = client.open(fresh, "second");
    EXPECT_TRUE(flow.ok()) << flow.error();
}

TEST_F(Outbound, NobodyThereIsReported) {
    StackClient client({}, trusting(""));
    EXPECT_FALSE(client.open({Transport::tcp, {"127.0.0.1", 1}}, "x").ok());
    EXPECT_FALSE(client.open({Transport::udp, {"2001:db8::1", 5060}}, "x").ok());
    EXPECT_FALSE(client.open({Transport::udp, {"nonsense", 5060}}, "x").ok());
}

// Not by the first call.
TEST(OutboundFiles, ThatAreWrongAreFoundAtTheStart) {
    struct Nobody : StackHandler {
        void on_message_received(Message) override {}
        void on_connection_closed(std::uint64_t) override {}
        void on_resolved(std::uint64_t, const Result<std::vector<Target>>&) override {}
        void on_flow_opened(std::uint64_t, const Result<Flow>&) override {}
    } nobody;
    const auto start = [&nobody](const StackConfig& config) {
        const auto stack = make_stack(config, nullptr, nobody);
        const auto started = stack->start();
        if (started) {
            stack->stop();
        }
        return started ? std::string() : started.error();
    };
    EXPECT_EQ(start(trusting("")), "");
    EXPECT_EQ(start(trusting("/vmr-nowhere/ca.pem")), "cannot read the CA file /vmr-nowhere/ca.pem");
    StackConfig ours;
    ours.tls.certificate_chain_file = "/vmr-nowhere/chain.pem";
    EXPECT_EQ(start(ours), "cannot read the certificate chain /vmr-nowhere/chain.pem");
}

// A listener that accepts and says nothing: the TLS handshake never ends.
TEST_F(Outbound, AHandshakeThatNeverEndsIsGivenUp) {
    StackClient client({}, trusting(harness_.tls.certificate_chain_file, 300));
    const Result<Flow> flow =
        client.open({Transport::tls, {"127.0.0.1", harness_.port(Transport::tcp)}}, "first");
    EXPECT_FALSE(flow.ok());
}

}  // namespace
}  // namespace vmr::sip::test
