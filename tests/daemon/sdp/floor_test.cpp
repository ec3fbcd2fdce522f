// BFCP beside the content: RFC 8856.
#include "support.hpp"

namespace vmr::sdp::test {
namespace {

const std::string kHead = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
const std::string kAudio = "m=audio 4000 RTP/AVP 8\r\n";
const std::string kMain = "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=content:main\r\n";
const std::string kSlides =
    "m=video 4004 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=content:slides\r\na=label:3\r\n";

std::string bfcp(const std::string& attributes, const std::string& proto = "UDP/BFCP") {
    return "m=application 5070 " + proto + " *\r\n" + attributes;
}

Policy policy(Encryption encryption = Encryption::best_effort) {
    Policy policy = sip_policy(encryption);
    policy.floor = true;
    return policy;
}

LocalParams local_with_floor(std::size_t transports) {
    LocalParams local = local_for(transports);
    local.floor = LocalFloor{"192.0.2.99", 5555, 77, 4, 1};
    return local;
}

TEST(Floor, AnswersAsTheServerWithTheContentsLabel) {
    const auto plan =
        answered(kHead + kAudio + kMain + kSlides + bfcp("a=floorctrl:c-s\r\na=setup:actpass\r\n"), policy());
    ASSERT_TRUE(plan.floor);
    EXPECT_EQ(plan.floor->index, 3U);
    EXPECT_EQ(plan.floor->remote_address, "192.0.2.1");
    EXPECT_EQ(plan.floor->remote_port, 5070);
    EXPECT_FALSE(plan.floor->tcp);
    const std::string text = write_answer(plan, local_with_floor(3));
    EXPECT_NE(text.find("m=application 5555 UDP/BFCP *\r\nc=IN IP4 192.0.2.99\r\na=floorctrl:s-only\r\n"
                        "a=confid:77\r\na=userid:4\r\na=floorid:1 mstrm:3\r\n"),
              text.npos)
        << text;
}

TEST(Floor, ATcpClientConnectsToUs) {
    const auto plan = answered(
        kHead + kAudio + kSlides + bfcp("a=floorctrl:c-only\r\na=setup:active\r\n", "TCP/BFCP"), policy());
    ASSERT_TRUE(plan.floor);
    EXPECT_TRUE(plan.floor->tcp);
    EXPECT_TRUE(plan.floor->passive);
    EXPECT_NE(write_answer(plan, local_with_floor(2)).find("a=setup:passive\r\na=connection:new\r\n"),
              std::string::npos);
}

TEST(Floor, ContentWithoutALabelGetsTheOneThatTheFloorNames) {
    const auto offer =
        replaced(kHead + kAudio + kSlides + bfcp("a=floorid:2 m-stream:11\r\n"), "a=label:3\r\n", "");
    const auto plan = answered(offer, policy());
    ASSERT_TRUE(plan.floor);
    const std::string text = write_answer(plan, local_with_floor(2));
    EXPECT_NE(text.find("a=label:11\r\n"), text.npos);
    EXPECT_NE(text.find("a=floorid:1 mstrm:11\r\n"), text.npos);
}

// RFC 8856 section 5 ties them; RFC 4796 section 5 calls a speaker's picture "speaker".
TEST(Floor, WhatItIsOfIsTheContent) {
    const auto unnamed = replaced(kSlides, "a=content:slides\r\n", "");
    const auto first = replaced(replaced(kMain, "a=content:main\r\n", ""), "4002", "4006");
    const auto content = [](const Negotiated& plan) {
        const auto* media = plan.find(MediaKind::video, Role::content);
        return media == nullptr ? 0 : media->index;
    };
    const auto line = bfcp("a=floorctrl:c-s\r\na=floorid:1 mstrm:3\r\n");
    const auto plan = answered(kHead + kAudio + first + unnamed + line, policy());
    EXPECT_EQ(content(plan), 2U);
    ASSERT_TRUE(plan.floor);
    EXPECT_EQ(plan.floor->stream, "3");
    EXPECT_EQ(plan.find(MediaKind::video)->index, 1U);
    EXPECT_EQ(content(answered(kHead + kAudio + unnamed + first + line, policy())), 1U);
    const auto off = replaced(kHead + kAudio + first + unnamed + line, "5070", "0");
    EXPECT_EQ(content(answered(off, policy(), &plan)), 2U);
    EXPECT_EQ(content(answered(kHead + kAudio + unnamed + line, policy())), 0U) << "the only picture";
    EXPECT_EQ(content(answered(kHead + kAudio + first + unnamed + bfcp("a=floorid:1 mstrm:9\r\n"), policy())),
              0U);

    const auto speaker = replaced(kMain, "content:main", "content:speaker");
    EXPECT_EQ(content(answered(kHead + kAudio + speaker, policy())), 0U);
    EXPECT_EQ(answered(kHead + kAudio + speaker + kSlides, policy()).find(MediaKind::video)->index, 1U);
}

TEST(Floor, IsRefusedWhereThereIsNothingToControlOrNobodyToServe) {
    const auto none = [](const std::string& offer, const Policy& policy) {
        return !answered(offer, policy).floor;
    };
    EXPECT_TRUE(none(kHead + kAudio + bfcp(""), policy()));                                   // no content
    EXPECT_TRUE(none(kHead + kAudio + kSlides + bfcp("a=floorctrl:s-only\r\n"), policy()));   // a server
    EXPECT_TRUE(none(kHead + kAudio + kSlides + bfcp("", "TCP/TLS/BFCP"), policy()));         // TLS
    EXPECT_TRUE(none(replaced(kHead + kAudio + kSlides + bfcp(""), "5070", "0"), policy()));  // off
    EXPECT_TRUE(none(kHead + kAudio + kSlides + bfcp(""), sip_policy()));
}

TEST(Floor, WithoutAnEndpointOfOursTheLineIsRefused) {
    const auto plan = answered(kHead + kAudio + kSlides + bfcp(""), policy());
    EXPECT_NE(write_answer(plan, local_for(2)).find("m=application 0 UDP/BFCP *\r\n"), std::string::npos);
}

TEST(Floor, IsOfferedBesideContentAndKeptInTheNextOffer) {
    const OfferPlan offer = plan_offer(policy(Encryption::off), OfferWish{});
    ASSERT_TRUE(offer.floor);
    const LocalParams local = local_with_floor(3);
    const std::string text = write_offer(offer, local);
    EXPECT_EQ(count(text, "m=application 5555 UDP/BFCP *\r\n"), 1U);
    EXPECT_EQ(count(text, "a=label:content\r\n"), 1U);

    const auto answer_text = kHead + "m=audio 4000 RTP/AVP 8\r\n" + replaced(kMain, "97", "98") +
                             replaced(kSlides, "97", "98") + bfcp("a=floorctrl:c-only\r\n");
    const auto applied = apply_answer(offer, local, parsed(answer_text));
    ASSERT_TRUE(applied.ok()) << applied.refusal().detail;
    ASSERT_TRUE(applied->floor);
    EXPECT_EQ(applied->floor->remote_port, 5070);

    const OfferPlan again = plan_offer(policy(Encryption::off), OfferWish{}, &*applied);
    EXPECT_EQ(count(write_offer(again, local), "m=application 5555 UDP/BFCP *\r\n"), 1U);
}

}  // namespace
}  // namespace vmr::sdp::test
