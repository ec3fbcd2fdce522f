// Floor control over real sockets on loopback.
#include "daemon/media/floor.hpp"

#include <gtest/gtest.h>

#include "floor_client.hpp"

namespace vmr::media {
namespace {

class FloorTest : public ::testing::Test {
protected:
    void open(bool tcp) {
        tcp_ = tcp;
        sdp::FloorPlan plan;
        plan.tcp = tcp;
        FloorPathParams params;
        params.local_address = "127.0.0.1";
        params.port_min = 30000;
        params.port_max = 31000;
        auto floor = Floor::open(plan, params,
                                 {[this] {
                                      ++begun_;
                                      return true;
                                  },
                                  [this] { ++ended_; }});
        ASSERT_TRUE(floor) << floor.error();
        floor_ = std::move(*floor);
        local_ = floor_->local("127.0.0.1");
    }
    int type() const { return tcp_ ? SOCK_STREAM : SOCK_DGRAM; }
    bfcp::Header header() {
        return {tcp_ ? bfcp::kReliable : bfcp::kUnreliable,
                false,
                bfcp::Primitive::hello,
                local_.conference,
                ++transaction_,
                local_.user};
    }

    bool tcp_ = false;
    std::unique_ptr<Floor> floor_;
    sdp::LocalFloor local_;
    std::uint16_t transaction_ = 0;
    int begun_ = 0, ended_ = 0;
};

class EitherPath : public FloorTest, public ::testing::WithParamInterface<bool> {
protected:
    void SetUp() override { open(GetParam()); }
};

TEST_P(EitherPath, IsAskedForGrantedAndTakenAway) {
    FloorClient client(type(), local_.port);
    client.say(bfcp::write_floor_request(header(), bfcp::kContentFloor));
    const auto granted = client.next();
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->request_status, bfcp::RequestStatus::granted);
    EXPECT_EQ(begun_, 1);
    floor_->set_holder(FloorHolder::other);
    const auto revoked = client.next();
    ASSERT_TRUE(revoked);
    EXPECT_EQ(revoked->request_status, bfcp::RequestStatus::revoked);
}

TEST_P(EitherPath, WhoDoesNotKnowTheConferenceIsNotHeard) {
    FloorClient stranger(type(), local_.port);
    bfcp::Header wrong = header();
    wrong.conference ^= 1;
    stranger.say(bfcp::write_floor_request(wrong, bfcp::kContentFloor));
    FloorClient client(type(), local_.port);
    client.say(bfcp::write(header()));
    const auto answer = client.next();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.primitive, bfcp::Primitive::hello_ack);
    EXPECT_EQ(begun_, 0);
}

TEST_F(FloorTest, ARepeatedDatagramComesByItself) {
    open(false);
    FloorClient client(type(), local_.port);
    client.say(bfcp::write_floor_request(header(), bfcp::kContentFloor));
    ASSERT_TRUE(client.next());
    floor_->set_holder(FloorHolder::nobody);
    const auto first = client.next(), second = client.next();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->header.transaction, second->header.transaction);
}

TEST_F(FloorTest, StrangersDoNotUseUpThePeersRate) {
    open(false);
    FloorClient stranger(type(), local_.port);
    bfcp::Header wrong = header();
    wrong.conference ^= 1;
    for (int i = 0; i < 200; ++i) {
        stranger.say(i % 2 == 0 ? bfcp::write(wrong) : "x");
    }
    FloorClient client(type(), local_.port);
    client.say(bfcp::write(header()));
    EXPECT_TRUE(client.next());
}

TEST_F(FloorTest, GarbageEndsAConnectionAndNothingElse) {
    open(true);
    FloorClient garbage(type(), local_.port);
    garbage.say(std::string(400, 'x'));
    EXPECT_TRUE(garbage.closed());
    FloorClient client(type(), local_.port);
    const std::string hello = bfcp::write(header());
    client.say(hello.substr(0, 5));
    client.say(hello.substr(5) + bfcp::write(header()));  // two messages in pieces
    EXPECT_TRUE(client.next());
    EXPECT_TRUE(client.next());
}

INSTANTIATE_TEST_SUITE_P(Paths, EitherPath, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Tcp" : "Udp"; });

TEST(FloorRate, LetsABurstThroughAndThenTwentyASecond) {
    const SteadyTime begin{};
    TokenBucket rate = floor_rate(begin);
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
        allowed += rate.take(begin) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 40);
    for (int i = 0; i < 100; ++i) {
        allowed += rate.take(begin + std::chrono::seconds(1)) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 60);
}

}  // namespace
}  // namespace vmr::media
