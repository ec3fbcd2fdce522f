// STUN messages against the vectors of RFC 5769; who answers them is tested beside those who do.
#include "daemon/stun/message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmr::stun {
namespace {

// Section 2.1, byte for byte.
const std::string kRequest(
    "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x10STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"
    "\x80\x28\x00\x04\xe5\x7a\x3b\xcf",
    108);
const std::string kPassword = "VOkJxbRl1RmTxUk/WvJxBt";

TEST(StunMessage, TheRequestOfTheVectors) {
    const Bytes request = bytes_of(kRequest);
    ASSERT_TRUE(is_binding_request(request));
    std::vector<std::uint16_t> types;
    bool fits = false, whole = false;
    std::string username;
    EXPECT_TRUE(each_attribute(request, [&](const Attribute& attribute) {
        types.push_back(attribute.type);
        if (attribute.type == kUsername) {
            username.assign(attribute.value.begin(), attribute.value.end());
        } else if (attribute.type == kMessageIntegrity) {
            fits = integrity_fits(request, attribute.at, kPassword);
            EXPECT_FALSE(integrity_fits(request, attribute.at, kPassword + "x"));
        } else if (attribute.type == kFingerprint) {
            whole = fingerprint_fits(request, attribute);
        }
        return true;
    }));
    EXPECT_TRUE(fits);
    EXPECT_TRUE(whole);
    EXPECT_EQ(username, "evtj:h6vY");
    EXPECT_EQ(types, (std::vector<std::uint16_t>{0x8022, kPriority, kIceControlled, kUsername,
                                                 kMessageIntegrity, kFingerprint}));
}

TEST(StunMessage, WhatIsCutOffIsNoMessage) {
    for (std::size_t size = 0; size < kRequest.size(); ++size) {
        EXPECT_FALSE(is_message(bytes_of(kRequest).first(size))) << size;
    }
    std::string longer = kRequest;
    longer[2] = 2;
    longer[3] = 4;
    longer.resize(kHeader + 0x204);
    EXPECT_EQ(longer.size(), kMaxRequest - 12);
    EXPECT_TRUE(is_binding_request(bytes_of(longer)));
    longer[3] = 0x14;
    longer.resize(kHeader + 0x214);
    EXPECT_TRUE(is_message(bytes_of(longer)));
    EXPECT_FALSE(is_binding_request(bytes_of(longer))) << "longer than any that is sent";
}

TEST(StunMessage, AVisitEndsWhereTheVisitorSaysSoOrTheValueIsCutOff) {
    int visits = 0;
    EXPECT_FALSE(each_attribute(bytes_of(kRequest), [&](const Attribute&) { return ++visits < 2; }));
    EXPECT_EQ(visits, 2);
    std::string cut = kRequest;
    cut[kHeader + 3] = 0x7f;
    EXPECT_FALSE(each_attribute(bytes_of(cut), [](const Attribute&) { return true; }));
}

// What is written can be read, whatever stands in it.
TEST(StunMessage, AnErrorNamesWhatIsNotUnderstood) {
    for (const std::vector<std::uint16_t>& unknown : {std::vector<std::uint16_t>{0x7001}, {0x7001, 0x7002}}) {
        Writer writer(Type::binding_error, bytes_of(kRequest));
        writer.add_error(420);
        writer.add_unknown(unknown);
        ASSERT_TRUE(writer.add_integrity(kPassword));
        writer.add_fingerprint();
        const auto answer = writer.take();
        ASSERT_TRUE(is_message(answer));
        std::size_t right = 0;
        EXPECT_TRUE(each_attribute(answer, [&](const Attribute& attribute) {
            switch (attribute.type) {
                case kErrorCode:
                    right += read32(attribute.value, 0) == 0x0414;
                    break;
                case kUnknownAttributes:
                    right += attribute.value.size() == 2 * unknown.size() &&
                             read16(attribute.value, 0) == unknown[0];
                    break;
                case kMessageIntegrity:
                    right += integrity_fits(answer, attribute.at, kPassword);
                    break;
                case kFingerprint:
                    right += fingerprint_fits(answer, attribute);
                    break;
                default:
                    ADD_FAILURE() << attribute.type;
            }
            return true;
        }));
        EXPECT_EQ(right, 4U);
    }
}

}  // namespace
}  // namespace vmr::stun
