// A peer that restarts ICE in a call: what a session answers, and that media goes on.
#include "daemon/sdp/session.hpp"
#include "tests/daemon/media/transport/endpoint.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

// The peer's end of one m-line: its transport, and what it says of it.
class Line {
public:
    Line(bool sound, std::shared_ptr<DtlsCertificate> certificate)
        : sound_(sound),
          certificate_(std::move(certificate)),
          end_(std::make_shared<MediaIo>(), test::loopback_ice(true), certificate_) {
        end_.add(sound ? test::pcmu_media(0, 1000) : test::vp8_media(0, 2000));
        end_.play();
    }
    void restart() {
        const Status restarted = end_.transport->restart_ice(test::loopback_ice(true));
        ASSERT_TRUE(restarted) << restarted.error();
    }
    std::string sdp(const std::string& setup) const {
        const LocalDescription local = end_.transport->local();
        const std::string port = std::to_string(sdp::parse_candidate(local.candidates.at(0)).value().port);
        return (sound_ ? "m=audio " + port + " UDP/TLS/RTP/SAVP 0\r\n"
                       : "m=video " + port + " UDP/TLS/RTP/SAVP 96\r\na=rtpmap:96 VP8/90000\r\n") +
               "a=rtcp-mux\r\na=ice-ufrag:" + local.ice_ufrag + "\r\na=ice-pwd:" + local.ice_password +
               "\r\na=" + local.candidates.at(0) + "\r\na=setup:" + setup + "\r\na=fingerprint:sha-256 " +
               certificate_->fingerprint() + "\r\n";
    }
    void take(const sdp::Media& answer, const DtlsCertificate& certificate) {
        IceRemote remote{answer.ice.ufrag, answer.ice.pwd, {}, true};
        for (const auto& candidate : answer.ice.candidates) {
            remote.candidates.push_back(sdp::to_string(candidate));
        }
        DtlsParams dtls;
        dtls.fingerprints = {{FingerprintHash::sha256, certificate.fingerprint()}};
        dtls.role = answer.setup == sdp::Setup::active ? DtlsParams::Role::server : DtlsParams::Role::client;
        ASSERT_TRUE(end_.transport->set_remote(remote));
        ASSERT_TRUE(end_.transport->set_security(dtls));
    }
    uint64_t received() const { return end_.received(0); }
    TransportStats stats() const { return end_.transport->stats(); }
    int64_t lost() const { return stats().media.at(0).lost_packets; }

private:
    bool sound_;
    std::shared_ptr<DtlsCertificate> certificate_;
    test::Endpoint end_;
};

class IceRestarts : public TwoRooms {
protected:
    void SetUp() override {
        TwoRooms::SetUp();
        environment_.ice = [] { return test::loopback_ice(false); };
        sdp::Policy policy;
        policy.encryption = sdp::Encryption::required;
        policy.ice = true;
        policy.content = false;
        far_ = std::make_unique<Session>(environment_, "far-leg", policy, "127.0.0.1");
        far_room_->attach("far-leg", far_->bin(), "Far");
        far_->set_on_changed([this] { far_room_->refresh("far-leg"); });
        far_->set_callbacks(
            {.on_media_failed = [this](EndCause, const std::string& why) { failure_ = why; }});
    }
    void TearDown() override {
        far_room_->detach("far-leg");
        TwoRooms::TearDown();
    }
    std::string description(const std::string& setup = "actpass") const {
        return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
               sound_->sdp(setup) + picture_->sdp(setup);
    }
    void offer() {
        const SdpResult answer = far_->answer(description());
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        answer_ = sdp::parse(answer.sdp()).value();
        sound_->take(answer_.media.at(0), *environment_.certificate);
        picture_->take(answer_.media.at(1), *environment_.certificate);
    }
    // From now on, each way.
    void expect_media() {
        const auto counts = [this] {
            std::vector<uint64_t> all{sound_->received(), picture_->received()};
            for (const auto& one : far_->stats()) {
                all.push_back(one.rtp.received_packets);
            }
            return all;
        };
        auto before = counts();
        before.resize(4);
        EXPECT_TRUE(run_until(
            [&] {
                const auto now = counts();
                return now.size() == 4 &&
                       std::ranges::equal(now, before, [](auto is, auto was) { return is > was + 10; });
            },
            std::chrono::seconds(20)))
            << testing::PrintToString(counts()) << failure_;
    }
    std::string ufrag(std::size_t line) const { return answer_.media.at(line).ice.ufrag; }

    std::shared_ptr<DtlsCertificate> certificate_ = *DtlsCertificate::generate();
    std::unique_ptr<Line> sound_ = std::make_unique<Line>(true, certificate_);
    std::unique_ptr<Line> picture_ = std::make_unique<Line>(false, certificate_);
    std::unique_ptr<Session> far_;
    sdp::Session answer_;
    std::string failure_;
};

TEST_F(IceRestarts, AreAnsweredAndMediaAndKeysGoOn) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    const sdp::Session first = answer_;
    const vmr::CryptoReceipt receipt = far_->crypto_receipt();
    EXPECT_EQ(receipt.key_exchange, "DTLS-SRTP");
    const int64_t lost = sound_->lost() + picture_->lost();

    sound_->restart();
    picture_->restart();
    expect_media();
    ASSERT_NO_FATAL_FAILURE(offer());
    for (std::size_t line : {0U, 1U}) {
        EXPECT_NE(ufrag(line), first.media[line].ice.ufrag);
        EXPECT_NE(answer_.media[line].ice.pwd, first.media[line].ice.pwd);
        EXPECT_NE(answer_.media[line].port, first.media[line].port);
        EXPECT_EQ(answer_.media[line].ice.candidates.at(0).port, answer_.media[line].port);
        EXPECT_EQ(answer_.media[line].setup, first.media[line].setup);
        EXPECT_EQ(answer_.media[line].fingerprints.at(0).digest, first.media[line].fingerprints.at(0).digest);
    }
    expect_media();
    EXPECT_EQ(far_->crypto_receipt().suite, receipt.suite);
    EXPECT_LE(sound_->lost() + picture_->lost(), lost);
    EXPECT_EQ(sound_->stats().drops.auth_failures + picture_->stats().drops.auth_failures, 0U);

    const sdp::Session second = answer_;
    ASSERT_NO_FATAL_FAILURE(offer());
    EXPECT_EQ(ufrag(0), second.media[0].ice.ufrag) << "the same again is no restart";
    EXPECT_EQ(answer_.media[0].port, second.media[0].port);
    expect_media();
}

TEST_F(IceRestarts, OffersWithoutOneAreAnsweredForAsLongAsTheCallLasts) {
    ASSERT_NO_FATAL_FAILURE(offer());
    for (int i = 0; i < 60; ++i) {  // each has all candidates again
        const SdpResult answer = far_->answer(description());
        ASSERT_TRUE(answer.ok()) << answer.problem().text << ' ' << i;
    }
    for (int i = 1; i < 60; ++i) {
        far_->add_candidate("candidate:1 1 udp 1 127.0.0.1 " + std::to_string(i) + " typ host", "", 0);
    }
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
}

TEST_F(IceRestarts, OfOneLineLeaveTheOther) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    const sdp::Session first = answer_;
    picture_->restart();
    ASSERT_NO_FATAL_FAILURE(offer());
    EXPECT_EQ(ufrag(0), first.media[0].ice.ufrag);
    EXPECT_EQ(answer_.media[0].port, first.media[0].port);
    EXPECT_NE(ufrag(1), first.media[1].ice.ufrag);
    expect_media();
}

TEST_F(IceRestarts, WithAnotherFingerprintAreAnotherAssociation) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    const sdp::Session first = answer_;
    sound_ = std::make_unique<Line>(true, *DtlsCertificate::generate());
    picture_->restart();
    ASSERT_NO_FATAL_FAILURE(offer());
    EXPECT_NE(ufrag(0), first.media[0].ice.ufrag);
    EXPECT_NE(ufrag(1), first.media[1].ice.ufrag);
    expect_media();
}

TEST_F(IceRestarts, TooOftenAreRefusedAndTheCallStaysAsItWas) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    unsigned answered = 0;
    const auto restarted = [&] {
        picture_->restart();
        const SdpResult answer = far_->answer(description());
        EXPECT_TRUE(answer.ok() || answer.problem().kind == MediaProblem::Kind::not_acceptable);
        if (answer.ok()) {
            answer_ = sdp::parse(answer.sdp()).value();
        }
        return answer.ok();
    };
    while (answered < 20 && restarted()) {
        ++answered;
    }
    EXPECT_GE(answered, 3U);
    EXPECT_LT(answered, 20U);
    // The peer is still where the last one that was answered left it; media goes on as before.
    expect_media();
    EXPECT_EQ(failure_, "");
}

TEST_F(IceRestarts, ThatAreAnAnswerAreRefused) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    const std::string setup = answer_.media[0].setup == sdp::Setup::active ? "passive" : "active";
    ASSERT_TRUE(far_->offer().ok());
    ASSERT_TRUE(far_->accept_answer(description(setup)).ok());
    ASSERT_TRUE(far_->offer().ok());
    sound_->restart();
    const SdpResult taken = far_->accept_answer(description(setup));
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.problem().kind, MediaProblem::Kind::not_acceptable);
    far_->discard_offer();
    expect_media();
}

TEST_F(IceRestarts, WithoutAPathEndTheCall) {
    ASSERT_NO_FATAL_FAILURE(offer());
    expect_media();
    environment_.ice = [] {
        IceParams params = test::loopback_ice(false);
        params.connect_deadline = std::chrono::milliseconds(200);
        return params;
    };
    sound_->restart();
    ASSERT_TRUE(far_->answer(description()).ok());  // which the peer never learns of
    EXPECT_TRUE(run_until([&] { return !failure_.empty(); }, std::chrono::seconds(20)));
    EXPECT_EQ(failure_, "ICE found no path in time");
}

}  // namespace
}  // namespace vmr::media
