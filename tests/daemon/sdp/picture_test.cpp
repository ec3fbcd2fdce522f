// What pictures a peer takes, by its profile, level, parameters and bandwidth lines.
#include "daemon/sdp/picture_limit.hpp"
#include "support.hpp"

namespace vmr::sdp::test {
namespace {

constexpr unsigned kOwn = 0x1f;

std::string video(const std::string& fmtp, const std::string& more = "") {
    return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
           "m=video 4000 RTP/AVP 97\r\n" +
           more + "a=rtpmap:97 H264/90000\r\n" + (fmtp.empty() ? "" : "a=fmtp:97 " + fmtp + "\r\n");
}

CodecPlan codec(const std::string& fmtp) {
    return answered(video(fmtp), sip_policy()).find(MediaKind::video)->codecs.at(0);
}

TEST(PictureLimits, OfEachLevel) {
    const std::tuple<const char*, std::uint32_t, std::uint32_t, std::uint32_t> levels[] = {
        {"42e00a", 99, 1485, 64},       {"42f00b", 99, 1485, 128},      {"640009", 99, 1485, 128},
        {"42e00b", 396, 3000, 192},     {"42e00d", 396, 11880, 768},    {"42e015", 792, 19800, 4000},
        {"42e01e", 1620, 40500, 10000}, {"42e01f", 3600, 108000, 14000}};
    for (const auto& [id, frame, rate, bitrate] : levels) {
        const auto limit = codec(std::string("profile-level-id=") + id).limit;
        EXPECT_EQ(limit.frame_size, frame) << id;
        EXPECT_EQ(limit.macroblock_rate, rate) << id;
        EXPECT_EQ(limit.bitrate, bitrate * 1000) << id;
    }
    EXPECT_EQ(codec("").limit, PictureLimit{});
    EXPECT_EQ(codec("profile-level-id=42e0ff").limit.frame_size, 3600U) << "both as ours, without asymmetry";
    EXPECT_EQ(codec("profile-level-id=42e028;level-asymmetry-allowed=1").limit.frame_size, 8192U);
    EXPECT_EQ(codec("profile-level-id=42e001").limit.frame_size, 99U) << "below the first level";
}

TEST(PictureLimits, ParametersAddToTheLevelAndTakeNothingAway) {
    const auto limit = codec(
                           "profile-level-id=42e00d;max-mbps=40500;max-fs=1344;max-br=1500;"
                           "max-smbps=100000")
                           .limit;
    EXPECT_EQ(limit.frame_size, 1344U);
    EXPECT_EQ(limit.macroblock_rate, 40500U);
    EXPECT_EQ(limit.bitrate, 1'500'000U);
    const auto less = codec("profile-level-id=42e01f;max-mbps=1;max-fs=1;max-br=0").limit;
    EXPECT_EQ(less, codec("profile-level-id=42e01f").limit);
    for (const char* bad : {"max-fs=99999999999", "max-fs=-1", "max-fs=x", "max-fs="}) {
        EXPECT_EQ(codec(std::string("profile-level-id=42e01f;") + bad).limit.frame_size, 3600U) << bad;
    }
}

TEST(PictureLimits, OfVp8) {
    EXPECT_EQ(vp8_limit({{"max-fs", "1200"}, {"max-fr", "15"}}),
              (PictureLimit{.frame_size = 1200, .framerate = 15}));
    EXPECT_EQ(vp8_limit({}), PictureLimit{});
}

TEST(PictureProfiles, AreAnsweredAsOffered) {
    const auto high = codec("profile-level-id=640028;packetization-mode=1;level-asymmetry-allowed=1");
    EXPECT_TRUE(high.high_profile);
    EXPECT_EQ(high.local_fmtp, "profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1");
    const auto plain = codec("profile-level-id=42000d");
    EXPECT_FALSE(plain.high_profile);
    EXPECT_EQ(plain.packetization_mode, 0U);
    EXPECT_EQ(plain.local_fmtp, "profile-level-id=42000d;packetization-mode=0");
    EXPECT_FALSE(codec("profile-level-id=4d001f;packetization-mode=1").high_profile);
    EXPECT_FALSE(answer(parsed(video("profile-level-id=42e01f;packetization-mode=2")), sip_policy()).ok());
}

// Room systems list High first; what all in the room share is preferred where it is offered, too.
TEST(PictureProfiles, ConstrainedBaselineBeforeHigh) {
    const auto plan = answered(sample("room-system"), sip_policy());
    EXPECT_EQ(plan.find(MediaKind::video)->codecs.at(0).send_pt, 110);
    EXPECT_FALSE(plan.find(MediaKind::video)->codecs[0].high_profile);
    EXPECT_EQ(plan.find(MediaKind::video)->codecs[0].limit.frame_size, 8192U);
}

TEST(PictureProfiles, OurOfferHasOneForEachKindOfPeer) {
    const auto plan = plan_offer(sip_policy(), {});
    const auto local = local_for(plan.transports.size());
    const auto text = write_offer(plan, local);
    const auto offer = parsed(text);
    ASSERT_GE(offer.media.size(), 2U);
    std::vector<std::string> fmtps;
    for (const auto& format : offer.media[1].formats) {
        if (format.encoding == "h264") {
            fmtps.push_back(format.fmtp_text);
        }
    }
    EXPECT_EQ(fmtps, (std::vector<std::string>{
                         "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
                         "profile-level-id=42e01f;packetization-mode=0;level-asymmetry-allowed=1",
                         "profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1"}));
    const auto taken = [&](const std::string& pt, const std::string& fmtp) {
        std::string answer = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
        answer +=
            "m=audio 0 RTP/AVP 0\r\nm=video 4000 RTP/AVP " + pt + "\r\na=rtpmap:" + pt + " H264/90000\r\n";
        answer += (fmtp.empty() ? "" : "a=fmtp:" + pt + " " + fmtp + "\r\n") + "m=video 0 RTP/AVP 97\r\n";
        auto outcome = apply_answer(plan, local, parsed(answer));
        EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.refusal().detail);
        return outcome->find(MediaKind::video) == nullptr ? CodecPlan{}
                                                          : outcome->find(MediaKind::video)->codecs.at(0);
    };
    EXPECT_EQ(taken("102", "profile-level-id=42800d").packetization_mode, 0U);
    EXPECT_EQ(taken("102", "profile-level-id=42800d").limit.frame_size, 396U);
    EXPECT_EQ(taken("97", "profile-level-id=42e01f;packetization-mode=1").packetization_mode, 1U);
    EXPECT_TRUE(taken("103", "profile-level-id=64001f;packetization-mode=1").high_profile);
    EXPECT_EQ(taken("103", "profile-level-id=64001f;packetization-mode=1").receive_pt, 103);
}

TEST(Bandwidth, OfMediaCountsHeadersOnlyInAs) {
    const auto sent = [](const std::string& lines) {
        return answered(video("profile-level-id=42e01f", lines), sip_policy())
            .find(MediaKind::video)
            ->max_send_bitrate;
    };
    EXPECT_EQ(sent(""), 14'000'000U) << "the level's";
    EXPECT_EQ(sent("b=AS:1000\r\n"), 960'000U);
    EXPECT_EQ(sent("b=TIAS:1000000\r\n"), 1'000'000U);
    EXPECT_EQ(sent("b=AS:500\r\nb=TIAS:1000000\r\n"), 1'000'000U) << "the more exact one";
    EXPECT_EQ(sent("b=CT:1\r\nb=X-YZ:1\r\n"), 14'000'000U);
}

// RFC 7587 section 6.1; b=AS counts the headers, too.
TEST(Bandwidth, OfOpusIsWhatThePeerTakes) {
    const auto sent = [](const std::string& lines, const std::string& codec = "opus/48000/2") {
        return answered(
                   "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                   "m=audio 4000 RTP/AVP 96\r\n" +
                       lines + "a=rtpmap:96 " + codec + "\r\n",
                   sip_policy())
            .find(MediaKind::audio)
            ->max_send_bitrate;
    };
    EXPECT_EQ(sent(""), 0U);
    EXPECT_EQ(sent("b=AS:32\r\n"), 16'000U);
    EXPECT_EQ(sent("b=AS:10\r\n"), 6'000U);
    EXPECT_EQ(sent("b=TIAS:20000\r\n"), 20'000U);
    EXPECT_EQ(sent("a=fmtp:96 maxaveragebitrate=12000\r\n"), 12'000U);
    EXPECT_EQ(sent("b=AS:32\r\na=fmtp:96 maxaveragebitrate=24000\r\n"), 16'000U);
    EXPECT_EQ(sent("a=fmtp:96 maxaveragebitrate=1\r\n"), 6'000U);
    EXPECT_EQ(sent("a=fmtp:96 maxaveragebitrate=999999999\r\n"), 0U);
    EXPECT_EQ(sent("b=AS:32\r\n", "PCMU/8000"), 0U);
}

TEST(Bandwidth, OfTheSessionIsSharedByThePictures) {
    const auto offer = sample("room-system");
    const auto plan = answered(offer, sip_policy());
    const auto* picture = plan.find(MediaKind::video);
    const auto* content = plan.find(MediaKind::video, Role::content);
    const std::uint32_t sound = 64'000 + 16'000;
    EXPECT_EQ(picture->max_send_bitrate, (4096U * 960 - sound) / 2);
    EXPECT_EQ(content->max_send_bitrate, (4096U * 960 - sound) / 2);
    auto alone = sip_policy();
    alone.content = false;
    EXPECT_EQ(answered(offer, alone).find(MediaKind::video)->max_send_bitrate, 4096U * 960 - sound);
    const auto tight = replaced(offer, "b=AS:4096", "b=AS:32");
    EXPECT_EQ(answered(tight, alone).find(MediaKind::video)->max_send_bitrate, 64'000U);
}

TEST(Bandwidth, WhatWeTakeIsWritten) {
    auto policy = sip_policy();
    policy.max_bitrate = 1'920'000;
    const auto plan = answered(sample("room-system"), policy);
    const auto text = write_answer(plan, local_for(3));
    EXPECT_EQ(count(text, "b=AS:2000\r\nb=TIAS:1920000\r\n"), 2U);
    EXPECT_EQ(count(text, "b=AS"), 2U) << "of pictures only";
    EXPECT_LE(plan.find(MediaKind::video)->max_send_bitrate, 1'920'000U);
}

}  // namespace
}  // namespace vmr::sdp::test
