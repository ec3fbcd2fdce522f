// Real clients against the leg: sipp and baresip, as Debian has them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/program.hpp"

namespace vmr::sip::test {
namespace {

// INVITE, 407, ACK, INVITE with credentials, 200, ACK.
constexpr const char* kTrunkScenario = R"(<?xml version="1.0"?><scenario>
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+4930777@pbx>;tag=[pid]x[call_number]
To: <sip:[service]@vmr>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:pbx@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="100" optional="true"/><recv response="407" auth="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+4930777@pbx>;tag=[pid]x[call_number]
To: <sip:[service]@vmr>
Call-ID: [call_id]
CSeq: 2 INVITE
Contact: <sip:pbx@[local_ip]:[local_port]>
[authentication username=trunk password=s3cret]
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=a 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 30000 RTP/AVP 0

]]></send><recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="200"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 2 ACK
Content-Length: 0

]]></send></scenario>)";

class Clients : public ::testing::Test {
protected:
    Clients() {
        char folder[] = "/tmp/vmr-client-XXXXXX";
        folder_ = mkdtemp(folder);
    }
    ~Clients() override { std::filesystem::remove_all(folder_); }
    std::string log() const {
        std::ifstream file(folder_ + "/log");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string folder_;
};

TEST_F(Clients, SippMakesAHundredCallsOverUdpAndTcp) {
    if (!installed("sipp")) {
        GTEST_SKIP() << "sipp is not installed";
    }
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        Harness harness;
        Program sipp({"sipp", "-sn", "uac", "-t", transport == Transport::udp ? "u1" : "t1", "-i",
                      "127.0.0.1", "-m", "100", "-r", "100", "-d", "50", "-nostdin", "-s", "room",
                      "127.0.0.1:" + std::to_string(harness.port(transport))},
                     folder_);
        EXPECT_EQ(sipp.wait(), 0) << log();
        EXPECT_EQ(harness.observer.arrivals(), 100U);
        EXPECT_EQ(harness.observer.ended(), 100U);
        EXPECT_TRUE(harness.wait([&] { return harness.legs->calls() == 0; }));
    }
}

TEST_F(Clients, SippAuthenticatesAsATrunk) {
    if (!installed("sipp")) {
        GTEST_SKIP() << "sipp is not installed";
    }
    std::ofstream(folder_ + "/auth.xml") << kTrunkScenario;
    SipConfig config;
    config.trunks = {{.name = "pbx",
                      .user = "trunk",
                      .secret = "s3cret",
                      .algorithms = DigestAlgorithms::md5,
                      .numbers = {{"+4930123", ""}}}};
    Harness harness(config);
    Program sipp({"sipp", "-sf", "auth.xml", "-t", "u1", "-i", "127.0.0.1", "-m", "1", "-nostdin", "-s",
                  "+4930123", "127.0.0.1:" + std::to_string(harness.port(Transport::udp))},
                 folder_);
    EXPECT_EQ(sipp.wait(), 0) << log();
    const auto call = harness.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call);
    EXPECT_EQ(call->arrival.kind, LegKind::phone);
    EXPECT_EQ(call->arrival.trunk, "pbx");
    EXPECT_EQ(call->arrival.caller, "+4930777");
    EXPECT_TRUE(call->arrival.ask_meeting_number);
    EXPECT_TRUE(call->arrival.trusted);
}

TEST_F(Clients, BaresipCallsOverTlsWithSrtpMandatory) {
    if (!installed("baresip")) {
        GTEST_SKIP() << "baresip is not installed";
    }
    std::ofstream(folder_ + "/config")
        << "module_path /usr/lib/baresip/modules\nsip_listen 127.0.0.1:0\n"
           "module g711.so\nmodule srtp.so\nmodule ausine.so\nmodule aufile.so\n"
           "module_app account.so\nmodule_app menu.so\n"
           "audio_source ausine,440\naudio_player aufile,/dev/null\n";
    std::ofstream(folder_ + "/accounts")
        << "<sip:bob@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand;audio_codecs=PCMU/8000/1\n";
    std::ofstream(folder_ + "/contacts") << "";
    Harness harness;
    harness.observer.answer_attributes =
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk\r\n";
    Program baresip(
        {"baresip", "-f", folder_, "-t", "10", "-e",
         "/dial sip:Room@127.0.0.1:" + std::to_string(harness.port(Transport::tls)) + ";transport=tls"},
        folder_);
    const auto call = harness.observer.wait([](const auto& record) { return record.answered; });
    ASSERT_TRUE(call) << log();
    EXPECT_TRUE(call->arrival.signalling.starts_with("TLSv1.")) << call->arrival.signalling;
    EXPECT_EQ(call->arrival.alias, "room");
    EXPECT_NE(call->media->offers.at(0).find("a=crypto"), std::string::npos);
    const auto ended = harness.observer.wait([](const auto& record) { return record.ended.has_value(); });
    ASSERT_TRUE(ended) << log();
    EXPECT_EQ(*ended->ended, EndCause::hangup);
    (void)baresip.wait();
}

}  // namespace
}  // namespace vmr::sip::test
