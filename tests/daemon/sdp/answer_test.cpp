// Answers to offers as real peers write them.
#include "daemon/sdp/keying.hpp"
#include "support.hpp"

namespace vmr::sdp::test {
namespace {

TEST(AnswerChromium, BundlesThreeMLinesOnOneDtlsTransport) {
    const auto plan = answered(sample("chromium-offer"), webrtc_policy());
    ASSERT_EQ(plan.media.size(), 3U);
    ASSERT_EQ(plan.transports.size(), 1U);
    const auto& transport = plan.transports[0];
    EXPECT_TRUE(plan.bundle);
    EXPECT_TRUE(plan.trickle);
    EXPECT_TRUE(plan.counts_as_encrypted);
    EXPECT_EQ(transport.keying, KeyManagement::dtls);
    EXPECT_EQ(transport.dtls.local_setup, Setup::passive);
    ASSERT_EQ(transport.dtls.remote_fingerprints.size(), 1U);
    EXPECT_EQ(transport.dtls.remote_fingerprints[0].digest.front(), 0xd2);
    ASSERT_TRUE(transport.ice);
    EXPECT_FALSE(transport.ice->controlling);
    EXPECT_EQ(transport.ice->remote.ufrag, "6Zdj");
    EXPECT_EQ(transport.ice->remote.candidates.size(), 4U);
    EXPECT_EQ(transport.media, (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_EQ(transport.remote_rtcp_port, transport.remote_port);
}

TEST(AnswerChromium, ChoosesCodecsRtxExtmapsAndFeedback) {
    const auto plan = answered(sample("chromium-offer"), webrtc_policy());
    const auto* audio = plan.find(MediaKind::audio);
    const auto* video = plan.find(MediaKind::video);
    const auto* content = plan.find(MediaKind::video, Role::content);
    ASSERT_TRUE(audio && video && content);
    EXPECT_EQ(audio->codecs.at(0).codec, Codec::opus);
    EXPECT_EQ(audio->codecs[0].send_pt, 111);
    EXPECT_EQ(audio->dtmf.at(0).receive_pt, 110);
    EXPECT_EQ(audio->dtmf[0].clock_rate, 48000U);
    EXPECT_EQ(audio->extmaps.audio_level, 1U);
    EXPECT_EQ(audio->extmaps.mid, 4U);
    EXPECT_EQ(audio->extmaps.transport_cc, 0U);  // of pictures only
    EXPECT_EQ(video->codecs.at(0).codec, Codec::vp8);
    EXPECT_EQ(video->codecs[0].rtx_receive_pt, 97);
    EXPECT_TRUE(video->feedback.nack && video->feedback.nack_pli && video->feedback.transport_cc);
    EXPECT_TRUE(video->feedback.goog_remb);
    EXPECT_FALSE(video->feedback.ccm_tmmbr);
    ASSERT_EQ(video->remote_rtx.size(), 1U);
    EXPECT_EQ(video->remote_rtx[0].first, 1735220615U);
    EXPECT_EQ(content->index, 2U);
    EXPECT_EQ(audio->direction, Direction::sendrecv);
}

TEST(AnswerChromium, PrefersConstrainedBaselineInMode1) {
    auto policy = webrtc_policy();
    policy.video_codecs = {Codec::h264};
    const auto plan = answered(sample("chromium-offer"), policy);
    const auto& codec = plan.find(MediaKind::video)->codecs.at(0);
    EXPECT_EQ(codec.send_pt, 108);
    EXPECT_EQ(codec.rtx_send_pt, 109);
    EXPECT_EQ(codec.packetization_mode, 1U);
    EXPECT_EQ(codec.local_fmtp, "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1");
}

TEST(AnswerChromium, WritesWhatABrowserNeeds) {
    const auto plan = answered(sample("chromium-offer"), webrtc_policy());
    const auto text = write_answer(plan, local_for(1, 3));
    EXPECT_NE(text.find("a=group:BUNDLE 0 1 2\r\n"), text.npos);
    EXPECT_EQ(count(text, "a=setup:passive\r\n"), 3U);
    EXPECT_EQ(count(text, "a=rtcp-mux\r\n"), 3U);
    EXPECT_EQ(count(text, "a=candidate:"), 1U);
    EXPECT_EQ(count(text, "a=ice-lite"), 0U);
    EXPECT_EQ(count(text, "a=crypto"), 0U);
    EXPECT_NE(text.find("a=ssrc-group:FID 1001 1101\r\n"), text.npos);
    EXPECT_NE(text.find("m=video 20000 UDP/TLS/RTP/SAVPF 96 97 118 119 120\r\n"), text.npos);
    const auto again = parsed(text);
    ASSERT_EQ(again.media.size(), 3U);
    EXPECT_EQ(again.media[1].mid, "1");
    EXPECT_EQ(again.media[1].fingerprints.at(0).digest, std::vector<std::uint8_t>(32, 0xab));
    EXPECT_EQ(again.media[1].extmaps.size(), 2U);
}

TEST(AnswerChromium, TakesRedAndUlpfecWithRtxOfRed) {
    const auto plan = answered(sample("chromium-offer"), webrtc_policy());
    for (const auto role : {Role::main, Role::content}) {
        const auto& fec = plan.find(MediaKind::video, role)->fec;
        ASSERT_TRUE(fec);
        EXPECT_EQ(fec->red_send_pt, 118);
        EXPECT_EQ(fec->red_receive_pt, 118);
        EXPECT_EQ(fec->ulpfec_send_pt, 120);
        EXPECT_EQ(fec->rtx_send_pt, 119);
    }
    EXPECT_FALSE(plan.find(MediaKind::audio)->fec);
    const auto text = write_answer(plan, local_for(1, 3));
    EXPECT_EQ(count(text,
                    "a=rtpmap:118 red/90000\r\na=rtpmap:119 rtx/90000\r\na=fmtp:119 apt=118\r\n"
                    "a=rtpmap:120 ulpfec/90000\r\n"),
              2U);
    EXPECT_EQ(count(text, " 118 119 120\r\n"), 2U);
}

TEST(AnswerChromium, FecNeedsBothAndIsSentAgainOnlyWithThePictures) {
    const auto offer = sample("chromium-offer");
    for (const char* half : {" red/90000", " ulpfec/90000"}) {
        const auto plan = answered(replaced(offer, half, " nothing/90000"), webrtc_policy());
        EXPECT_FALSE(plan.find(MediaKind::video)->fec) << half;
    }
    const auto plan = answered(replaced(offer, "a=rtcp-fb:96 nack", "a=rtcp-fb:96 none"), webrtc_policy());
    const auto* video = plan.find(MediaKind::video);
    EXPECT_FALSE(video->codecs.at(0).rtx_receive_pt);
    ASSERT_TRUE(video->fec);
    EXPECT_FALSE(video->fec->rtx_send_pt);
}

TEST(AnswerFirefox, InheritsFingerprintAndTakesBundleOnly) {
    const auto plan = answered(sample("firefox-offer"), webrtc_policy());
    ASSERT_EQ(plan.transports.size(), 1U);
    EXPECT_EQ(plan.transports[0].media.size(), 3U);
    EXPECT_EQ(plan.transports[0].dtls.remote_fingerprints.size(), 1U);
    EXPECT_TRUE(plan.transports[0].ice->remote.candidates.empty()) << "mDNS names are left out";
    EXPECT_EQ(plan.find(MediaKind::audio)->codecs.at(0).send_pt, 109);
    EXPECT_EQ(plan.find(MediaKind::video)->codecs.at(0).rtx_send_pt, 124);
    EXPECT_EQ(plan.find(MediaKind::audio)->dtmf.at(0).clock_rate, 8000U);
    const auto text = write_answer(plan, local_for(1));
    EXPECT_EQ(count(text, " 20000 UDP/TLS/RTP/SAVPF"), 3U);
}

TEST(AnswerWebrtc, RefusesWithoutFingerprintOrIce) {
    const auto offer = sample("chromium-offer");
    const auto bare = answer(parsed(replaced(offer, "a=fingerprint:", "a=x-none:")), webrtc_policy());
    ASSERT_FALSE(bare.ok());
    EXPECT_EQ(bare.refusal().reason, Refusal::Reason::encryption_required);
    const auto no_ice = answer(parsed(replaced(offer, "a=ice-ufrag:", "a=x-none:")), webrtc_policy());
    ASSERT_FALSE(no_ice.ok());
    EXPECT_EQ(no_ice.refusal().sip_status(), 400U);
    const auto sha1 = answer(parsed(replaced(offer, "sha-256", "sha-1")), webrtc_policy());
    EXPECT_FALSE(sha1.ok());
}

TEST(AnswerWebrtc, OneReservedMLineIsEnoughForAudioAlone) {
    auto policy = webrtc_policy();
    policy.video = false;
    const auto plan = answered(sample("chromium-offer"), policy);
    EXPECT_FALSE(plan.media[1].accepted);
    const auto text = write_answer(plan, local_for(1));
    EXPECT_NE(text.find("a=group:BUNDLE 0\r\n"), text.npos);
    EXPECT_EQ(count(text, "m=video 0 UDP/TLS/RTP/SAVPF 96 97 102"), 2U);
}

TEST(AnswerBaresip, PlainRtpTwoTransportsWithoutMux) {
    const auto plan = answered(sample("baresip-avp"), sip_policy());
    ASSERT_EQ(plan.transports.size(), 2U);
    EXPECT_EQ(plan.transports[0].keying, KeyManagement::none);
    EXPECT_FALSE(plan.transports[0].rtcp_mux);
    EXPECT_EQ(plan.transports[0].remote_rtcp_port, plan.transports[0].remote_port + 1);
    EXPECT_FALSE(plan.counts_as_encrypted);
    EXPECT_EQ(plan.find(MediaKind::audio)->codecs.at(0).codec, Codec::opus);
    EXPECT_EQ(plan.find(MediaKind::video)->codecs.at(0).codec, Codec::vp8);
    EXPECT_TRUE(plan.find(MediaKind::video)->feedback.nack_pli);
    const auto text = write_answer(plan, local_for(2));
    EXPECT_NE(text.find("a=rtcp:20001 IN IP4 192.0.2.99\r\n"), text.npos);
    EXPECT_NE(text.find("a=content:main\r\n"), text.npos);
    EXPECT_EQ(count(text, "a=rtcp-mux"), 0U);
}

TEST(AnswerBaresip, PlainIsRefusedWhereEncryptionIsRequired) {
    const auto outcome = answer(parsed(sample("baresip-avp")), sip_policy(Encryption::required));
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.refusal().reason, Refusal::Reason::encryption_required);
    EXPECT_EQ(outcome.refusal().sip_status(), 488U);
}

TEST(AnswerLinphone, TakesTheStrongestSuiteAndItsSpelling) {
    for (const char* name : {"linphone-savp", "linphone-savpf"}) {
        const auto plan = answered(sample(name), sip_policy(Encryption::required));
        const auto& sdes = plan.transports.at(0).sdes;
        EXPECT_EQ(sdes.tag, 3U);
        EXPECT_EQ(sdes.suite, CryptoSuite::aes_256_cm_hmac_sha1_80);
        EXPECT_EQ(sdes.remote.key.size(), 46U);
        EXPECT_EQ(plan.transports.at(1).sdes.tag, 2U);
        EXPECT_EQ(plan.find(MediaKind::audio)->dtmf.at(0).receive_pt, 101);
        EXPECT_EQ(plan.find(MediaKind::video)->max_send_bitrate, 380U * 960 - 64000);
        const auto text = write_answer(plan, local_for(2));
        EXPECT_NE(text.find("a=crypto:3 AES_CM_256_HMAC_SHA1_80 inline:Wlpa"), text.npos);
        EXPECT_EQ(count(text, "|2^31"), 0U);
    }
    EXPECT_EQ(answered(sample("linphone-avp"), sip_policy()).transports.at(0).keying, KeyManagement::none);
}

TEST(AnswerTeams, MuxedSavpWithItsLifetime) {
    auto policy = sip_policy(Encryption::required);
    policy.ice = false;
    const auto plan = answered(sample("teams-direct-routing"), policy);
    EXPECT_EQ(plan.find(MediaKind::audio)->codecs.at(0).codec, Codec::g722);
    EXPECT_TRUE(plan.transports.at(0).rtcp_mux);
    EXPECT_FALSE(plan.transports[0].ice);
    EXPECT_EQ(plan.transports[0].sdes.remote.lifetime, std::uint64_t{1} << 31);
    const auto text = write_answer(plan, local_for(1));
    EXPECT_NE(text.find("|2^31\r\n"), text.npos);
    EXPECT_NE(text.find("a=label:main-audio\r\n"), text.npos);
    EXPECT_TRUE(answered(sample("teams-direct-routing"), sip_policy()).transports.at(0).ice);
}

TEST(AnswerRoomSystem, MainContentAndBestEffortSrtp) {
    const auto plan = answered(sample("room-system"), sip_policy());
    ASSERT_EQ(plan.media.size(), 5U);
    EXPECT_EQ(plan.find(MediaKind::video)->index, 1U);
    EXPECT_EQ(plan.find(MediaKind::video)->codecs.at(0).send_pt, 110);
    EXPECT_EQ(plan.find(MediaKind::video, Role::content)->index, 3U);
    EXPECT_FALSE(plan.media[2].accepted);
    EXPECT_FALSE(plan.media[4].accepted);
    EXPECT_TRUE(plan.counts_as_encrypted);
    EXPECT_EQ(plan.transports.at(0).sdes.suite, CryptoSuite::aes_256_cm_hmac_sha1_80);
    const auto text = write_answer(plan, local_for(3));
    EXPECT_NE(text.find("m=audio 20000 RTP/AVP 9 126\r\n"), text.npos);
    EXPECT_NE(text.find("m=application 0 UDP/BFCP *\r\n"), text.npos);
    EXPECT_NE(text.find("a=content:slides\r\n"), text.npos);
    EXPECT_NE(text.find("a=label:12\r\n"), text.npos);
    EXPECT_NE(text.find("a=fmtp:110 profile-level-id=42801f;packetization-mode=1\r\n"), text.npos);
}

TEST(AnswerRoomSystem, AFloorLeavesOutWhatIsWeaker) {
    auto policy = sip_policy(Encryption::required);
    policy.min_key_bits = 256;
    const auto plan = answered(sample("room-system"), policy);
    EXPECT_TRUE(plan.find(MediaKind::video));
    EXPECT_FALSE(plan.find(MediaKind::video, Role::content)) << "its only suite has 128 bits";
    EXPECT_TRUE(plan.counts_as_encrypted);
}

TEST(AnswerRoomSystem, NoFloorTakesEverySuiteButNoneWithoutKeys) {
    auto policy = sip_policy(Encryption::required);
    policy.min_key_bits = 0;
    const auto plan = answered(sample("room-system"), policy);
    EXPECT_TRUE(plan.find(MediaKind::video, Role::content));
    EXPECT_TRUE(plan.counts_as_encrypted);
    EXPECT_FALSE(sdes_counts(CryptoSuite::none, policy));
    policy.signalling_encrypted = false;
    EXPECT_FALSE(sdes_counts(CryptoSuite::aead_aes_256_gcm, policy));
}

TEST(AnswerDuplicates, TheProtectedAlternativeWins) {
    const auto plan = answered(sample("duplicate-savp-avp"), sip_policy());
    EXPECT_FALSE(plan.media[0].accepted);
    EXPECT_TRUE(plan.media[1].accepted);
    const auto off = answered(sample("duplicate-savp-avp"), sip_policy(Encryption::off));
    EXPECT_TRUE(off.media[0].accepted);
}

TEST(AnswerDuplicates, StrippedCryptoUnderRequiredIsRefused) {
    const auto stripped = replaced(sample("duplicate-savp-avp"), "a=crypto:1", "a=x-gone:1");
    EXPECT_FALSE(answer(parsed(stripped), sip_policy(Encryption::required)).ok());
    EXPECT_TRUE(answered(stripped, sip_policy()).media[0].accepted);
}

TEST(AnswerSdes, OverClearSignallingDoesNotCount) {
    const auto offer = sample("linphone-savp");
    EXPECT_FALSE(answer(parsed(offer), sip_policy(Encryption::required, false)).ok());
    const auto plan = answered(offer, sip_policy(Encryption::best_effort, false));
    EXPECT_EQ(plan.transports.at(0).keying, KeyManagement::sdes);
    EXPECT_FALSE(plan.counts_as_encrypted);
}

// As Skype for Business writes it: each line with an identifier, which each packet then carries.
TEST(AnswerSdes, ALongIdentifierIsGivenBackAsLong) {
    for (const std::string mki : {"|258:128\r\n", "|18446744073709551615:9\r\n", "|0:5\r\n"}) {
        const auto offer = replaced(sample("teams-direct-routing"), "|2^31\r\n", "|2^31" + mki);
        EXPECT_NE(write_answer(answered(offer, sip_policy()), local_for(1)).find("|2^31" + mki),
                  std::string::npos)
            << mki;
    }
}

TEST(AnswerSdes, AnIdentifierIsTakenAndGivenBack) {
    auto offer = sample("teams-direct-routing");
    offer = replaced(offer, "|2^31", "|2^31|258:2");
    const auto plan = answered(offer, sip_policy());
    const auto& sdes = plan.transports.at(0).sdes;
    EXPECT_EQ(sdes.remote.mki, (std::vector<std::uint8_t>{1, 2}));
    EXPECT_EQ(sdes.local_mki, sdes.remote.mki);
    const auto text = write_answer(plan, local_for(1));
    EXPECT_NE(text.find("|2^31|258:2\r\n"), text.npos);
    EXPECT_FALSE(answered(offer, sip_policy(), &plan).transports.at(0).rekeyed);
    EXPECT_TRUE(answered(replaced(offer, "|258:2", ""), sip_policy(), &plan).transports.at(0).rekeyed);
    const auto reoffer = plan_offer(sip_policy(), {}, &plan);
    EXPECT_NE(write_offer(reoffer, local_for(1)).find("|2^31|258:2\r\n"), std::string::npos);
}

TEST(AnswerDtls, OverSipWithALitePassivePeer) {
    const auto plan = answered(sample("sip-dtls-ice"), sip_policy(Encryption::required, false));
    const auto& transport = plan.transports.at(0);
    EXPECT_EQ(transport.dtls.local_setup, Setup::active);
    EXPECT_TRUE(transport.ice->controlling) << "a lite peer never controls";
    EXPECT_EQ(transport.ice->remote.candidates.size(), 1U) << "muxed: no RTCP component";
    EXPECT_NE(write_answer(plan, local_for(1)).find("a=setup:active\r\n"), std::string::npos);
    const auto moved = replaced(sample("sip-dtls-ice"), "c=IN IP4 192.0.2.2", "c=IN IP4 198.51.100.7");
    EXPECT_FALSE(answered(moved, sip_policy()).transports.at(0).ice) << "someone rewrote the address";
}

TEST(AnswerHold, EveryWayToHold) {
    const auto offer = sample("teams-direct-routing");
    const std::pair<const char*, Direction> ways[] = {{"sendonly", Direction::recvonly},
                                                      {"recvonly", Direction::sendonly},
                                                      {"inactive", Direction::inactive},
                                                      {"sendrecv", Direction::sendrecv}};
    for (const auto& [written, ours] : ways) {
        const auto plan = answered(replaced(offer, "a=sendrecv", std::string("a=") + written), sip_policy());
        EXPECT_EQ(plan.media[0].direction, ours) << written;
        EXPECT_EQ(plan.media[0].held, !sends(ours)) << written;
    }
    auto old = replaced(sample("linphone-avp"), "c=IN IP4 192.0.2.30", "c=IN IP4 0.0.0.0");
    const auto plan = answered(old, sip_policy());
    EXPECT_TRUE(plan.media[0].held);
    EXPECT_EQ(plan.media[0].direction, Direction::recvonly);
    for (const char* any : {"::", "0:0:0:0:0:0:0:0", "::0"}) {
        old = replaced(sample("linphone-avp"), "c=IN IP4 192.0.2.30", std::string("c=IN IP6 ") + any);
        const auto held = answered(old, sip_policy());
        EXPECT_TRUE(held.media[0].held) << any;
        EXPECT_FALSE(held.transports[0].has_remote()) << any;
    }
}

TEST(AnswerReoffer, OtherSocketsAreAnotherTransport) {
    const auto offer = sample("linphone-avp");
    const auto first = answered(offer, sip_policy());
    const auto to_ip6 = replaced(offer, "c=IN IP4 192.0.2.30", "c=IN IP6 2001:db8::30");
    const auto held = answered(replaced(offer, "c=IN IP4 192.0.2.30", "c=IN IP6 ::"), sip_policy(), &first);
    EXPECT_FALSE(held.transports[0].is_new);
    EXPECT_FALSE(answered(offer, sip_policy(), &held).transports[0].is_new);
    const auto moved = answered(to_ip6, sip_policy(), &held);
    EXPECT_TRUE(moved.transports[0].is_new);
    EXPECT_NE(moved.transports[0].id, first.transports[0].id);
    EXPECT_FALSE(answered(to_ip6, sip_policy(), &moved).transports[0].is_new);

    // RFC 5761 section 5.1.1: each offer says it anew.
    const auto muxed = replaced(offer, "a=rtcp-fb", "a=rtcp-mux\r\na=rtcp-fb");
    const auto with = answered(muxed, sip_policy(), &first);
    ASSERT_TRUE(with.transports[1].rtcp_mux);
    EXPECT_FALSE(with.transports[1].is_new);
    EXPECT_TRUE(answered(offer, sip_policy(), &with).transports[1].is_new);
}

// RFC 8842 section 4: the same certificate, another association.
TEST(AnswerReoffer, AnotherTlsIdIsAnotherAssociation) {
    const auto offer = sample("chromium-offer");
    const auto named = [&](const std::string& id) {
        return replaced(offer, "a=setup:actpass", "a=setup:actpass\r\na=tls-id:" + id);
    };
    const std::string one(20, 'a'), other(20, 'b');
    const auto first = answered(named(one), webrtc_policy());
    EXPECT_FALSE(answered(named(one), webrtc_policy(), &first).transports[0].is_new);
    const auto unnamed = answered(offer, webrtc_policy(), &first);
    EXPECT_FALSE(unnamed.transports[0].is_new);
    EXPECT_TRUE(answered(named(other), webrtc_policy(), &unnamed).transports[0].is_new);
}

TEST(AnswerReoffer, KeepsTransportsAndNoticesNewKeys) {
    const auto policy = sip_policy();
    const auto offer = sample("linphone-savp");
    const auto first = answered(offer, policy);
    EXPECT_TRUE(first.transports[0].is_new);
    const auto same = answered(offer, policy, &first);
    EXPECT_FALSE(same.transports[0].is_new || same.transports[0].rekeyed || same.transports[0].ice_restarted);
    const auto rekeyed = answered(replaced(offer, "inline:AAEC", "inline:BBEC"), policy, &same);
    EXPECT_EQ(rekeyed.transports[0].id, first.transports[0].id);
    EXPECT_TRUE(rekeyed.transports[0].rekeyed);
    const auto video_off = answered(replaced(offer, "m=video 9078", "m=video 0"), policy, &rekeyed);
    EXPECT_EQ(video_off.transports.size(), 1U);
    EXPECT_FALSE(video_off.media[1].accepted);
    const auto back = answered(offer, policy, &video_off);
    EXPECT_FALSE(back.transports[0].is_new);
    EXPECT_TRUE(back.transports[1].is_new);
    EXPECT_NE(back.transports[1].id, back.transports[0].id);
}

TEST(AnswerReoffer, KeepsTheDtlsRoleAndSeesIceRestart) {
    const auto offer = sample("chromium-offer");
    auto first = answered(offer, webrtc_policy());
    first.transports[0].dtls.local_setup = Setup::active;
    const auto again = answered(replaced(offer, "6Zdj", "9Xyz"), webrtc_policy(), &first);
    EXPECT_EQ(again.transports[0].dtls.local_setup, Setup::active);
    EXPECT_TRUE(again.transports[0].ice_restarted);
    EXPECT_FALSE(again.transports[0].rekeyed);
}

TEST(AnswerBundle, AMemberOfAnotherProfileDoesNotRideAlong) {
    const auto offer =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "a=group:BUNDLE a b\r\nm=audio 4000 RTP/AVP 0\r\na=mid:a\r\na=rtcp-mux\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=mid:b\r\na=rtpmap:96 VP8/90000\r\n";
    const auto plan = answered(offer, sip_policy());
    EXPECT_TRUE(plan.media.at(0).accepted);
    EXPECT_FALSE(plan.media.at(1).accepted);
}

TEST(AnswerBundle, TwoGroupsStayTwo) {
    std::string offer =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "a=group:BUNDLE a\r\na=group:BUNDLE b c\r\nm=audio 4000 RTP/AVP 0\r\na=mid:a\r\n"
        "a=rtcp-mux\r\n";
    for (const std::string mid : {"b", "c\r\na=content:slides"}) {
        offer += "m=video 4002 RTP/AVP 96\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=mid:" + mid + "\r\n";
    }
    const auto plan = answered(offer, sip_policy());
    ASSERT_EQ(plan.transports.size(), 2U);
    const auto text = write_answer(plan, local_for(2));
    EXPECT_NE(text.find("a=group:BUNDLE a\r\na=group:BUNDLE b c\r\n"), text.npos);
    const auto reoffer = write_offer(plan_offer(sip_policy(), {}, &plan), local_for(2));
    EXPECT_NE(reoffer.find("a=group:BUNDLE a\r\na=group:BUNDLE b c\r\n"), reoffer.npos);
}

TEST(AnswerIce, GroupAddressesAreNoCandidates) {
    const auto offer = replaced(sample("chromium-offer"), "192.0.2.2 41751", "239.1.1.1 41751");
    const auto plan = answered(offer, webrtc_policy());
    for (const auto& candidate : plan.transports.at(0).ice->remote.candidates) {
        EXPECT_NE(candidate.address, "239.1.1.1");
    }
}

TEST(AnswerCodecs, NoneInCommon) {
    const auto outcome =
        answer(parsed("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                      "m=audio 4000 RTP/AVP 18 3\r\n"),
               sip_policy());
    ASSERT_FALSE(outcome.ok());
    EXPECT_STREQ(to_string(outcome.refusal().reason), "no_common_codec");
}

}  // namespace
}  // namespace vmr::sdp::test
