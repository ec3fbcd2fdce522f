// Our SRTP against GStreamer's srtpenc and srtpdec (libsrtp): each suite, both ways, RTP and RTCP.
#include "rtp_bench.hpp"
#include "srtp/srtp.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

constexpr std::size_t kPackets = 300;

srtp::Suite suite_of(const Suite& suite) {
    const auto same = [&suite](const Suite& each) { return std::string_view(each.name) == suite.name; };
    return static_cast<srtp::Suite>(std::find_if(std::begin(kSuites), std::end(kSuites), same) - kSuites + 1);
}

Octets protect(srtp::Sender& sender, Octets octets, bool rtcp) {
    std::size_t size = octets.size();
    octets.resize(size + srtp::kMaxTrailer);
    EXPECT_EQ(rtcp ? sender.protect_rtcp(octets, size) : sender.protect_rtp(octets, size), srtp::Outcome::ok);
    octets.resize(size);
    return octets;
}

CapsPtr secure_caps(const Suite& suite, const Octets& key, const char* name) {
    const BufferPtr buffer = buffer_with(key);
    return CapsPtr::adopt(gst_caps_new_simple(
        name, "ssrc", G_TYPE_UINT, 42u, "srtp-key", GST_TYPE_BUFFER, buffer.get(), "srtp-cipher",
        G_TYPE_STRING, suite.cipher, "srtp-auth", G_TYPE_STRING, suite.rtp_auth, "srtcp-cipher",
        G_TYPE_STRING, suite.cipher, "srtcp-auth", G_TYPE_STRING, suite.rtcp_auth, nullptr));
}

// Sequence numbers before and after a roll-over.
Octets packet(std::size_t i) {
    return rtp_octets(static_cast<unsigned>((65400 + i) & 0xffff));
}

}  // namespace

class SrtpInterop : public testing::TestWithParam<Suite> {};

TEST_P(SrtpInterop, SrtpdecUnderstandsUs) {
    const Suite* suite = &GetParam();
    const Octets key = key_for(*suite, 9);
    auto sender = srtp::Sender::make(suite_of(*suite), key);
    Bench bench("srtpdec");
    Outlet& rtp = bench.outlet("rtp_src");
    Outlet& rtcp = bench.outlet("rtcp_src");
    const GCharPtr rtp_caps(gst_caps_to_string(secure_caps(*suite, key, "application/x-srtp").get()));
    const GCharPtr rtcp_caps(gst_caps_to_string(secure_caps(*suite, key, "application/x-srtcp").get()));
    bench.play();
    bench.inlet("rtp_sink", rtp_caps.get());
    bench.inlet("rtcp_sink", rtcp_caps.get());
    for (std::size_t i = 0; i < kPackets; ++i) {
        bench.push("rtp_sink", buffer_with(protect(*sender, packet(i), false)));
        bench.push("rtcp_sink", buffer_with(protect(*sender, rtcp_octets(), true)));
    }
    ASSERT_EQ(rtp.count(), kPackets);
    ASSERT_EQ(rtcp.count(), kPackets);
    EXPECT_EQ(octets_of(rtp.take().back().get()), packet(kPackets - 1));
    EXPECT_EQ(octets_of(rtcp.take().back().get()), rtcp_octets());
}

TEST_P(SrtpInterop, WeUnderstandSrtpenc) {
    const Suite* suite = &GetParam();
    const Octets key = key_for(*suite, 9);
    auto receiver = srtp::Receiver::make(suite_of(*suite), key);
    Bench bench("srtpenc");
    for (const char* name : {"rtp-cipher", "rtcp-cipher"}) {
        gst_util_set_object_arg(G_OBJECT(bench.element()), name, suite->cipher);
    }
    gst_util_set_object_arg(G_OBJECT(bench.element()), "rtp-auth", suite->rtp_auth);
    gst_util_set_object_arg(G_OBJECT(bench.element()), "rtcp-auth", suite->rtcp_auth);
    const BufferPtr key_buffer = buffer_with(key);
    g_object_set(bench.element(), "key", key_buffer.get(), nullptr);
    const PadPtr rtp_sink = PadPtr::adopt(gst_element_request_pad_simple(bench.element(), "rtp_sink_0"));
    const PadPtr rtcp_sink = PadPtr::adopt(gst_element_request_pad_simple(bench.element(), "rtcp_sink_0"));
    Outlet& rtp = bench.outlet("rtp_src_0");
    Outlet& rtcp = bench.outlet("rtcp_src_0");
    bench.play();
    bench.inlet("rtp_sink_0", "application/x-rtp,ssrc=(uint)42");
    bench.inlet("rtcp_sink_0", "application/x-rtcp");
    for (std::size_t i = 0; i < kPackets; ++i) {
        bench.push("rtp_sink_0", buffer_with(packet(i)));
        bench.push("rtcp_sink_0", buffer_with(rtcp_octets()));
    }
    ASSERT_EQ(rtp.count(), kPackets);
    std::size_t i = 0;
    for (const BufferPtr& buffer : rtp.take()) {
        Octets octets = octets_of(buffer.get());
        std::size_t size = octets.size();
        ASSERT_EQ(receiver->unprotect_rtp(octets, size), srtp::Outcome::ok) << i;
        octets.resize(size);
        EXPECT_EQ(octets, packet(i++));
    }
    for (const BufferPtr& buffer : rtcp.take()) {
        Octets octets = octets_of(buffer.get());
        std::size_t size = octets.size();
        ASSERT_EQ(receiver->unprotect_rtcp(octets, size), srtp::Outcome::ok);
        octets.resize(size);
        EXPECT_EQ(octets, rtcp_octets());
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc, SrtpInterop, testing::ValuesIn(kSuites), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});
