#include "daemon/bfcp/floor_server.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vmr::bfcp {
namespace {

constexpr std::uint32_t kConference = 42;
constexpr std::uint16_t kUser = 7;
using Holder = FloorServer::Holder;

class FloorServerTest : public ::testing::Test, public FloorHost {
protected:
    void send(const std::string& bytes) override {
        const Result<Message> message = parse(bytes);
        ASSERT_TRUE(message);
        sent_.push_back(*message);
    }
    bool begin_sharing() override {
        ++begun_;
        return allowed_;
    }
    void end_sharing() override { ++ended_; }
    void on_client_lost() override { ++lost_; }

    Header header(Primitive primitive = Primitive::hello) {
        return {kUnreliable, false, primitive, kConference, ++transaction_, kUser};
    }
    // What comes back at once; its primitive is `hello` when nothing does.
    Message ask(const std::string& bytes) {
        sent_.clear();
        floor_.receive(bytes, now_);
        return sent_.empty() ? Message{} : sent_.front();
    }
    std::uint16_t get_floor() {
        const Message status = ask(write_floor_request(header(), kContentFloor));
        return status.request_status == RequestStatus::granted ? status.floor_request.value_or(0) : 0;
    }
    void acknowledge(const Message& notification) {
        Header ack = notification.header;
        ack.primitive = Primitive::floor_request_status_ack;
        ack.response = true;
        floor_.receive(write(ack), now_);
    }

    std::vector<Message> sent_;
    int begun_ = 0, ended_ = 0, lost_ = 0;
    bool allowed_ = true;
    std::int64_t now_ = 1000;
    std::uint16_t transaction_ = 0;
    FloorServer floor_{*this, kConference, kUser, false};
};

TEST_F(FloorServerTest, AnswersCarryTheTransactionAndTheResponseBit) {
    const Message ack = ask(write(header()));
    EXPECT_EQ(ack.header.primitive, Primitive::hello_ack);
    EXPECT_TRUE(ack.header.response);
    EXPECT_EQ(ack.header.transaction, transaction_);
}

TEST_F(FloorServerTest, WhoAsksSharesUntilAnotherTakesOver) {
    const std::uint16_t request = get_floor();
    EXPECT_NE(request, 0);
    EXPECT_EQ(begun_, 1);
    sent_.clear();
    floor_.set_holder(Holder::other, now_);
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0].request_status, RequestStatus::revoked);
    EXPECT_EQ(sent_[0].floor_request, request);
    EXPECT_FALSE(sent_[0].header.response);
    EXPECT_EQ(ended_, 0);  // the room knows
}

TEST_F(FloorServerTest, WhoSharesAndAsksAgainKeepsTheFloor) {
    const std::uint16_t request = get_floor();
    allowed_ = false;
    EXPECT_EQ(get_floor(), request);
    EXPECT_EQ(begun_, 1);
    EXPECT_EQ(floor_.holder(), FloorServer::Holder::participant);
}

TEST_F(FloorServerTest, WhoMayNotShareIsDenied) {
    allowed_ = false;
    EXPECT_EQ(ask(write_floor_request(header(), kContentFloor)).request_status, RequestStatus::denied);
    EXPECT_EQ(floor_.holder(), Holder::nobody);
    floor_.set_holder(Holder::other, now_);
    EXPECT_EQ(sent_.size(), 1U);  // nothing was granted, so nothing is revoked
}

TEST_F(FloorServerTest, ReleaseEndsTheSharing) {
    const std::uint16_t request = get_floor();
    EXPECT_EQ(ask(write_floor_release(header(), request + 1)).error, ErrorCode::no_floor_request);
    EXPECT_EQ(ended_, 0);
    EXPECT_EQ(ask(write_floor_release(header(), request)).request_status, RequestStatus::released);
    EXPECT_EQ(ended_, 1);
    EXPECT_EQ(floor_.holder(), Holder::nobody);
    EXPECT_EQ(ask(write_floor_release(header(), request)).error, ErrorCode::no_floor_request);
}

TEST_F(FloorServerTest, WhoAsksAboutTheFloorHearsOfChanges) {
    EXPECT_FALSE(ask(write_floor_query(header(), kContentFloor)).request_status);
    sent_.clear();
    floor_.set_holder(Holder::other, now_);
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0].header.primitive, Primitive::floor_status);
    EXPECT_EQ(sent_[0].request_status, RequestStatus::granted);
    acknowledge(sent_[0]);
    sent_.clear();
    ask(write(header(Primitive::floor_query)));
    sent_.clear();
    floor_.set_holder(Holder::nobody, now_);
    EXPECT_TRUE(sent_.empty());
}

TEST_F(FloorServerTest, ARepeatedRequestGetsTheSameAnswerAndChangesNothing) {
    const std::string request = write_floor_request(header(), kContentFloor);
    const auto first = ask(request).floor_request;
    EXPECT_EQ(ask(request).floor_request, first);
    EXPECT_EQ(begun_, 1);
    floor_.set_holder(Holder::nobody, now_);
    now_ += kT2;
    ask(request);
    EXPECT_EQ(begun_, 2);
}

TEST_F(FloorServerTest, WhatIsNotAcknowledgedIsRepeatedThriceAndThenTheClientIsGivenUp) {
    get_floor();
    floor_.set_holder(Holder::other, now_);
    for (const std::int64_t wait : {500, 1000, 2000}) {
        sent_.clear();
        ASSERT_EQ(floor_.next_deadline(), now_ + wait);
        now_ += wait;
        floor_.tick(now_ - 1);
        EXPECT_TRUE(sent_.empty());
        floor_.tick(now_);
        EXPECT_EQ(sent_.size(), 1U);
        EXPECT_EQ(lost_, 0);
    }
    now_ += 4000;
    floor_.tick(now_);
    EXPECT_EQ(lost_, 1);
    EXPECT_FALSE(floor_.next_deadline());
}

TEST_F(FloorServerTest, AnAcknowledgementEndsTheRepetitionAndLetsTheNextGo) {
    ask(write_floor_query(header(), kContentFloor));
    get_floor();
    acknowledge(sent_.back());
    sent_.clear();
    floor_.set_holder(Holder::other, now_);  // revoked, and the floor's new state
    ASSERT_EQ(sent_.size(), 1U);
    acknowledge(sent_[0]);
    ASSERT_EQ(sent_.size(), 2U);
    acknowledge(sent_[1]);
    EXPECT_FALSE(floor_.next_deadline());
}

TEST_F(FloorServerTest, AnotherConferenceAnothersNameAndOtherFloorsAreRefused) {
    Header other = header();
    other.conference = kConference + 1;
    EXPECT_EQ(ask(write_floor_request(other, kContentFloor)).error, ErrorCode::no_conference);
    other = header();
    other.user = kUser + 1;
    EXPECT_EQ(ask(write_floor_request(other, kContentFloor)).error, ErrorCode::no_user);
    EXPECT_EQ(ask(write_floor_request(header(), 9)).error, ErrorCode::invalid_floor);
    EXPECT_EQ(ask(write(header(Primitive::floor_request))).error, ErrorCode::invalid_floor);
    EXPECT_EQ(ask(write(header(Primitive::chair_action))).error, ErrorCode::unauthorized);
    EXPECT_EQ(ask(write(header(static_cast<Primitive>(99)))).error, ErrorCode::unknown_primitive);
    EXPECT_EQ(ask(write(header()) + "    ").error, ErrorCode::incorrect_length);
    EXPECT_EQ(begun_, 0);
}

TEST_F(FloorServerTest, AnswersAreNeverAnswered) {
    for (const Primitive primitive : {Primitive::hello_ack, Primitive::error, Primitive::floor_status_ack}) {
        Header response = header(primitive);
        response.response = true;
        ask(write(response));
        EXPECT_TRUE(sent_.empty());
    }
}

TEST_F(FloorServerTest, OverTcpNothingIsAcknowledged) {
    FloorServer reliable(*this, kConference, kUser, true);
    Header request = header();
    request.version = kReliable;
    reliable.receive(write_floor_request(request, kContentFloor), now_);
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_FALSE(sent_[0].header.response);
    reliable.set_holder(Holder::other, now_);
    ASSERT_EQ(sent_.size(), 2U);
    EXPECT_EQ(sent_[1].header.transaction, 0);
    EXPECT_FALSE(reliable.next_deadline());
    reliable.receive(write(header()), now_);
    EXPECT_EQ(sent_.back().error, ErrorCode::unsupported_version);
}

TEST_F(FloorServerTest, GoodbyeIsAnsweredAndEndsTheSharing) {
    get_floor();
    EXPECT_EQ(ask(write(header(Primitive::goodbye))).header.primitive, Primitive::goodbye_ack);
    EXPECT_EQ(ended_, 1);
    EXPECT_EQ(lost_, 1);
    EXPECT_EQ(floor_.holder(), Holder::nobody);
}

}  // namespace
}  // namespace vmr::bfcp
