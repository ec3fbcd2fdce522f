// ICE between SIP sessions: full and lite on each side, and peers without it.
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

enum class Ice { none, lite, full };

class SipIce : public TwoRooms {
protected:
    void SetUp() override {
        TwoRooms::SetUp();
        environment_.ice = [] {
            IceParams params;
            params.local_addresses = {"127.0.0.1"};
            return params;
        };
    }
    std::unique_ptr<Session> session(const char* name, Ice ice) {
        sdp::Policy policy;
        policy.encryption = sdp::Encryption::required;
        policy.ice = policy.ice_offers = ice != Ice::none;
        policy.ice_lite = ice == Ice::lite;
        policy.content = false;
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling("TLSv1.3 TLS_AES_256_GCM_SHA384");
        return made;
    }
    void call(Ice near_ice, Ice far_ice, const std::function<std::string(std::string)>& between = {}) {
        near_ = session("near-leg", near_ice);
        far_ = session("far-leg", far_ice);
        attach(*near_, *far_);
        const SdpResult offer = near_->offer();
        ASSERT_TRUE(offer.ok()) << offer.problem().text;
        offer_ = between ? between(offer.sdp()) : offer.sdp();
        const SdpResult answer = far_->answer(offer_);
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        answer_ = answer.sdp();
        const SdpResult taken = near_->accept_answer(answer_);
        ASSERT_TRUE(taken.ok()) << taken.problem().text;
    }
    static bool receives(const Session& session) {
        const auto stats = session.stats();
        return std::ranges::count_if(stats, [](const auto& one) { return one.rtp.received_packets > 5; }) ==
               2;
    }
    // Reports tell that RTCP finds its way, too.
    static bool hears_reports(const Session& session) {
        const auto stats = session.stats();
        return std::ranges::count_if(stats, [](const auto& one) { return one.rtp.remote_reports > 0; }) == 2;
    }
    void expect_media() {
        EXPECT_TRUE(run_until([&] {
            return near_->ready() && far_->ready() && receives(*near_) && receives(*far_) &&
                   hears_reports(*near_) && hears_reports(*far_);
        })) << near_->ready()
            << far_->ready() << receives(*near_) << receives(*far_) << hears_reports(*near_)
            << hears_reports(*far_) << '\n'
            << offer_ << answer_;
        detach();
    }
    static bool has(const std::string& text, const char* what) { return text.find(what) != text.npos; }

    std::unique_ptr<Session> near_, far_;
    std::string offer_, answer_;
};

TEST_F(SipIce, FullOffersLiteAnswers) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::full, Ice::lite));
    EXPECT_FALSE(has(offer_, "a=ice-lite"));
    EXPECT_TRUE(has(offer_, "a=rtcp-mux\r\n") && has(offer_, "a=candidate:"));
    EXPECT_TRUE(has(answer_, "a=ice-lite\r\n") && has(answer_, "a=candidate:1 1 "));
    EXPECT_TRUE(has(answer_, "a=ice-options:ice2\r\n"));
    EXPECT_FALSE(has(offer_, "ice2"));
    EXPECT_FALSE(has(answer_, " 9 ")) << "a description over SIP holds a port";
    expect_media();
}

TEST_F(SipIce, LiteOffersFullAnswers) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::lite, Ice::full));
    EXPECT_TRUE(has(offer_, "a=ice-lite\r\n") && has(offer_, "a=candidate:1 2 "));
    EXPECT_FALSE(has(answer_, "a=ice-lite"));
    EXPECT_TRUE(has(answer_, "a=ice-ufrag:"));
    expect_media();
}

TEST_F(SipIce, BothFull) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::full, Ice::full));
    expect_media();
}

TEST_F(SipIce, BothLiteSendToTheDefaultCandidates) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::lite, Ice::lite));
    EXPECT_TRUE(has(offer_, "a=ice-lite\r\n") && has(answer_, "a=ice-lite\r\n"));
    expect_media();
}

TEST_F(SipIce, WhoDoesNotKnowItIsCalledWithoutByLite) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::lite, Ice::none));
    EXPECT_FALSE(has(answer_, "a=ice"));
    expect_media();
}

TEST_F(SipIce, WhoDoesNotKnowItIsCalledWithoutByFull) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::full, Ice::none));
    EXPECT_FALSE(has(answer_, "a=ice"));
    expect_media();
}

TEST_F(SipIce, AFullAgentWithoutMuxIsAnsweredWithout) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::lite, Ice::full, [](std::string offer) {
        for (auto at = offer.find("a=rtcp-mux\r\n"); at != offer.npos; at = offer.find("a=rtcp-mux\r\n")) {
            offer.erase(at, 12);
        }
        return offer;
    }));
    EXPECT_FALSE(has(answer_, "a=ice"));
    expect_media();
}

// Somebody between rewrote the address (RFC 8839 section 4.2.5): media goes where that says.
// Behind a one-to-one NAT, whose part of the way loopback plays: 127.0.0.2 leads to 127.0.0.1.
class BehindNat : public SipIce {
protected:
    void SetUp() override {
        SipIce::SetUp();
        environment_.advertised.ipv4 = "127.0.0.2";
    }
    unsigned count(const std::string& text, const std::string& what) {
        unsigned found = 0;
        for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) {
            ++found;
        }
        return found;
    }
};

TEST_F(BehindNat, WithoutIceMediaComesToTheAdvertisedAddress) {
    call(Ice::none, Ice::none);
    for (const std::string& text : {offer_, answer_}) {
        EXPECT_TRUE(has(text, " IN IP4 127.0.0.2\r\ns=") && has(text, "c=IN IP4 127.0.0.2\r\n")) << text;
        EXPECT_FALSE(has(text, "127.0.0.1"));
    }
    expect_media();
}

TEST_F(BehindNat, ALiteSidesOnlyCandidateIsTheAdvertisedAddress) {
    call(Ice::lite, Ice::full);
    EXPECT_EQ(count(offer_, "a=candidate:"), count(offer_, " 127.0.0.2 ")) << offer_;
    EXPECT_FALSE(has(offer_, "127.0.0.1"));
    detach();  // no NAT here gives our answers the address that was asked: e2e `nat` has one
}

// The host candidate goes on to lead to us from our own side of the NAT.
TEST_F(BehindNat, AFullSideAnnouncesBoth) {
    call(Ice::full, Ice::full);
    for (const std::string& text : {offer_, answer_}) {
        EXPECT_TRUE(has(text, "c=IN IP4 127.0.0.2\r\n"));
        const unsigned media = count(text, "\r\nm=");
        EXPECT_EQ(count(text, " typ host"), media) << text;
        EXPECT_EQ(count(text, " typ srflx raddr 127.0.0.1 rport "), media) << text;
        const auto mapped = text.find(" typ srflx");
        const auto port = text.substr(text.rfind(' ', mapped - 1), mapped - text.rfind(' ', mapped - 1));
        EXPECT_TRUE(has(text, (" rport" + port + "\r\n").c_str())) << "the port stays";
        EXPECT_TRUE(has(text, ("m=audio" + port + " ").c_str())) << text;
    }
    expect_media();
}

TEST_F(BehindNat, WhoIsOnOurSideIsToldOurOwnAddress) {
    environment_.advertised.local_networks = {parse_cidr("127.0.0.0/8").value()};
    call(Ice::none, Ice::none);
    EXPECT_TRUE(has(offer_, "c=IN IP4 127.0.0.1\r\n") && has(answer_, "c=IN IP4 127.0.0.1\r\n"));
    EXPECT_FALSE(has(offer_ + answer_, "127.0.0.2"));
    expect_media();
}

TEST_F(SipIce, NotAcrossSomebodyWhoRewritesAddresses) {
    auto far = session("far-leg", Ice::lite);
    const SdpResult answer = far->answer(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
        "m=audio 40000 RTP/SAVP 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n"
        "a=crypto:1 AEAD_AES_128_GCM inline:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQg==\r\n");
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    EXPECT_FALSE(has(answer.sdp(), "a=ice"));
}

std::string credentials(const std::string& text) {
    const auto at = text.find("a=ice-ufrag:");
    return text.substr(at, text.find("\r\n", at) - at);
}

// Of a full agent.
std::string with_other_credentials(std::string text) {
    const std::string theirs = credentials(text);
    for (auto found = text.find(theirs); found != text.npos; found = text.find(theirs, found + 1)) {
        text.replace(found, theirs.size(), "a=ice-ufrag:newufrag");
    }
    return text;
}

// A restart: new credentials on both sides, and media goes on.
TEST_F(SipIce, ALiteSideRestarts) {
    ASSERT_NO_FATAL_FAILURE(call(Ice::lite, Ice::lite));
    std::string offer = offer_;
    const auto at = offer.find("a=ice-lite\r\n");
    offer.erase(at, 12);  // a full one, this time
    const SdpResult first = far_->answer(offer);
    ASSERT_TRUE(first.ok());
    const SdpResult second = far_->answer(with_other_credentials(offer));
    ASSERT_TRUE(second.ok()) << second.problem().text;
    EXPECT_NE(credentials(first.sdp()), credentials(second.sdp()));
    detach();
}

// Who answers may be somebody else than before; what we have offered is what they check by.
TEST_F(SipIce, ALiteSideKeepsTheCredentialsThatItOffered) {
    near_ = session("near-leg", Ice::lite);
    far_ = session("far-leg", Ice::lite);
    attach(*near_, *far_);
    const auto exchange = [&](bool another) {
        const SdpResult offer = near_->offer();
        ASSERT_TRUE(offer.ok()) << offer.problem().text;
        offer_ = offer.sdp();
        const SdpResult answer = far_->answer(offer_);
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        answer_ = answer.sdp();
        answer_.erase(answer_.find("a=ice-lite\r\n"), 12);
        const SdpResult taken = near_->accept_answer(another ? with_other_credentials(answer_) : answer_);
        ASSERT_TRUE(taken.ok()) << taken.problem().text;
    };
    ASSERT_NO_FATAL_FAILURE(exchange(false));
    ASSERT_NO_FATAL_FAILURE(exchange(true));
    const std::string offered = credentials(offer_);
    const SdpResult next = near_->offer();
    ASSERT_TRUE(next.ok()) << next.problem().text;
    EXPECT_EQ(credentials(next.sdp()), offered);
    detach();
}

}  // namespace
}  // namespace vmr::media
