// A call that we place by proxies each of which asks who we are (RFC 3261 section 22.3).
#include <gmock/gmock.h>

#include "daemon/legs/sip/dialog/invitation.hpp"
#include "tests/support/sip/fake_host.hpp"
#include "tests/support/sip/fakes.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/scripted_peer.hpp"

namespace vmr::sip::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string challenge(const std::string& realm, const std::string& nonce, bool stale = false) {
    return "Proxy-Authenticate: Digest " + std::string(stale ? "stale=true, " : "") + "realm=\"" + realm +
           "\", nonce=\"" + nonce + "\", algorithm=MD5, qop=\"auth\"\r\n";
}

std::size_t credentials_in(const std::string& message) {
    std::size_t count = 0;
    for (std::size_t at = message.find("Proxy-Authorization:"); at != std::string::npos;
         at = message.find("Proxy-Authorization:", at + 1)) {
        ++count;
    }
    return count;
}

class Failover : public ::testing::Test, public InvitationHost {
protected:
    Failover() : invitation_(network_, *this, invite(), "c1", "l") { start(); }
    static Invite invite() {
        Invite invite;
        invite.uri = "sip:+4930123@provider.example";
        invite.from_user = "us";
        invite.identity = {"us", "secret"};
        return invite;
    }
    void start() { invitation_.start({Transport::udp, {"192.0.2.7", 5060}, {"192.0.2.1", 5060}}, media_, 0); }
    void respond(int status, const std::string& extra = {}, const std::string& body = {}) {
        const FakeHost::Sent to = network_.requests.back();
        invitation_.receive_response(
            to.id, read(response(to.bytes, status, "b", "Contact: <sip:bob@192.0.2.9>\r\n" + extra, body)),
            10);
    }
    const std::string& last() const { return network_.requests.back().bytes; }

    void on_progressed(LegProgress) override {}
    void on_invitation_accepted(Established, bool) override { accepted_ = true; }
    void on_invitation_refused(const Refusal& refusal) override { refusals_.push_back(refusal); }

    FakeHost network_;
    std::shared_ptr<FakeMedia> media_ = std::make_shared<FakeMedia>();
    Invitation invitation_;
    bool accepted_ = false;
    std::vector<Refusal> refusals_;
};

TEST_F(Failover, ANewProxyIsGivenCredentialsOfItsOwn) {
    respond(407, challenge("provider", "n1"));
    respond(503);
    ASSERT_EQ(refusals_.size(), 1U);
    EXPECT_TRUE(refusals_[0].try_next);
    start();
    EXPECT_EQ(credentials_in(last()), 0U) << last();
    respond(407, challenge("provider", "n2"));
    EXPECT_EQ(credentials_in(last()), 1U);
    EXPECT_THAT(last(), HasSubstr("nonce=\"n2\""));
    respond(200, {}, "v=answer");
    EXPECT_TRUE(accepted_);
}

TEST_F(Failover, EachRealmOnTheWayIsAnswered) {
    respond(407, challenge("near", "n1"));
    respond(407, challenge("far", "f1"));
    EXPECT_EQ(credentials_in(last()), 2U);
    EXPECT_THAT(last(), AllOf(HasSubstr("nonce=\"n1\""), HasSubstr("nonce=\"f1\"")));
    respond(407, challenge("near", "n2", true));
    EXPECT_EQ(credentials_in(last()), 2U);
    EXPECT_THAT(last(),
                AllOf(HasSubstr("nonce=\"n2\""), HasSubstr("nonce=\"f1\""), Not(HasSubstr("nonce=\"n1\""))));
    respond(200, {}, "v=answer");
    EXPECT_TRUE(accepted_);
    EXPECT_THAT(refusals_, IsEmpty());
}

TEST_F(Failover, ARealmThatAsksAgainWasNotConvinced) {
    respond(407, challenge("near", "n1"));
    respond(407, challenge("far", "f1"));
    respond(407, challenge("far", "f2"));
    ASSERT_EQ(refusals_.size(), 1U);
    EXPECT_EQ(refusals_[0].cause, EndCause::unauthorized);
}

TEST_F(Failover, RealmsWithoutEndAreNotAnswered) {
    for (int realm = 0; realm < 100 && refusals_.empty(); ++realm) {
        respond(407, challenge("r" + std::to_string(realm), "n"));
    }
    ASSERT_EQ(refusals_.size(), 1U);
    EXPECT_LE(network_.requests.size(), 5U);
}

}  // namespace
}  // namespace vmr::sip::test
