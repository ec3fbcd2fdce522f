#include "daemon/bfcp/floor_control.hpp"

#include <gtest/gtest.h>

namespace vmr::bfcp {
namespace {

constexpr std::uint32_t kRoom = 42;

class FloorControlTest : public ::testing::Test, public FloorHost {
protected:
    void SetUp() override {
        floor_.add(1, false);
        floor_.add(2, false);
    }

    void send(std::uint16_t user, const std::string& bytes) override {
        const Result<Message> message = parse(bytes);
        ASSERT_TRUE(message);
        sent_.push_back({user, *message});
    }
    bool may_share(std::uint16_t) override { return allowed_; }
    void on_holder_changed(std::uint16_t user) override { holders_.push_back(user); }
    void on_client_lost(std::uint16_t user) override { lost_.push_back(user); }

    Header header(std::uint16_t user) {
        return {kUnreliable, false, Primitive::hello, kRoom, ++transaction_, user};
    }
    Header plain(std::uint16_t user, Primitive primitive) {
        Header made = header(user);
        made.primitive = primitive;
        return made;
    }
    void say(std::uint16_t user, const std::string& bytes) {
        sent_.clear();
        floor_.receive(user, bytes, now_);
    }
    const Message* to(std::uint16_t user, Primitive primitive) const {
        for (const auto& [receiver, message] : sent_) {
            if (receiver == user && message.header.primitive == primitive) {
                return &message;
            }
        }
        return nullptr;
    }
    std::uint16_t get_floor(std::uint16_t user) {
        say(user, write_floor_request(header(user), kContentFloor));
        const Message* status = to(user, Primitive::floor_request_status);
        return status != nullptr && status->request_status == RequestStatus::granted
                   ? status->floor_request.value_or(0)
                   : 0;
    }
    void acknowledge(std::uint16_t user, const Message& notification) {
        Header ack = notification.header;
        ack.primitive = Primitive::floor_request_status_ack;
        ack.response = true;
        floor_.receive(user, write(ack), now_);
    }

    std::vector<std::pair<std::uint16_t, Message>> sent_;
    std::vector<std::uint16_t> holders_, lost_;
    bool allowed_ = true;
    std::int64_t now_ = 1000;
    std::uint16_t transaction_ = 0;
    FloorControl floor_{*this, kRoom};
};

TEST_F(FloorControlTest, AnswersCarryTheTransactionAndTheResponseBit) {
    say(1, write(header(1)));
    const Message* ack = to(1, Primitive::hello_ack);
    ASSERT_NE(ack, nullptr);
    EXPECT_TRUE(ack->header.response);
    EXPECT_EQ(ack->header.transaction, transaction_);
}

TEST_F(FloorControlTest, TheLastWhoAsksHasTheFloorAndTheOneBeforeIsTold) {
    EXPECT_NE(get_floor(1), 0);
    EXPECT_EQ(floor_.holder(), 1);
    EXPECT_NE(get_floor(2), 0);
    EXPECT_EQ(floor_.holder(), 2);
    const Message* revoked = to(1, Primitive::floor_request_status);
    ASSERT_NE(revoked, nullptr);
    EXPECT_EQ(revoked->request_status, RequestStatus::revoked);
    EXPECT_EQ(holders_, (std::vector<std::uint16_t>{1, 2}));
}

TEST_F(FloorControlTest, WhoMayNotShareIsDenied) {
    allowed_ = false;
    EXPECT_EQ(get_floor(1), 0);
    EXPECT_EQ(to(1, Primitive::floor_request_status)->request_status, RequestStatus::denied);
    EXPECT_EQ(floor_.holder(), 0);
}

TEST_F(FloorControlTest, ReleaseIsForTheOwnRequestOnly) {
    const std::uint16_t request = get_floor(1);
    say(2, write_floor_release(header(2), request));
    EXPECT_EQ(to(2, Primitive::error)->error, ErrorCode::no_floor_request);
    EXPECT_EQ(floor_.holder(), 1);
    say(1, write_floor_release(header(1), request));
    EXPECT_EQ(to(1, Primitive::floor_request_status)->request_status, RequestStatus::released);
    EXPECT_EQ(floor_.holder(), 0);
}

TEST_F(FloorControlTest, WhoAsksAboutTheFloorHearsOfChanges) {
    say(2, write_floor_query(header(2), kContentFloor));
    EXPECT_FALSE(to(2, Primitive::floor_status)->request_status);
    get_floor(1);
    const Message* change = to(2, Primitive::floor_status);
    ASSERT_NE(change, nullptr);
    EXPECT_EQ(change->request_status, RequestStatus::granted);
    EXPECT_FALSE(change->header.response);
}

TEST_F(FloorControlTest, ARepeatedRequestGetsTheSameAnswerAndChangesNothing) {
    const std::string request = write_floor_request(header(1), kContentFloor);
    say(1, request);
    const auto first = to(1, Primitive::floor_request_status)->floor_request;
    say(1, request);
    EXPECT_EQ(to(1, Primitive::floor_request_status)->floor_request, first);
    EXPECT_EQ(holders_.size(), 1U);
}

TEST_F(FloorControlTest, WhatIsNotAcknowledgedIsRepeatedThriceAndThenTheClientIsGivenUp) {
    get_floor(1);
    get_floor(2);
    ASSERT_NE(to(1, Primitive::floor_request_status), nullptr);
    for (const std::int64_t wait : {500, 1000, 2000}) {
        sent_.clear();
        ASSERT_EQ(floor_.next_deadline(), now_ + wait);
        now_ += wait;
        floor_.tick(now_);
        EXPECT_EQ(sent_.size(), 1U);
        EXPECT_TRUE(lost_.empty());
    }
    now_ += 4000;
    floor_.tick(now_);
    EXPECT_EQ(lost_, std::vector<std::uint16_t>{1});
    EXPECT_FALSE(floor_.next_deadline());
}

TEST_F(FloorControlTest, AnAcknowledgementEndsTheRepetition) {
    get_floor(1);
    get_floor(2);
    const Message revoked = *to(1, Primitive::floor_request_status);
    acknowledge(1, revoked);
    EXPECT_FALSE(floor_.next_deadline());
}

TEST_F(FloorControlTest, WhoLeavesLeavesTheFloor) {
    get_floor(1);
    floor_.remove(1, now_);
    EXPECT_EQ(floor_.holder(), 0);
    EXPECT_EQ(holders_.back(), 0);
}

TEST_F(FloorControlTest, AnotherRoomOrAnotherUsersNameIsRefused) {
    Header other = header(1);
    other.conference = kRoom + 1;
    say(1, write_floor_request(other, kContentFloor));
    EXPECT_EQ(to(1, Primitive::error)->error, ErrorCode::no_conference);
    say(1, write_floor_request(header(2), kContentFloor));
    EXPECT_EQ(to(1, Primitive::error)->error, ErrorCode::no_user);
    say(1, write_floor_request(header(1), 9));
    EXPECT_EQ(to(1, Primitive::error)->error, ErrorCode::invalid_floor);
    say(1, write(plain(1, Primitive::chair_action)));
    EXPECT_EQ(to(1, Primitive::error)->error, ErrorCode::unauthorized);
    EXPECT_EQ(floor_.holder(), 0);
}

TEST_F(FloorControlTest, OverTcpNothingIsAcknowledged) {
    floor_.add(3, true);
    Header request = header(3);
    request.version = kReliable;
    say(3, write_floor_request(request, kContentFloor));
    EXPECT_FALSE(to(3, Primitive::floor_request_status)->header.response);
    get_floor(1);
    const Message* revoked = to(3, Primitive::floor_request_status);
    ASSERT_NE(revoked, nullptr);
    EXPECT_EQ(revoked->header.transaction, 0);
    EXPECT_FALSE(floor_.next_deadline());
    say(3, write_floor_request(header(3), kContentFloor));
    EXPECT_EQ(to(3, Primitive::error)->error, ErrorCode::unsupported_version);
}

TEST_F(FloorControlTest, GoodbyeIsAnsweredAndEndsTheClient) {
    get_floor(1);
    say(1, write(plain(1, Primitive::goodbye)));
    EXPECT_NE(to(1, Primitive::goodbye_ack), nullptr);
    EXPECT_EQ(lost_, std::vector<std::uint16_t>{1});
    EXPECT_EQ(floor_.holder(), 0);
}

}  // namespace
}  // namespace vmr::bfcp
