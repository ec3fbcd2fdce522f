// STUN keep-alives: pure.
#include "daemon/legs/sip/network/stun.hpp"

#include <gtest/gtest.h>

namespace vmr::sip {
namespace {

const std::string kRequest = std::string("\0\1\0\0\x21\x12\xa4\x42", 8) + "abcdefghijkl";

// RFC 5769 section 2.2: what 192.0.2.1:32853 becomes with its transaction id.
TEST(Stun, TheAddressOfTheVector) {
    const std::string id("\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae", 12);
    const std::string request = std::string("\0\1\0\0\x21\x12\xa4\x42", 8) + id;
    const std::string expected = std::string("\1\1\0\x0c\x21\x12\xa4\x42", 8) + id +
                                 std::string("\0\x20\0\x08\0\1\xa1\x47\xe1\x12\xa6\x43", 12);
    EXPECT_EQ(stun_answer(request, {"192.0.2.1", 32853}), expected);
    // Section 2.3
    const std::string v6 = stun_answer(request, {"2001:db8:1234:5678:11:2233:4455:6677", 32853});
    EXPECT_EQ(v6.substr(20),
              std::string("\0\x20\0\x14\0\2\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5"
                          "\xbe\xd2\xb9\xd9",
                          24));
}

TEST(Stun, OnlyBindingRequestsAreAnswered) {
    EXPECT_EQ(stun_answer(kRequest, {"192.0.2.1", 1}).size(), 32U);
    EXPECT_EQ(stun_answer(std::string(kRequest).replace(0, 2, "\1\1"), {"192.0.2.1", 1}), "") << "a response";
    EXPECT_EQ(stun_answer(kRequest.substr(0, 19), {"192.0.2.1", 1}), "");
    EXPECT_EQ(stun_answer(kRequest + "x", {"192.0.2.1", 1}), "") << "not as long as it says";
    EXPECT_EQ(stun_answer(kRequest, {"host", 1}), "");
    std::string with = kRequest;
    with[3] = 8;
    EXPECT_NE(stun_answer(with + std::string("\x80\x22\0\4abcd", 8), {"192.0.2.1", 1}), "") << "SOFTWARE";
    EXPECT_EQ(stun_answer(with + std::string("\0\6\0\4user", 8), {"192.0.2.1", 1}), "") << "USERNAME";
    EXPECT_EQ(stun_answer(with + std::string("\x80\x22\0\x09"
                                             "abcd",
                                             8),
                          {"192.0.2.1", 1}),
              "")
        << "cut off";
    EXPECT_FALSE(looks_like_stun("OPTIONS sip:x SIP/2.0\r\n"));
}

}  // namespace
}  // namespace vmr::sip
