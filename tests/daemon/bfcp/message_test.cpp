#include "daemon/bfcp/message.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vmr::bfcp {
namespace {

std::string octets(std::initializer_list<unsigned> values) {
    std::string text;
    for (const unsigned value : values) {
        text.push_back(static_cast<char>(value));
    }
    return text;
}

Header header(Primitive primitive) {
    return {kUnreliable, false, primitive, 0x01020304, 0x0506, 0x0708};
}

TEST(BfcpMessage, HasTheOctetsOfTheRfc) {
    // Sections 5.1 and 5.2.2: version 2, FloorRequest, one word, then FLOOR-ID, mandatory, of four octets.
    EXPECT_EQ(write_floor_request(header(Primitive::floor_request), 0x1122),
              octets({0x40, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x05, 4, 0x11, 0x22}));
    EXPECT_EQ(write(header(Primitive::hello)), octets({0x40, 11, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
    Header answer = header(Primitive::goodbye_ack);
    answer.response = true;
    EXPECT_EQ(write(answer), octets({0x50, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(BfcpMessage, AStatusSaysWhatWasPutIn) {
    const FloorRequestInfo info{77, 1, RequestStatus::granted, 0, 5};
    const Result<Message> read = parse(write_floor_request_status(header(Primitive::hello), info));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->header.primitive, Primitive::floor_request_status);
    EXPECT_EQ(read->header.conference, 0x01020304U);
    EXPECT_EQ(read->floor_request, 77);
    EXPECT_EQ(read->request_status, RequestStatus::granted);
}

TEST(BfcpMessage, AttributesThatMustBeKnownAreNamed) {
    // Type 60, mandatory, four octets.
    std::string text = octets({0x40, 1, 0, 2, 0, 0, 0, 1, 0, 1, 0, 1, 0x05, 4, 0, 1, 60 << 1 | 1, 4, 0, 0});
    const Result<Message> read = parse(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->unknown_mandatory, std::vector<std::uint8_t>{60});
    text[16] = 60 << 1;
    EXPECT_TRUE(parse(text)->unknown_mandatory.empty());
}

TEST(BfcpMessage, WhatIsNotWholeIsRefused) {
    const std::string whole = write_floor_request(header(Primitive::floor_request), 1);
    EXPECT_TRUE(parse(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse(whole.substr(0, size))) << size;
    }
    EXPECT_FALSE(parse(whole + "more"));
    std::string fragment = whole;
    fragment[0] = static_cast<char>(fragment[0] | 0x08);
    EXPECT_FALSE(parse(fragment));
    EXPECT_EQ(message_length(whole), whole.size());
    EXPECT_FALSE(message_length(whole.substr(0, 11)));
}

TEST(BfcpMessage, GarbageIsHarmless) {
    std::mt19937 random(4711);
    const std::string seed =
        write_floor_status(header(Primitive::hello), 1, FloorRequestInfo{3, 1, RequestStatus::granted, 0, 5});
    unsigned readable = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string text = seed;
        for (unsigned changes = random() % 6 + 1; changes > 0; --changes) {
            text[random() % text.size()] = static_cast<char>(random());
        }
        readable += parse(text) ? 1 : 0;
    }
    EXPECT_GT(readable, 0U);
}

}  // namespace
}  // namespace vmr::bfcp
