// What a leg's crypto receipt says: each kind of offer, under each policy, over clear and over encrypted
// signalling (room rules 20 and 21).
#include <map>

#include "two_rooms.hpp"

namespace vmr::media {
namespace {

using sdp::Encryption;

std::string inline_key(std::size_t bytes) {
    return "inline:" + std::string(bytes / 3 * 4, 'B') +
           (bytes % 3 == 0   ? ""
            : bytes % 3 == 1 ? "BA=="
                             : "BBA=");
}
const std::string kStrong = "a=crypto:1 AEAD_AES_256_GCM " + inline_key(44) + "\r\n";
const std::string kCm256 = "a=crypto:2 AES_256_CM_HMAC_SHA1_80 " + inline_key(46) + "\r\n";
const std::string kCm128 = "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " + inline_key(30) + "|2^31\r\n";
const std::string kShort = "a=crypto:4 AES_CM_128_HMAC_SHA1_32 " + inline_key(30) + "|2^31|1:4\r\n";
const std::string kNaked = "a=crypto:5 AES_CM_128_HMAC_SHA1_80 " + inline_key(30) + " UNENCRYPTED_SRTP\r\n";
const std::string kNoRtcp = "a=crypto:5 AEAD_AES_256_GCM " + inline_key(44) + " UNENCRYPTED_SRTCP\r\n";
const std::string kNoTag =
    "a=crypto:5 AES_CM_128_HMAC_SHA1_80 " + inline_key(30) + " UNAUTHENTICATED_SRTP\r\n";
const std::string kTwoKeys =
    "a=crypto:6 AES_CM_128_HMAC_SHA1_80 " + inline_key(30) + "|1:1;" + inline_key(30) + "|2:1\r\n";

std::string audio(const std::string& proto, const std::string& rest = "") {
    return "m=audio 40000 " + proto + " 0\r\n" + rest;
}

const std::map<std::string, std::string> kOffers = {
    {"plain", audio("RTP/AVP")},
    {"best effort", audio("RTP/AVP", kStrong + kCm128)},
    {"best effort, 128", audio("RTP/AVP", kCm128)},
    {"savp", audio("RTP/SAVP", kCm128 + kCm256 + kStrong)},
    {"savp, 128", audio("RTP/SAVP", kCm128)},
    {"savp, mki", audio("RTP/SAVPF", kShort)},
    {"savp, unencrypted only", audio("RTP/SAVP", kNaked + kNoRtcp + kNoTag)},
    {"savp, several keys only", audio("RTP/SAVP", kTwoKeys)},
    {"best effort, unencrypted only", audio("RTP/AVP", kNaked)},
    {"savp beside avp", audio("RTP/SAVP", kCm256) + audio("RTP/AVP")},
    {"avp beside savp", audio("RTP/AVP") + audio("RTP/SAVP", kCm128)},
    {"sound protected, picture not",
     audio("RTP/AVP", kStrong) + "m=video 40002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"},
    {"picture weaker",
     audio("RTP/SAVP", kStrong) + "m=video 40002 RTP/SAVP 96\r\na=rtpmap:96 VP8/90000\r\n" + kCm128},
};

struct Case {
    const char* offer;
    Encryption policy;
    unsigned floor;     // bits
    const char* clear;  // the suite in the receipt; "none"; "-": refused
    const char* tls;
};
constexpr auto kMust = Encryption::required, kMay = Encryption::best_effort, kOff = Encryption::off;
constexpr const char *kGcm256 = "AEAD_AES_256_GCM", *kAes256 = "AES_256_CM_HMAC_SHA1_80",
                     *kAes128 = "AES_CM_128_HMAC_SHA1_80", *kAes32 = "AES_CM_128_HMAC_SHA1_32";
constexpr Case kCases[] = {
    {"plain", kMust, 0, "-", "-"},
    {"plain", kMay, 128, "none", "none"},
    {"plain", kOff, 0, "none", "none"},
    {"best effort", kMust, 128, "-", kGcm256},
    {"best effort", kMay, 128, kGcm256, kGcm256},
    {"best effort", kOff, 0, "none", "none"},
    {"best effort, 128", kMust, 128, "-", kAes128},
    {"best effort, 128", kMust, 256, "-", "-"},
    {"best effort, 128", kMay, 256, kAes128, kAes128},
    {"savp", kMust, 256, "-", kGcm256},
    {"savp", kMay, 128, kGcm256, kGcm256},
    {"savp", kOff, 0, kGcm256, kGcm256},
    {"savp, 128", kMust, 0, "-", kAes128},
    {"savp, 128", kMust, 256, "-", "-"},
    {"savp, 128", kOff, 0, kAes128, kAes128},
    {"savp, mki", kMust, 128, "-", kAes32},
    {"savp, mki", kMay, 128, kAes32, kAes32},
    {"savp, unencrypted only", kMust, 0, "-", "-"},
    {"savp, unencrypted only", kMay, 0, "-", "-"},
    {"savp, unencrypted only", kOff, 0, "-", "-"},
    {"savp, several keys only", kMay, 0, "-", "-"},
    {"best effort, unencrypted only", kMust, 0, "-", "-"},
    {"best effort, unencrypted only", kMay, 0, "none", "none"},
    {"savp beside avp", kMust, 128, "-", kAes256},
    {"savp beside avp", kMay, 128, kAes256, kAes256},
    {"savp beside avp", kOff, 0, "none", "none"},
    {"avp beside savp", kMay, 128, kAes128, kAes128},
    {"avp beside savp", kMust, 128, "-", kAes128},
    {"sound protected, picture not", kMay, 128, "none", "none"},
    {"sound protected, picture not", kMust, 128, "-", kGcm256},  // without the picture
    {"picture weaker", kMay, 128, kAes128, kAes128},
    {"picture weaker", kMust, 256, "-", kGcm256},
};

class CryptoReceiptTest : public TwoRooms {
protected:
    std::unique_ptr<Session> session(Encryption encryption, unsigned floor, bool tls) {
        sdp::Policy policy;
        policy.encryption = encryption;
        policy.min_key_bits = floor;
        policy.ice = false;
        auto made = std::make_unique<Session>(environment_, "leg", policy, "127.0.0.1");
        made->set_signalling(tls ? kTls : "none");
        return made;
    }
    static constexpr const char* kTls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
};

TEST_F(CryptoReceiptTest, SaysWhatWasNegotiated) {
    for (const Case& one : kCases) {
        for (const bool tls : {false, true}) {
            const std::string expected = tls ? one.tls : one.clear;
            const std::string label = std::string(one.offer) + (tls ? ", TLS, policy " : ", clear, policy ") +
                                      std::to_string(static_cast<int>(one.policy)) + ", floor " +
                                      std::to_string(one.floor);
            const auto leg = session(one.policy, one.floor, tls);
            const SdpResult answer =
                leg->answer("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
                            kOffers.at(one.offer));
            ASSERT_EQ(answer.ok(), expected != "-") << label;
            if (!answer.ok()) {
                EXPECT_EQ(answer.problem().kind, MediaProblem::Kind::encryption_required) << label;
                continue;
            }
            const vmr::CryptoReceipt receipt = leg->crypto_receipt();
            EXPECT_EQ(receipt.suite, expected) << label;
            EXPECT_EQ(receipt.key_exchange, expected == "none" ? "none" : "SDES") << label;
            const int bits = expected == "none" ? 0 : expected.find("256") != expected.npos ? 256 : 128;
            EXPECT_EQ(receipt.key_bits, bits) << label;
            EXPECT_EQ(receipt.signalling, tls ? kTls : "none") << label;
        }
    }
}

// Of calls that we place: what was offered is not what counts, but what the answer took.
TEST_F(CryptoReceiptTest, SaysWhatAnAnswerTook) {
    const auto place = [&](Encryption policy, bool tls, const std::string& answer) {
        const auto leg = session(policy, 128, tls);
        EXPECT_TRUE(leg->offer().ok());
        const SdpResult taken =
            leg->accept_answer("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
                               answer + "m=video 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 97\r\n");
        return taken.ok() ? leg->crypto_receipt().suite : "-";
    };
    const std::string by_tag = "a=crypto:1 AEAD_AES_256_GCM " + inline_key(44) + "\r\n";
    EXPECT_EQ(place(kMay, true, audio("RTP/AVP", by_tag)), kGcm256);
    EXPECT_EQ(place(kMay, false, audio("RTP/AVP", by_tag)), kGcm256);
    EXPECT_EQ(place(kMay, true, audio("RTP/AVP")), "none");
    EXPECT_EQ(place(kMust, true, audio("RTP/SAVP", by_tag)), kGcm256);
    EXPECT_EQ(place(kMust, true, audio("RTP/AVP")), "-");
    EXPECT_EQ(place(kMust, true, audio("RTP/SAVP")), "-");
    EXPECT_EQ(place(kMay, true, audio("RTP/SAVP")), "-");
    EXPECT_EQ(place(kOff, true, audio("RTP/AVP")), "none");
}

TEST_F(CryptoReceiptTest, OfDtlsIsThatOfTheHandshake) {
    auto near = session(kMust, 256, false), far = session(kMay, 128, false);
    attach(*near, *far);
    const SdpResult offer = near->offer();
    ASSERT_TRUE(offer.ok());
    const SdpResult answer = far->answer(offer.sdp());
    ASSERT_TRUE(answer.ok());
    ASSERT_TRUE(near->accept_answer(answer.sdp()).ok());
    EXPECT_TRUE(run_until([&] { return near->ready() && far->ready(); }));
    for (const auto* leg : {near.get(), far.get()}) {
        EXPECT_EQ(leg->crypto_receipt().key_exchange, "DTLS-SRTP");
        EXPECT_EQ(leg->crypto_receipt().suite, kGcm256);
        EXPECT_EQ(leg->crypto_receipt().key_bits, 256);
    }
    detach();
}

}  // namespace
}  // namespace vmr::media
