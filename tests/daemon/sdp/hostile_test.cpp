// Hostile descriptions: refused or harmless, in bounded time; a seeded mutation run over all samples.
#include <chrono>
#include <filesystem>
#include <random>

#include "support.hpp"
#include "tests/fuzz/sdp/exercise.hpp"

namespace vmr::sdp::test {
namespace {

const std::string kHead = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
const std::string kAudio = "m=audio 4000 RTP/AVP 0\r\n";

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

TEST(Hostile, IsRefused) {
    const std::pair<const char*, std::string> texts[] = {
        {"empty", ""},
        {"1 MB", kHead + std::string(1 << 20, 'a')},
        {"10,000 lines", kHead + repeated("i=\r\n", 10000)},
        {"10,000 attributes", kHead + kAudio + repeated("a=x\r\n", 10000)},
        {"10,000 bandwidths", kHead + kAudio + repeated("b=x\r\n", 10000)},
        {"a long line", kHead + kAudio + "a=" + std::string(9000, 'x') + "\r\n"},
        {"17 m-lines", kHead + repeated(kAudio, 17)},
        {"97 formats", kHead + "m=audio 4000 X" + repeated(" 1", 97) + "\r\n"},
        {"NUL", kHead + kAudio + std::string("a=mid:\0x\r\n", 10)},
        {"CR inside", kHead + kAudio + "a=mid:x\ra=inactive\r\n"},
        {"no v=", kHead.substr(5) + kAudio},
        {"two v=", kHead + "v=0\r\n" + kAudio},
        {"no o=", "v=0\r\ns=-\r\nt=0 0\r\n"},
        {"no equals", kHead + "garbage\r\n"},
        {"negative port", kHead + "m=audio -1 RTP/AVP 0\r\n"},
        {"large port", kHead + "m=audio 65536 RTP/AVP 0\r\n"},
        {"overflowing port", kHead + "m=audio 18446744073709555617 RTP/AVP 0\r\n"},
        {"pt 128", kHead + "m=audio 4000 RTP/AVP 128\r\n"},
        {"pt text", kHead + "m=audio 4000 RTP/AVP 0x10\r\n"},
        {"no formats", kHead + "m=audio 4000 RTP/AVP\r\n"},
        {"empty m=", kHead + "m=\r\n"},
        {"duplicate mids", kHead + kAudio + "a=mid:1\r\n" + kAudio + "a=mid:1\r\n"},
        {"mid with a space", kHead + kAudio + "a=mid:1 2\r\n"},
        {"no c=", "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n" + kAudio},
        {"name in c=", kHead + kAudio + "c=IN IP4 internal.example.com\r\n"},
        {"multicast", kHead + kAudio + "c=IN IP4 224.2.1.1/127\r\n"},
        {"broadcast", kHead + kAudio + "c=IN IP4 255.255.255.255\r\n"},
        {"IPv6 multicast", kHead + kAudio + "c=IN IP6 FF02::1\r\n"},
        {"IPv6 as IPv4", kHead + kAudio + "c=IN IP4 ::1\r\n"},
        {"clock rate 0", kHead + "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/0/2\r\n"},
        {"negative clock rate", kHead + "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/-48000/2\r\n"},
        {"short ufrag", kHead + kAudio + "a=ice-ufrag:a\r\n"},
        {"setup", kHead + kAudio + "a=setup:both\r\n"},
        {"rtcp port", kHead + kAudio + "a=rtcp:99999\r\n"},
    };
    for (const auto& [name, text] : texts) {
        EXPECT_FALSE(parse(text).ok()) << name;
    }
}

TEST(Hostile, IsHarmless) {
    for (const std::string attribute : {"a=",
                                        "a=:",
                                        "a=:x",
                                        "a=rtpmap",
                                        "a=rtpmap:",
                                        "a=rtpmap:999 x/1",
                                        "a=fmtp:0",
                                        "a=fmtp:0 ;;;=;=",
                                        "a=rtcp-fb:",
                                        "a=rtcp-fb:0",
                                        "a=extmap:0 x",
                                        "a=extmap:99999999999 x",
                                        "a=ssrc:-5 cname:x",
                                        "a=ssrc",
                                        "a=ssrc-group:",
                                        "a=ssrc-group:FID 1 2 x",
                                        "a=candidate:",
                                        "a=fingerprint:",
                                        "a=fingerprint:sha-256 ZZ:YY",
                                        "a=group:BUNDLE",
                                        "b=",
                                        "b=AS:-1",
                                        "b=TIAS:99999999999999999999",
                                        "k=clear:x",
                                        "a=ptime:-20",
                                        "a=content:,,,"}) {
        const auto session = parse(kHead + kAudio + attribute + "\r\n");
        ASSERT_TRUE(session.ok()) << attribute;
        EXPECT_TRUE(answer(*session, sip_policy()).ok()) << attribute;
    }
}

TEST(Hostile, ListsAreBounded) {
    std::string text = kHead + kAudio;
    for (int i = 0; i < 120; ++i) {
        const auto n = std::to_string(i);
        text += "a=candidate:" + n + " 1 udp 1 192.0.2.1 4000 typ host\r\na=ssrc:" + n +
                " cname:x\r\na=crypto:" + n + " AES_CM_128_HMAC_SHA1_80 inline:" + std::string(40, 'A') +
                "\r\n";
    }
    const auto session = parsed(text);
    EXPECT_EQ(session.media.at(0).ice.candidates.size(), kMaxCandidates);
    EXPECT_EQ(session.media[0].ssrcs.size(), kMaxSsrcs);
    EXPECT_EQ(session.media[0].cryptos.size(), kMaxCryptos);
}

TEST(Hostile, ErrorsDoNotRepeatKeys) {
    const auto outcome = parse(kHead + kAudio + "acrypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRETSECRET\r\n");
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().find("SECRET"), std::string::npos);
}

TEST(Hostile, NothingIsInjectedIntoTheAnswer) {
    const auto offer = kHead + kAudio + "a=mid:x\na=label:y\r\n";  // bare LF ends a line, as everywhere
    const auto text = write_answer(answered(offer, sip_policy()), local_for(1));
    EXPECT_EQ(count(text, "\n"), count(text, "\r\n"));
    EXPECT_NE(text.find("a=mid:x\r\n"), text.npos);
}

std::string mutated(std::string text, const std::string& other, std::mt19937& random) {
    static const std::string pieces[] = {"\r\n",
                                         ":",
                                         " ",
                                         "-1",
                                         "4294967296",
                                         "m=audio 1 RTP/AVP 0\r\n",
                                         "a=mid:0\r\n",
                                         "|2^31",
                                         "0",
                                         "a=bundle-only\r\n",
                                         "a=group:BUNDLE 0 0 1\r\n",
                                         "/",
                                         "=",
                                         ";"};
    const auto at = [&](const std::string& s) { return s.empty() ? 0 : random() % s.size(); };
    for (unsigned n = 1 + random() % 6; n > 0; --n) {
        switch (random() % 6) {
            case 0:
                text.insert(at(text), pieces[random() % std::size(pieces)]);
                break;
            case 1:
                text.erase(at(text), random() % 40);
                break;
            case 2:
                text.insert(at(text), other.substr(at(other), random() % 200));
                break;
            case 3:
                text.resize(at(text));
                break;
            default:
                if (!text.empty()) {
                    text[at(text)] = static_cast<char>(random() % 256);
                }
        }
    }
    return text;
}

TEST(Hostile, MutatedSamplesNeverBreakAnInvariant) {
    std::vector<std::string> samples;
    const std::string folder = std::string(std::getenv("VMR_SOURCE_ROOT")) + "/tests/daemon/sdp/samples";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        samples.push_back(sample(entry.path().stem()));
    }
    ASSERT_GE(samples.size(), 10U);
    std::sort(samples.begin(), samples.end());
    // More rounds by hand: VMR_MUTATIONS=500000 VMR_SEED=2 sdp-hostile-test.
    const auto setting = [](const char* name, unsigned fallback) {
        const char* value = std::getenv(name);
        return value == nullptr ? fallback : static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    };
    const unsigned rounds = setting("VMR_MUTATIONS", 6000);
    std::mt19937 random(setting("VMR_SEED", 20240607));
    std::size_t answered_count = 0;
    for (unsigned i = 0; i < rounds; ++i) {
        const auto& base = samples[random() % samples.size()];
        answered_count += fuzz::exercise(mutated(base, samples[random() % samples.size()], random)) ? 1 : 0;
    }
    EXPECT_GT(answered_count, rounds / 12) << "the mutations reach beyond the parser";
}

}  // namespace
}  // namespace vmr::sdp::test
