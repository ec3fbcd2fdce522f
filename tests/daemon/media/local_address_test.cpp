// Which of our addresses a peer is told.
#include "daemon/media/local_address.hpp"

#include <gtest/gtest.h>

namespace vmr::media {
namespace {

class Advertised : public testing::Test {
protected:
    void SetUp() override {
        addresses_.ipv4 = "203.0.113.7";
        for (const char* network : {"10.0.0.0/8", "127.0.0.0/8", "::1"}) {
            addresses_.local_networks.push_back(parse_cidr(network).value());
        }
    }
    AdvertisedAddresses addresses_;
};

TEST_F(Advertised, WhoComesFromFarIsToldTheNatsAddress) {
    EXPECT_EQ(addresses_.for_peer("198.51.100.1", ""), "203.0.113.7");
    EXPECT_EQ(addresses_.for_peer("198.51.100.1", "198.51.100.2"), "203.0.113.7");
    EXPECT_EQ(addresses_.for_peer("198.51.100.1", "10.0.0.5"), "203.0.113.7") << "behind a NAT of its own";
    EXPECT_EQ(addresses_.for_peer("127.0.0.1", "198.51.100.2"), "203.0.113.7") << "behind a proxy of ours";
    EXPECT_EQ(addresses_.for_peer("::ffff:198.51.100.1", ""), "203.0.113.7");
}

TEST_F(Advertised, WhoIsOnOurSideIsToldOurOwn) {
    EXPECT_EQ(addresses_.for_peer("127.0.0.1", ""), "127.0.0.1");
    EXPECT_EQ(addresses_.for_peer("127.0.0.1", "127.0.0.3"), "127.0.0.1");
    EXPECT_EQ(AdvertisedAddresses().for_peer("127.0.0.1", ""), "127.0.0.1");
}

TEST_F(Advertised, EachFamilyHasItsOwn) {
    EXPECT_EQ(addresses_.all(), std::vector<std::string>{"203.0.113.7"});
    EXPECT_NE(addresses_.for_peer("2001:db8::1", ""), "203.0.113.7");
    addresses_.ipv6 = "2001:db8::7";
    EXPECT_EQ(addresses_.for_peer("198.51.100.1", "2001:db8::1"), "2001:db8::7");
    EXPECT_EQ(addresses_.for_peer("2001:db8::1", "198.51.100.1"), "203.0.113.7");
    EXPECT_EQ(addresses_.all().size(), 2U);
}

}  // namespace
}  // namespace vmr::media
