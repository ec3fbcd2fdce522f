// Credentials of trunks in INVITEs, over real sockets on the loopback: how often a secret may be guessed, and
// what they are good for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/legs/sip/message/digest.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::StartsWith;

class Credentials : public ::testing::Test {
protected:
    static SipConfig config() {
        SipConfig config;
        config.realm = "vmr";
        config.ban_loopback = true;
        config.stack.bans.offences = 10;
        config.trunks = {
            {.name = "pbx", .user = "pbx", .secret = "s3cret", .numbers = {{"+4930123", "room"}}}};
        return config;
    }
    // The final answer to an INVITE for `number` with `headers`, perhaps by way of a proxy.
    std::string invite(const std::string& number, const std::string& headers = {}, bool proxied = false) {
        Caller caller(client_, number);
        std::string text = caller.request("INVITE", headers, kOffer);
        if (proxied) {
            text.insert(text.find("Max-Forwards"), "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKphone\r\n");
        }
        client_.send(text);
        std::string answer = client_.receive();
        while (answer.starts_with("SIP/2.0 1")) {
            answer = client_.receive();
        }
        return answer;
    }
    std::string credentials(const std::string& secret, const std::string& uri,
                            const std::string& realm = "vmr") {
        const std::string challenge = header(invite("+4930123"), "Proxy-Authenticate");
        const std::string params = digest_parameters(std::string_view(challenge).substr(7));
        const std::string nonce = parameter(params, "nonce");
        const std::string algorithm = parameter(params, "algorithm");
        const std::string ha1 = hash_hex(algorithm.c_str(), "pbx:" + realm + ":" + secret);
        const std::string ha2 = hash_hex(algorithm.c_str(), "INVITE:" + uri);
        return "Proxy-Authorization: Digest username=\"pbx\", realm=\"" + realm + "\", nonce=\"" + nonce +
               "\", uri=\"" + uri + "\", response=\"" +
               hash_hex(algorithm.c_str(), ha1 + ":" + nonce + ":00000001:cn:auth:" + ha2) +
               "\", algorithm=" + algorithm + ", cnonce=\"cn\", qop=auth, nc=00000001\r\n";
    }
    unsigned bans() { return static_cast<unsigned>(harness_.legs->statistics().bans); }

    Harness harness_{config()};
    Client client_{Transport::tcp, harness_.port(Transport::tcp)};
};

const std::string kUri = "sip:+4930123@vmr.test";

TEST_F(Credentials, TheRightOnesOpenTheTrunk) {
    EXPECT_THAT(invite("+4930123"), StartsWith("SIP/2.0 407"));
    EXPECT_THAT(invite("+4930123", credentials("s3cret", kUri)), StartsWith("SIP/2.0 200"));
    EXPECT_EQ(bans(), 0U);
}

// Where an answer would tell a wrong secret from the right one, though nobody asked for it.
TEST_F(Credentials, AGuessIsAnOffenceWhateverItAsksFor) {
    for (int guess = 0; guess < 3; ++guess) {
        EXPECT_THAT(invite("room", credentials("guess", "sip:room@vmr.test") + "Replaces: nonsense\r\n"),
                    StartsWith("SIP/2.0 400"));
    }
    EXPECT_TRUE(harness_.wait([this] { return bans() == 1; }));
}

TEST_F(Credentials, AMessageIsOneGuess) {
    const std::string wrong = credentials("guess", kUri);
    EXPECT_THAT(invite("+4930123", wrong + credentials("s3cret", kUri)), StartsWith("SIP/2.0 407"));
    EXPECT_THAT(invite("+4930123", credentials("x", kUri, "elsewhere") + credentials("s3cret", kUri)),
                StartsWith("SIP/2.0 200"))
        << "those of another realm are none of ours";
}

// RFC 7616 section 3.4.6; behind a proxy the Request-URI may be its own (RFC 3261 section 22.4)
TEST_F(Credentials, TheyAreGoodForTheUriThatTheyWereMadeFor) {
    const std::string other = "sip:+4930999@vmr.test";
    EXPECT_THAT(invite("+4930123", credentials("s3cret", other)), StartsWith("SIP/2.0 407"));
    EXPECT_THAT(invite("+4930123", credentials("s3cret", "sip:+4930123@VMR.test:5060;transport=tcp")),
                StartsWith("SIP/2.0 200"))
        << "by another port or transport it is the same";
    EXPECT_THAT(invite("+4930123", credentials("s3cret", other), true), StartsWith("SIP/2.0 200"));
}

}  // namespace
}  // namespace vmr::sip::test
