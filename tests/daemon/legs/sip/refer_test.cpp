// REFER and Replaces by their RFCs' sections (3515, 3891, 4488), without sockets.
#include "daemon/legs/sip/subscriptions/refer.hpp"

#include <gtest/gtest.h>

#include "daemon/legs/sip/dialog/replaces.hpp"
#include "daemon/legs/sip/subscriptions/transfer.hpp"
#include "tests/support/sip/fake_host.hpp"

namespace vmr::sip::test {
namespace {

Message request(const std::string& method, const std::string& extra, const std::string& body = {}) {
    return read(method +
                " sip:room@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKs\r\n"
                "From: <sip:a@x>;tag=f\r\nTo: <sip:room@192.0.2.1>;tag=l\r\nCall-ID: c1\r\nCSeq: 2 " +
                method + "\r\nContact: <sip:a@192.0.2.7>\r\n" + extra +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

int status(const std::string& extra) {
    ReferRequest refer;
    const auto refusal = read_refer(request("REFER", extra), refer);
    return refusal ? refusal->status : 202;
}

ReferRequest refer(const std::string& extra) {
    ReferRequest read;
    EXPECT_FALSE(read_refer(request("REFER", extra), read));
    return read;
}

// RFC 3515 section 2.4.2
TEST(Refer, NamesOneWhomWeCanCall) {
    EXPECT_EQ(status(""), 400);
    EXPECT_EQ(status("Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n"), 400);
    EXPECT_EQ(status("Refer-To: nobody\r\n"), 400);
    EXPECT_EQ(status("Refer-To: <http://b/>\r\n"), 416);
    EXPECT_EQ(status("Refer-To: <sip:a@b;method=SUBSCRIBE>\r\n"), 603);
    EXPECT_EQ(status("Refer-To: <sip:a@b>\r\nRequire: norefersub\r\n"), 202);
    EXPECT_EQ(status("Refer-To: <sip:a@b>\r\nRequire: explicitsub\r\n"), 420);
    EXPECT_EQ(refer("r: \"Bob\" <sip:bob@b.example;transport=tls;method=INVITE>\r\n").address,
              "sip:bob@b.example;transport=tls");
    EXPECT_EQ(refer("Refer-To: tel:+4930123\r\n").address, "tel:+4930123");
    EXPECT_EQ(refer("Refer-To: <sip:+4930123;phone-context=x@b;user=phone;method=INVITE?X=y>\r\n").address,
              "sip:+4930123;phone-context=x@b;user=phone");
}

TEST(Refer, TakesReplacesAndNoOtherHeaderOfTheUri) {
    const auto asked =
        refer("Refer-To: <sip:b@x?Route=%3Csip:evil%3E&replaces=c9%40h%3Bto-tag%3Dt%3Bfrom-tag%3Df>\r\n");
    EXPECT_EQ(asked.address, "sip:b@x");
    EXPECT_EQ(asked.replaces, "c9@h;to-tag=t;from-tag=f");
    EXPECT_EQ(status("Refer-To: <sip:b@x?Replaces=c9>\r\n"), 400);
    EXPECT_EQ(status("Refer-To: <sip:b@x?Replaces=c9%3Bto-tag%3Dt%3Bfrom-tag%3Df%0D%0AX:y>\r\n"), 400);
    EXPECT_EQ(status("Refer-To: <sip:b@x?Replaces=c%zz>\r\n"), 400);
}

// RFC 4488
TEST(Refer, MayAskNotToBeTold) {
    EXPECT_TRUE(refer("Refer-To: <sip:b@x>\r\n").subscribes);
    EXPECT_FALSE(refer("Refer-To: <sip:b@x>\r\nRefer-Sub: false\r\n").subscribes);
    EXPECT_TRUE(refer("Refer-To: <sip:b@x>\r\nRefer-Sub: true;x=y\r\n").subscribes);
}

TEST(Refer, FragmentsAreStatusLines) {
    EXPECT_EQ(read_fragment("SIP/2.0 486 Busy Here\r\nTo: x\r\n")->status, 486);
    EXPECT_EQ(read_fragment("SIP/2.0 486 Busy Here\r\n")->reason, "Busy Here");
    EXPECT_EQ(read_fragment("SIP/2.0 200")->status, 200);
    for (const char* bad :
         {"", "SIP/2.0 20", "SIP/2.0 099 X", "SIP/2.0 700 X", "INVITE x", "SIP/2.0 2x0 OK"}) {
        EXPECT_FALSE(read_fragment(bad)) << bad;
    }
}

// RFC 3891 section 3 and 6.1
TEST(Replaces, IsOneWithBothTags) {
    const auto read = [](const std::string& extra) { return read_replaces(request("INVITE", extra)); };
    EXPECT_FALSE(read("").value);
    EXPECT_FALSE(read("").malformed);
    const auto good = read("Replaces: 98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff\r\n");
    ASSERT_TRUE(good.value && !good.malformed);
    EXPECT_EQ(good.value->key(), "98732@sip.example.com|ff87ff|r33th4x0r");
    EXPECT_FALSE(good.value->early_only);
    EXPECT_TRUE(read("Replaces: c;to-tag=a;from-tag=b;early-only\r\n").value->early_only);
    EXPECT_TRUE(read("Replaces: c;to-tag=a\r\n").malformed);
    EXPECT_TRUE(read("Replaces: c;to-tag=a;from-tag=b\r\nReplaces: d;to-tag=a;from-tag=b\r\n").malformed);
    EXPECT_TRUE(read("Replaces: c;to-tag=a;from-tag=b\r\nJoin: c;to-tag=a;from-tag=b\r\n").malformed);
    EXPECT_TRUE(read("Replaces: c;to-tag=a;from-tag=b,d;to-tag=a;from-tag=b\r\n").malformed);
}

class Transferring : public ::testing::Test {
protected:
    Transferring() { transfer.begin(7, 3, 0); }
    void answer(int code, const std::string& extra = {}) {
        transfer.receive_response(
            read("SIP/2.0 " + std::to_string(code) +
                 " Said\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKo\r\nFrom: <sip:room@x>;tag=l\r\n"
                 "To: <sip:a@x>;tag=f\r\nCall-ID: c1\r\nCSeq: 3 REFER\r\n" +
                 extra + "Content-Length: 0\r\n\r\n"));
    }
    bool notify(const std::string& line, const std::string& state, const std::string& event = "refer") {
        const Message message = request(
            "NOTIFY",
            "Event: " + event + "\r\nSubscription-State: " + state + "\r\nContent-Type: message/sipfrag\r\n",
            line);
        const bool ours = transfer.is_told_by(message);
        if (ours) {
            transfer.receive_notify(message);
        }
        return ours;
    }
    std::vector<int> told;
    Transfer transfer{[this](int code, const std::string&) { told.push_back(code); }};
};

TEST_F(Transferring, NamesAUri) {
    EXPECT_EQ(Transfer::request("sips:a@b.example").headers.at(0).value, "<sips:a@b.example>");
    EXPECT_EQ(Transfer::request("+4930123").headers.at(0).value, "<tel:+4930123>");
}

TEST_F(Transferring, IsFollowedToItsResult) {
    EXPECT_TRUE(transfer.is_own(7));
    answer(202);
    EXPECT_TRUE(notify("SIP/2.0 100 Trying\r\n", "active;expires=60"));
    EXPECT_TRUE(notify("SIP/2.0 180 Ringing\r\n", "active", "refer;id=3"));
    EXPECT_FALSE(notify("SIP/2.0 200 OK\r\n", "active", "refer;id=9"));
    EXPECT_FALSE(notify("SIP/2.0 200 OK\r\n", "active", "presence"));
    EXPECT_TRUE(notify("SIP/2.0 200 OK\r\n", "terminated;reason=noresource"));
    EXPECT_EQ(told, (std::vector<int>{100, 180, 200}));
    EXPECT_TRUE(transfer.over());
    EXPECT_FALSE(notify("SIP/2.0 200 OK\r\n", "terminated"));
}

TEST_F(Transferring, ANotifyMayOvertakeTheAnswer) {
    EXPECT_TRUE(notify("SIP/2.0 100 Trying\r\n", "active;expires=60"));
    answer(202);
    EXPECT_EQ(told, std::vector<int>{100});
}

TEST_F(Transferring, EndsInEachCase) {
    answer(603);
    EXPECT_EQ(told, std::vector<int>{603});
    told.clear();
    const auto again = [this] {
        transfer = Transfer([this](int code, const std::string&) { told.push_back(code); });
        transfer.begin(7, 3, 0);
        told.clear();
    };
    again();
    answer(202, "Refer-Sub: false\r\n");
    EXPECT_EQ(told, std::vector<int>{202});
    again();
    EXPECT_TRUE(notify("", "terminated;reason=timeout"));
    EXPECT_EQ(told, std::vector<int>{480});
    again();
    transfer.tick(Transfer::kLongest - 1);
    EXPECT_FALSE(transfer.over());
    transfer.tick(Transfer::kLongest);
    EXPECT_EQ(told, std::vector<int>{408});
    EXPECT_FALSE(transfer.next_deadline());
}

}  // namespace
}  // namespace vmr::sip::test
