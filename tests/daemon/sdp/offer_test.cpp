// Our own offers, answered by our own answerer and by hand.
#include <algorithm>

#include "support.hpp"

namespace vmr::sdp::test {
namespace {

Outcome<Negotiated> round_trip(const Offered& offer, const Policy& answerer,
                               const Negotiated* previous = nullptr) {
    auto remote = answer(parsed(offer.text), answerer);
    if (!remote) {
        return remote;
    }
    const auto text = write_answer(*remote, local_for(4, 4));
    return apply_answer(offer.plan, offer.local, parsed(text), previous);
}

TEST(Offer, BestEffortIsPlainProfileWithKeys) {
    const auto offer = offered(sip_policy());
    EXPECT_NE(offer.text.find("m=audio 20000 RTP/AVP 96 9 8 0 100 101\r\n"), std::string::npos);
    EXPECT_NE(offer.text.find("m=video 20002 RTP/AVP 97 102 103 98\r\n"), std::string::npos);
    EXPECT_EQ(count(offer.text, "m=video"), 2U);
    EXPECT_NE(offer.text.find("a=content:slides\r\n"), std::string::npos);
    EXPECT_NE(offer.text.find("a=crypto:1 AEAD_AES_256_GCM inline:"), std::string::npos);
    EXPECT_EQ(count(offer.text, "a=group"), 0U);
    const auto session = parsed(offer.text);
    EXPECT_EQ(session.media.at(0).cryptos.size(), 6U);
    EXPECT_TRUE(session.media[0].cryptos[0].usable);
}

TEST(Offer, RoundTripAgreesOnTheStrongest) {
    const auto policy = sip_policy();
    const auto result = round_trip(offered(policy), policy);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    EXPECT_EQ(result->transports.size(), 3U);
    EXPECT_TRUE(result->counts_as_encrypted);
    EXPECT_EQ(result->transports[0].sdes.suite, CryptoSuite::aead_aes_256_gcm);
    EXPECT_EQ(result->find(MediaKind::audio)->codecs.at(0).codec, Codec::opus);
    EXPECT_EQ(result->find(MediaKind::audio)->dtmf.at(0).clock_rate, 48000U);
    EXPECT_EQ(result->find(MediaKind::video, Role::content)->index, 2U);
    EXPECT_TRUE(result->find(MediaKind::video)->feedback.ccm_fir);
}

TEST(Offer, RequiredUsesSavpAndOverClearSignallingDtls) {
    const auto tls = offered(sip_policy(Encryption::required));
    EXPECT_EQ(count(tls.text, "RTP/SAVP "), 3U);
    const auto clear_policy = sip_policy(Encryption::required, false);
    const auto clear = offered(clear_policy);
    EXPECT_EQ(count(clear.text, "UDP/TLS/RTP/SAVPF"), 3U);
    EXPECT_EQ(count(clear.text, "a=crypto"), 0U);
    const auto result = round_trip(clear, clear_policy);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    EXPECT_EQ(result->transports.at(0).keying, KeyManagement::dtls);
    EXPECT_EQ(result->transports[0].dtls.local_setup, Setup::active) << "the answerer took passive";
}

TEST(Offer, WebrtcIsBundledWithIceAndRtx) {
    const auto policy = webrtc_policy();
    const auto offer = offered(policy);
    EXPECT_NE(offer.text.find("a=group:BUNDLE 0 1 2\r\n"), std::string::npos);
    const auto result = round_trip(offer, policy);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    ASSERT_EQ(result->transports.size(), 1U);
    EXPECT_TRUE(result->bundle);
    EXPECT_TRUE(result->transports[0].ice->controlling);
    EXPECT_EQ(result->find(MediaKind::video)->codecs.at(0).rtx_send_pt, 108);
    EXPECT_EQ(result->find(MediaKind::video)->extmaps.transport_cc, 3U);
}

TEST(Offer, RedAndUlpfecAreForBrowsers) {
    const auto policy = webrtc_policy();
    const auto result = round_trip(offered(policy), policy);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    const auto& fec = result->find(MediaKind::video)->fec;
    ASSERT_TRUE(fec);
    EXPECT_EQ(fec->red_receive_pt, 102);
    EXPECT_EQ(fec->ulpfec_send_pt, 103);
    EXPECT_EQ(fec->rtx_send_pt, 112);
    EXPECT_EQ(count(offered(sip_policy()).text, "red/90000"), 0U);
}

TEST(ApplyAnswer, FecIsWhatTheAnswerTookOfIt) {
    const auto browser = offered(webrtc_policy());
    const auto taken = replaced(sample("chromium-answer"), "a=rtcp-fb:98 nack\r\n",
                                "a=rtcp-fb:98 nack\r\na=rtpmap:50 red/90000\r\na=rtpmap:51 ulpfec/90000\r\n");
    const auto text = replaced(taken, "UDP/TLS/RTP/SAVPF 98", "UDP/TLS/RTP/SAVPF 98 50 51");
    const auto result = apply_answer(browser.plan, browser.local, parsed(text));
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    const auto& fec = result->find(MediaKind::video)->fec;
    ASSERT_TRUE(fec);
    EXPECT_EQ(fec->red_send_pt, 50);
    EXPECT_EQ(fec->red_receive_pt, 102);
    EXPECT_EQ(fec->ulpfec_send_pt, 51);
    EXPECT_FALSE(fec->rtx_send_pt || fec->rtx_receive_pt);
    const auto refused = apply_answer(browser.plan, browser.local, parsed(sample("chromium-answer")));
    EXPECT_FALSE(refused->find(MediaKind::video)->fec);
}

const char* kPhoneAnswer =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 8 110\r\na=rtpmap:110 telephone-event/8000\r\n%CRYPTO%"
    "m=video 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 97\r\n";

// RFC 6184 section 8.1: without packetization-mode it is 0, and what the number says of ours is 1.
TEST(ApplyAnswer, APictureIsTakenUnderTheNumberOfTheAnswer) {
    const auto offer = offered(sip_policy(Encryption::off));
    for (const std::string fmtp : {"", "a=fmtp:97 profile-level-id=42e01f\r\n"}) {
        const auto result = apply_answer(
            offer.plan, offer.local,
            parsed("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
                   "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n" +
                   fmtp + "m=video 0 RTP/AVP 97\r\n"));
        ASSERT_TRUE(result.ok()) << result.refusal().detail;
        const auto& codecs = result->find(MediaKind::video)->codecs;
        EXPECT_EQ(codecs.front().send_pt, 97);
        EXPECT_EQ(codecs.front().packetization_mode, 0U) << "what we send";
        const auto taken = [&](unsigned number) {
            return std::ranges::count(codecs, number, &CodecPlan::receive_pt);
        };
        EXPECT_EQ(taken(97), 1);
        EXPECT_EQ(taken(102), 1);
        const auto again = offered(sip_policy(Encryption::off), {}, &*result);
        EXPECT_EQ(count(again.text, "m=video 20002 RTP/AVP 102 97\r\n"), 1U) << again.text;
    }
}

TEST(ApplyAnswer, PayloadTypesMayDifferBothWays) {
    const auto offer = offered(sip_policy());
    const auto result = apply_answer(offer.plan, offer.local, parsed(replaced(kPhoneAnswer, "%CRYPTO%", "")));
    ASSERT_TRUE(result.ok());
    const auto& audio = *result->find(MediaKind::audio);
    EXPECT_EQ(audio.codecs.at(0).codec, Codec::pcma);
    EXPECT_EQ(audio.dtmf.at(0).send_pt, 110);
    EXPECT_EQ(audio.dtmf[0].receive_pt, 101);
    EXPECT_FALSE(result->media[1].accepted);
    EXPECT_FALSE(result->counts_as_encrypted);
    EXPECT_EQ(result->transports.size(), 1U);
    EXPECT_FALSE(result->transports[0].rtcp_mux);
    EXPECT_EQ(result->transports[0].remote_rtcp_port, 4001);
}

TEST(ApplyAnswer, ForeignOrStrippedKeysAreRefused) {
    const auto offer = offered(sip_policy());
    const std::string key30(40, 'A');
    const auto wrong_suite =
        replaced(kPhoneAnswer, "%CRYPTO%", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n");
    EXPECT_FALSE(apply_answer(offer.plan, offer.local, parsed(wrong_suite)).ok())
        << "tag 1 was another suite";
    const auto right =
        replaced(kPhoneAnswer, "%CRYPTO%", "a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "\r\n");
    EXPECT_TRUE(apply_answer(offer.plan, offer.local, parsed(right))->counts_as_encrypted);
    const auto strict = offered(sip_policy(Encryption::required));
    const auto stripped =
        apply_answer(strict.plan, strict.local, parsed(replaced(kPhoneAnswer, "%CRYPTO%", "")));
    ASSERT_FALSE(stripped.ok());
    EXPECT_EQ(stripped.refusal().reason, Refusal::Reason::encryption_required);
}

TEST(ApplyAnswer, AsChromiumAndBaresipWriteIt) {
    const auto browser = offered(webrtc_policy());
    const auto chromium = apply_answer(browser.plan, browser.local, parsed(sample("chromium-answer")));
    ASSERT_TRUE(chromium.ok()) << chromium.refusal().detail;
    ASSERT_EQ(chromium->transports.size(), 1U);
    EXPECT_EQ(chromium->transports[0].dtls.local_setup, Setup::passive);
    EXPECT_EQ(chromium->find(MediaKind::video, Role::content)->codecs.at(0).codec, Codec::vp8);
    const auto phone = offered(sip_policy());
    const auto baresip = apply_answer(phone.plan, phone.local, parsed(sample("baresip-answer")));
    ASSERT_TRUE(baresip.ok()) << baresip.refusal().detail;
    EXPECT_EQ(baresip->transports.size(), 2U) << "it takes no content";
    EXPECT_EQ(baresip->transports[0].sdes.suite, CryptoSuite::aead_aes_256_gcm);
    EXPECT_TRUE(baresip->counts_as_encrypted);
}

TEST(ApplyAnswer, TheWrongShapeIsMalformed) {
    const auto offer = offered(sip_policy());
    const auto short_one = replaced(replaced(kPhoneAnswer, "%CRYPTO%", ""), "m=video 0 RTP/AVP 97\r\n", "");
    EXPECT_EQ(apply_answer(offer.plan, offer.local, parsed(short_one)).refusal().sip_status(), 400U);
    const auto swapped = replaced(replaced(kPhoneAnswer, "%CRYPTO%", ""), "m=audio 4000", "m=video 4000");
    EXPECT_EQ(apply_answer(offer.plan, offer.local, parsed(swapped)).refusal().reason,
              Refusal::Reason::malformed);
}

TEST(ApplyAnswer, AllRefusedIsNoCommonCodec) {
    const auto offer = offered(sip_policy());
    const auto none = replaced(replaced(kPhoneAnswer, "%CRYPTO%", ""), "m=audio 4000", "m=audio 0");
    EXPECT_EQ(apply_answer(offer.plan, offer.local, parsed(none)).refusal().reason,
              Refusal::Reason::no_common_codec);
}

TEST(Reoffer, KeepsOrderPayloadTypesTransportsAndKeys) {
    const auto policy = sip_policy();
    const auto current = answered(sample("room-system"), policy);
    OfferWish hold;
    hold.audio = Direction::sendonly;
    hold.video = hold.content = Direction::inactive;
    auto offer = offered(policy, hold, &current);
    EXPECT_NE(offer.text.find("m=audio 20000 RTP/AVP 9 126\r\n"), std::string::npos);
    EXPECT_NE(offer.text.find("m=application 0 UDP/BFCP *\r\n"), std::string::npos);
    EXPECT_EQ(count(offer.text, "a=inactive\r\n"), 4U);
    EXPECT_EQ(count(offer.text, "a=sendonly\r\n"), 1U);
    const auto session = parsed(offer.text);
    ASSERT_EQ(session.media.size(), 5U);
    EXPECT_EQ(session.media[3].content, "slides");
    ASSERT_EQ(session.media[0].cryptos.size(), 1U);
    EXPECT_EQ(session.media[0].cryptos[0].suite, CryptoSuite::aes_256_cm_hmac_sha1_80);
    const auto result = round_trip(offer, policy, &current);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    EXPECT_EQ(result->transports.size(), 3U);
    EXPECT_FALSE(result->transports[2].is_new);
    EXPECT_EQ(result->transports[2].id, current.transports[2].id);
    EXPECT_EQ(result->media[0].direction, Direction::sendonly);
}

TEST(Reoffer, VersionIsTheCallers) {
    const auto policy = sip_policy();
    auto offer = offered(policy);
    offer.local.session_version = 7;
    EXPECT_EQ(parsed(write_offer(offer.plan, offer.local)).origin_version, 7U);
}

TEST(RoundTrip, EverySampleAnsweredReadsBack) {
    for (const char* name :
         {"baresip-avp", "baresip-srtp", "baresip-srtp-mand", "baresip-dtls", "linphone-avp", "linphone-savp",
          "linphone-savpf", "teams-direct-routing", "room-system", "duplicate-savp-avp", "sip-dtls-ice"}) {
        const auto offer = parsed(sample(name));
        const auto plan = answer(offer, sip_policy());
        ASSERT_TRUE(plan.ok()) << name;
        const auto back = parsed(write_answer(*plan, local_for(4, 4)));
        ASSERT_EQ(back.media.size(), offer.media.size()) << name;
        for (std::size_t i = 0; i < back.media.size(); ++i) {
            EXPECT_EQ(back.media[i].proto_name, offer.media[i].proto_name) << name;
            EXPECT_EQ(back.media[i].mid, offer.media[i].mid) << name;
            EXPECT_EQ(!back.media[i].disabled(), plan->media[i].accepted) << name;
        }
    }
}

TEST(Write, AMissingTransportOrKeyIsABug) {
    const auto plan = answered(sample("linphone-savp"), sip_policy());
    EXPECT_THROW(write_answer(plan, LocalParams{}), std::logic_error);
    auto keyless = local_for(2);
    keyless.transports[0].crypto.clear();
    EXPECT_THROW(write_answer(plan, keyless), std::logic_error);
}

}  // namespace
}  // namespace vmr::sdp::test
