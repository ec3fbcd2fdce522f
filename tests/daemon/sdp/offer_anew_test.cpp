// Offers that the peer asks for within the call: of all that we can do (RFC 3261 section 14.2).
#include <algorithm>
#include <vector>

#include "support.hpp"

namespace vmr::sdp::test {
namespace {

const OfferWish kAnew{.anew = true};

TEST(OfferAnew, AddsMedia) {
    const auto policy = sip_policy();
    const auto current = answered(sample("teams-direct-routing"), policy);
    EXPECT_EQ(offered(policy, {}, &current).plan.media.size(), 1U);
    const auto offer = offered(policy, kAnew, &current);
    ASSERT_EQ(offer.plan.media.size(), 3U);
    EXPECT_EQ(offer.plan.transports.at(1).id, 1U);
    EXPECT_NE(offer.text.find("a=label:main-audio"), std::string::npos);
    EXPECT_EQ(count(offer.text, current.media[0].proto_name), 3U) << offer.text;
}

const std::string kPhone = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n";
const std::string kTwoLines =
    kPhone +
    "m=audio 4000 RTP/AVP 101 9 96 8 100\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:96 AMR-WB/16000\r\n"
    "a=rtpmap:100 telephone-event/8000\r\n"
    "m=video 4002 RTP/AVP 98 97\r\na=rtpmap:98 H264/90000\r\n"
    "a=fmtp:98 profile-level-id=42e00d;packetization-mode=1\r\na=rtpmap:97 H263/90000\r\n";

std::vector<unsigned> numbers_of(const Media& media, const std::string& encoding) {
    std::vector<unsigned> numbers;
    for (const auto& format : media.formats) {
        if (format.encoding == encoding) {
            numbers.push_back(format.pt);
        }
    }
    std::ranges::sort(numbers);
    return numbers;
}

// Section 8.3.2 of RFC 3264: what had a number keeps it, and none gets another meaning.
TEST(OfferAnew, ListsAllCodecsUnderTheNumbersOfTheSession) {
    auto policy = sip_policy(Encryption::off);
    policy.audio_codecs = {Codec::g722, Codec::opus, Codec::pcma, Codec::pcmu};
    const auto current = answered(kTwoLines, policy);
    ASSERT_EQ(current.find(MediaKind::audio)->codecs.front().codec, Codec::g722);
    EXPECT_EQ(count(offered(policy, {}, &current).text, "m=audio 20000 RTP/AVP 9 100\r\n"), 1U);
    const auto offer = offered(policy, kAnew, &current);
    // 100 is no telephone-event of 48000 Hz any more, and 101 none of 8000.
    EXPECT_EQ(count(offer.text, "m=audio 20000 RTP/AVP 9 101 8 0 100 97\r\n"), 1U) << offer.text;
    const auto session = parsed(offer.text);
    const auto& video = session.media.at(1);
    EXPECT_EQ(video.formats.front().pt, 98) << "in use";
    EXPECT_NE(video.formats.front().fmtp_text.find("42e01f"), std::string::npos)
        << "not the old peer's level";
    EXPECT_EQ(numbers_of(video, "h264").size(), 3U) << offer.text;
    const auto vp8 = numbers_of(video, "vp8");
    ASSERT_EQ(vp8.size(), 1U);
    EXPECT_TRUE(vp8[0] != 97 && vp8[0] != 98) << vp8[0];
    EXPECT_FALSE(std::ranges::any_of(video.formats, [](const Format& format) { return format.pt == 97; }));
    EXPECT_TRUE(video.formats.front().feedback.ccm_fir);
}

TEST(OfferAnew, IsAnsweredByAPhoneOfOtherCodecs) {
    const auto policy = sip_policy(Encryption::off);
    const auto current = answered(kTwoLines, policy);
    ASSERT_EQ(current.find(MediaKind::audio)->codecs.front().codec, Codec::opus);
    const auto offer = offered(policy, kAnew, &current);
    const std::string off = "m=video 0 RTP/AVP 98\r\nm=video 0 RTP/AVP 98\r\n";
    const auto result =
        apply_answer(offer.plan, offer.local, parsed(kPhone + "m=audio 5000 RTP/AVP 8\r\n" + off), &current);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    const auto& audio = *result->find(MediaKind::audio);
    EXPECT_EQ(audio.codecs.front().codec, Codec::pcma);
    EXPECT_EQ(result->transports.at(0).id, current.transports[0].id);
    EXPECT_FALSE(result->transports[0].is_new);
    // Back at the first phone everything has the numbers that it had.
    const auto again = parsed(offered(policy, kAnew, &*result).text);
    EXPECT_EQ(numbers_of(again.media.at(0), "opus"), std::vector<unsigned>{101});
    EXPECT_EQ(numbers_of(again.media.at(0), "telephone-event"),
              numbers_of(parsed(offer.text).media.at(0), "telephone-event"));
    EXPECT_EQ(again.media.size(), 3U);
    EXPECT_EQ(again.media[1].format_names, parsed(offer.text).media.at(1).format_names);
    EXPECT_EQ(count(offered(policy, {}, &*result).text, "RTP/AVP 8\r\n"), 1U) << "ours stays as it is";
}

TEST(OfferAnew, BringsBackWhatWasOffInItsPlace) {
    auto policy = sip_policy();
    policy.floor = true;
    const auto first = answered(sample("room-system"), policy);
    const auto lines = first.media.size();
    auto held = parsed(sample("room-system"));
    for (std::size_t i = 1; i < held.media.size(); ++i) {
        held.media[i].port = 0;
        held.media[i].content.clear();
    }
    auto off = answer(held, policy, &first);
    ASSERT_TRUE(off.ok()) << off.refusal().detail;
    off = answer(held, policy, &*off);
    ASSERT_TRUE(off.ok()) << off.refusal().detail;
    EXPECT_EQ(off->find(MediaKind::video), nullptr);
    EXPECT_EQ(parsed(offered(policy, {}, &*off).text).media.at(1).port, 0);

    auto offer = offered(policy, kAnew, &*off);
    offer.local.floor = LocalFloor{.address = "192.0.2.99", .port = 20100};
    offer.text = write_offer(offer.plan, offer.local);
    const auto session = parsed(offer.text);
    ASSERT_EQ(session.media.size(), lines) << offer.text;
    for (std::size_t i = 0; i < lines; ++i) {
        const auto& before = first.media[i];
        const bool live = before.accepted || (first.floor && first.floor->index == i);
        EXPECT_EQ(session.media[i].kind_name, before.kind_name);
        EXPECT_EQ(session.media[i].port != 0, live) << i << offer.text;
        if (before.role == Role::content) {
            EXPECT_EQ(session.media[i].content, "slides");
        }
        if (before.accepted) {
            EXPECT_EQ(session.media[i].proto_name, before.proto_name);
        }
    }
    auto no_pictures = policy;
    no_pictures.video = false;
    EXPECT_EQ(count(offered(no_pictures, kAnew, &*off).text, "m=video 0 "), 2U);
}

TEST(OfferAnew, OffersAllSuitesWithTheOneInUseInFront) {
    const auto policy = sip_policy(Encryption::required);
    const std::string keys = "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" + std::string(40, 'A') + "\r\n";
    const auto current = answered(kPhone + "m=audio 4000 RTP/SAVP 8\r\n" + keys, policy);
    const auto plan = plan_offer(policy, kAnew, &current);
    ASSERT_EQ(plan.transports.at(0).suites.size(), 6U);
    EXPECT_EQ(plan.transports[0].suites[0], CryptoSuite::aes_cm_128_hmac_sha1_80);
    auto strong = policy;
    strong.min_key_bits = 256;
    const auto floor = plan_offer(strong, kAnew, &current);
    for (const auto suite : floor.transports.at(1).suites) {
        EXPECT_GE(info(suite).key_bits, 256U);
    }
    const auto offer = offered(policy, kAnew, &current);
    const std::string other = "a=crypto:1 AEAD_AES_256_GCM inline:" + std::string(58, 'A') + "A=\r\n";
    const auto result = apply_answer(offer.plan, offer.local,
                                     parsed(kPhone + "m=audio 5000 RTP/SAVP 8\r\n" + other +
                                            "m=video 0 RTP/SAVP 97\r\nm=video 0 RTP/SAVP 97\r\n"),
                                     &current);
    ASSERT_TRUE(result.ok()) << result.refusal().detail;
    EXPECT_EQ(result->transports.at(0).sdes.suite, CryptoSuite::aead_aes_256_gcm);
    EXPECT_TRUE(result->transports[0].rekeyed);
    EXPECT_FALSE(result->transports[0].is_new);
}

}  // namespace
}  // namespace vmr::sdp::test
