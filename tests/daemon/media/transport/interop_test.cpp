// webrtcbin as the independent peer: it offers, we answer.
#include <gst/sdp/sdp.h>
#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>
#include <gtest/gtest.h>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

std::string attribute(const GstSDPMessage* sdp, guint media, const char* key) {
    const char* value = gst_sdp_media_get_attribute_val(gst_sdp_message_get_media(sdp, media), key);
    if (value == nullptr) {
        value = gst_sdp_message_get_attribute_val(sdp, key);
    }
    return value != nullptr ? value : "";
}

class WebrtcbinTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

    void SetUp() override {
        if (GstElement* probe = gst_element_factory_make("webrtcbin", nullptr)) {
            gst_object_unref(probe);
        } else {
            GTEST_SKIP() << "webrtcbin is not installed";
        }
        us = std::make_unique<Endpoint>(io, IceParams{}, certificate);
        if (!wait_until([&] { return us->transport->local().gathering_done; }) ||
            us->transport->local().candidates.empty()) {
            GTEST_SKIP() << "no address but loopback: webrtcbin uses none of those";
        }
        peer = gst_parse_launch(
            "webrtcbin name=w bundle-policy=max-bundle "
            "audiotestsrc is-live=true ! opusenc complexity=0 ! rtpopuspay pt=111 ! "
            "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,ssrc=(uint)77 ! w.sink_0 "
            "videotestsrc is-live=true ! video/x-raw,width=160,height=120 ! vp8enc deadline=1 ! "
            "rtpvp8pay pt=96 ! application/x-rtp,media=video,encoding-name=VP8,payload=96,ssrc=(uint)78 ! "
            "w.sink_1",
            nullptr);
        webrtcbin = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(peer), "w"));
        g_signal_connect(webrtcbin.get(), "pad-added", G_CALLBACK(on_pad_added), this);
        g_signal_connect(webrtcbin.get(), "on-ice-candidate", G_CALLBACK(on_candidate), this);
        gst_element_set_state(peer, GST_STATE_PLAYING);
    }

    void TearDown() override {
        us.reset();
        if (peer != nullptr) {
            gst_element_set_state(peer, GST_STATE_NULL);
            gst_object_unref(peer);
        }
    }

    static void on_pad_added(GstElement*, GstPad* pad, gpointer self) {
        auto* test = static_cast<WebrtcbinTest*>(self);
        GstElement* sink = gst_element_factory_make("fakesink", nullptr);
        g_object_set(sink, "sync", FALSE, "async", FALSE, "signal-handoffs", TRUE, nullptr);
        g_signal_connect(sink, "handoff", G_CALLBACK(on_handoff), self);
        gst_bin_add(GST_BIN(test->peer), sink);
        gst_element_sync_state_with_parent(sink);
        auto sink_pad = PadPtr::adopt(gst_element_get_static_pad(sink, "sink"));
        gst_pad_link(pad, sink_pad.get());
        test->peer_streams++;
    }
    static void on_handoff(GstElement*, GstBuffer*, GstPad*, gpointer self) {
        static_cast<WebrtcbinTest*>(self)->peer_buffers++;
    }
    static void on_candidate(GstElement*, guint, char* candidate, gpointer self) {
        auto* test = static_cast<WebrtcbinTest*>(self);
        post_to(nullptr, [test, text = std::string(candidate)] {
            EXPECT_TRUE(test->us->transport->add_remote_candidate(text));
        });
    }

    // Also sets it as webrtcbin's local description.
    std::string make_offer() {
        GstPromise* promise = gst_promise_new();
        g_signal_emit_by_name(webrtcbin.get(), "create-offer", nullptr, promise);
        gst_promise_wait(promise);
        GstWebRTCSessionDescription* offer = nullptr;
        gst_structure_get(gst_promise_get_reply(promise), "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION,
                          &offer, nullptr);
        gst_promise_unref(promise);
        g_signal_emit_by_name(webrtcbin.get(), "set-local-description", offer, nullptr);
        const GCharPtr text(gst_sdp_message_as_text(offer->sdp));
        gst_webrtc_session_description_free(offer);
        return text.get();
    }

    std::string make_answer(const GstSDPMessage* offer, const char* setup) {
        const LocalDescription local = us->transport->local();
        std::string sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " +
                          attribute(offer, 0, "mid") + " " + attribute(offer, 1, "mid") + "\r\n";
        for (guint i = 0; i < 2; i++) {
            sdp += i == 0 ? "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" : "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
            sdp += "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=sendrecv\r\na=mid:" + attribute(offer, i, "mid") +
                   "\r\na=ice-ufrag:" + local.ice_ufrag + "\r\na=ice-pwd:" + local.ice_password +
                   "\r\na=fingerprint:sha-256 " + certificate->fingerprint() + "\r\na=setup:" + setup +
                   "\r\na=ssrc:" + (i == 0 ? "1001" : "1002") + " cname:x\r\n";
            sdp += i == 0 ? "a=rtpmap:111 OPUS/48000/2\r\n"
                          : "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n";
            for (const std::string& candidate : local.candidates) {
                sdp += "a=" + candidate + "\r\n";
            }
        }
        return sdp;
    }

    void run_call(DtlsParams::Role role) {
        us->add(opus_media(0, 1001));
        us->add(vp8_media(1, 1002));
        us->play();
        GstSDPMessage* offer = nullptr;
        gst_sdp_message_new_from_text(make_offer().c_str(), &offer);
        const std::string fingerprint = attribute(offer, 0, "fingerprint");
        ASSERT_EQ(fingerprint.rfind("sha-256 ", 0), 0u);
        ASSERT_TRUE(us->transport->set_remote(
            IceRemote{attribute(offer, 0, "ice-ufrag"), attribute(offer, 0, "ice-pwd"), {}, false}));
        DtlsParams dtls{{{FingerprintHash::sha256, fingerprint.substr(8)}}};
        dtls.role = role;
        ASSERT_TRUE(us->transport->set_security(dtls));
        const std::string text = make_answer(offer, role == DtlsParams::Role::server ? "passive" : "active");
        gst_sdp_message_free(offer);
        GstSDPMessage* answer = nullptr;
        gst_sdp_message_new_from_text(text.c_str(), &answer);
        GstWebRTCSessionDescription* description =
            gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_ANSWER, answer);
        g_signal_emit_by_name(webrtcbin.get(), "set-remote-description", description, nullptr);
        gst_webrtc_session_description_free(description);

        EXPECT_TRUE(wait_until([&] {
            return us->received(0) > 10 && us->received(1) > 10 && peer_streams == 2 && peer_buffers > 40;
        })) << us->received(0)
            << " " << us->received(1) << " " << peer_streams << " " << us->reason;
        EXPECT_EQ(us->transport->crypto().suite, "AES_CM_128_HMAC_SHA1_80");  // all that webrtcbin has
        EXPECT_EQ(us->transport->crypto().key_bits, 128u);
    }

    std::shared_ptr<MediaIo> io = std::make_shared<MediaIo>();
    std::shared_ptr<DtlsCertificate> certificate = *DtlsCertificate::generate();
    std::unique_ptr<Endpoint> us;
    GstElement* peer = nullptr;
    ElementPtr webrtcbin;
    std::atomic<int> peer_streams = 0;
    std::atomic<uint64_t> peer_buffers = 0;
};

TEST_F(WebrtcbinTest, CallsUsWhenWeAreTheDtlsServer) {
    run_call(DtlsParams::Role::server);
}
TEST_F(WebrtcbinTest, CallsUsWhenWeAreTheDtlsClient) {
    run_call(DtlsParams::Role::client);
}

}  // namespace
}  // namespace vmr::media::test
