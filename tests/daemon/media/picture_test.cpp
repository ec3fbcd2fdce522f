// What is sent fits what the peer's decoder takes: size, rate, bits, profile, packets. By the leg's own
// encoder at the closed gate, and by the mixer's in the room.
#include <gst/video/video.h>

#include <atomic>
#include <mutex>
#include <set>

#include "base/guard.hpp"
#include "daemon/media/session_map.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

TEST(LargestPicture, FitsFrameSizeRateAndSides) {
    const auto size = [](std::uint32_t frame, std::uint32_t rate, std::uint32_t framerate = 0) {
        return *largest_picture({.frame_size = frame, .macroblock_rate = rate, .framerate = framerate});
    };
    EXPECT_FALSE(largest_picture({}));
    EXPECT_EQ(size(8192, 245760), (PictureSize{1920, 1080, 30}));
    EXPECT_EQ(size(3600, 108000), (PictureSize{1280, 720, 30}));  // level 3.1
    EXPECT_EQ(size(1620, 40500), (PictureSize{768, 432, 31}));    // level 3
    EXPECT_EQ(size(396, 11880), (PictureSize{320, 180, 49}));     // level 1.3
    EXPECT_EQ(size(99, 1485), (PictureSize{176, 98, 19}));        // level 1
    EXPECT_EQ(size(8192, 40500), (PictureSize{960, 540, 19}));    // more pixels than it can decode smoothly
    EXPECT_EQ(size(3600, 0, 10), (PictureSize{1280, 720, 10}));   // VP8's max-fr
    EXPECT_EQ(size(10, 10), (PictureSize{176, 98, 1}));
}

// RFC 6184 section 8.1: some peers tell them in SDP alone.
TEST(ParameterSets, OfH264ReachTheDepayloaderWhenTheyAreThat) {
    const auto told = [](sdp::Codec name, const std::string& sets) -> std::string {
        sdp::MediaPlan plan;
        plan.kind = sdp::MediaKind::video;
        sdp::CodecPlan codec;
        codec.codec = name;
        codec.send_pt = codec.receive_pt = 97;
        codec.clock_rate = 90000;
        codec.remote_fmtp = {{"sprop-parameter-sets", sets}};
        plan.codecs = {codec};
        const MediaParams params = media_params(plan, 1, 0);
        EXPECT_EQ(gst_structure_has_field(gst_caps_get_structure(params.send_caps.get(), 0),
                                          "sprop-parameter-sets"),
                  FALSE);
        const char* text = gst_structure_get_string(
            gst_caps_get_structure(params.receive_caps.at(97).get(), 0), "sprop-parameter-sets");
        return text == nullptr ? "" : text;
    };
    const std::string sets = "Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==";
    EXPECT_EQ(told(sdp::Codec::h264, sets), sets);
    EXPECT_EQ(told(sdp::Codec::vp8, sets), "");
    EXPECT_EQ(told(sdp::Codec::h264, "Z0LAHtkD,;--"), "");
    EXPECT_EQ(told(sdp::Codec::h264, "Z0LAHtkD,,aMuMsg=="), "");
    EXPECT_EQ(told(sdp::Codec::h264, std::string(4000, 'A')), "");
}

// What came at the near leg.
struct Seen {
    std::mutex mutex;
    int width = 0, height = 0;
    std::set<int> nal_types;  // of RTP payloads
    std::size_t largest = 0;  // payload, bytes
    int profile = 0;
    unsigned packets = 0;
};

GstPadProbeReturn on_packet(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* seen = static_cast<Seen*>(data);
    guard(nullptr, [&] {
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        std::vector<guint8> bytes(gst_buffer_get_size(buffer));
        gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
        const std::size_t header = 12 + 4U * (bytes.at(0) & 15U);
        const bool extended = (bytes[0] & 16U) != 0;
        const std::size_t at = header + (extended ? 4 + 4U * bytes.at(header + 3) : 0);
        const std::lock_guard lock(seen->mutex);
        const int type = bytes.at(at) & 31;
        seen->nal_types.insert(type);
        const auto take = [&](std::size_t unit) {
            if ((bytes.at(unit) & 31) == 7) {  // a sequence parameter set: its second byte is profile_idc
                seen->profile = bytes.at(unit + 1);
            }
        };
        if (type != 24) {
            take(at);
        } else {  // STAP-A: each with its size before it
            for (std::size_t unit = at + 1; unit + 2 < bytes.size();
                 unit += 2 + bytes[unit] * 256U + bytes[unit + 1]) {
                take(unit + 2);
            }
        }
        seen->largest = std::max(seen->largest, bytes.size() - at);
        ++seen->packets;
    });
    return GST_PAD_PROBE_OK;
}

void take_size(Seen& seen, const GstCaps* caps) {
    const std::lock_guard lock(seen.mutex);
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &seen.width);
    gst_structure_get_int(gst_caps_get_structure(caps, 0), "height", &seen.height);
}

GstPadProbeReturn on_caps(GstPad*, GstPadProbeInfo* info, gpointer data) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        take_size(*static_cast<Seen*>(data), caps);
    }
    return GST_PAD_PROBE_OK;
}

class PictureTest : public TwoRooms {
protected:
    std::unique_ptr<Session> session(const char* name) {
        sdp::Policy policy;
        policy.ice = policy.content = false;
        policy.video_codecs = {sdp::Codec::h264};
        return std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
    }
    // The far side hears of a near side that offers no picture but this one.
    void call(const std::string& pt, const std::string& fmtp, const std::string& bandwidth = "") {
        near_ = session("near-leg");
        far_ = session("far-leg");
        attach(*near_, *far_);
        near_->set_on_changed([this] {
            near_room_->refresh("near-leg");
            watch();
        });
        negotiate(pt, fmtp, bandwidth);
    }
    void negotiate(const std::string& pt, const std::string& fmtp, const std::string& bandwidth = "") {
        std::string offer = near_->offer().sdp();
        const auto at = offer.find("m=video");
        const auto formats = offer.find(' ', offer.find("RTP/", at));
        ASSERT_NE(formats, offer.npos);
        offer.replace(formats, offer.find("\r\n", at) - formats,
                      " " + pt + (bandwidth.empty() ? "" : "\r\n" + bandwidth));
        const auto begin = offer.find("a=fmtp:" + pt + " ", at);
        offer.replace(begin, offer.find("\r\n", begin) - begin, "a=fmtp:" + pt + " " + fmtp);
        const SdpResult answer = far_->answer(offer);
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        ASSERT_TRUE(near_->accept_answer(answer.sdp()).ok());
    }
    void watch() {
        const ElementPtr depay = depayloader();
        if (watched_ || !depay) {
            return;
        }
        watched_ = true;
        const PadPtr in = PadPtr::adopt(gst_element_get_static_pad(depay.get(), "sink"));
        gst_pad_add_probe(in.get(), GST_PAD_PROBE_TYPE_BUFFER, on_packet, &seen_, nullptr);
        const ElementPtr chain =
            ElementPtr::adopt(GST_ELEMENT(gst_object_get_parent(GST_OBJECT(depay.get()))));
        const PadPtr out = PadPtr::adopt(gst_element_get_static_pad(chain.get(), "src"));
        gst_pad_add_probe(out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_caps, &seen_, nullptr);
        // On a busy machine a picture has come by now.
        if (const auto caps = CapsPtr::adopt(gst_pad_get_current_caps(out.get()))) {
            take_size(seen_, caps.get());
        }
    }
    ElementPtr depayloader() const { return element(*near_, "rtph264depay"); }
    static ElementPtr element(Session& session, const char* factory) {
        GstIterator* all =
            gst_bin_iterate_all_by_element_factory_name(GST_BIN(session.bin().element()), factory);
        GValue item = G_VALUE_INIT;
        ElementPtr found;
        if (gst_iterator_next(all, &item) == GST_ITERATOR_OK) {
            found = ElementPtr::ref(GST_ELEMENT(g_value_get_object(&item)));
            g_value_unset(&item);
        }
        gst_iterator_free(all);
        return found;
    }
    // Both ways of a picture, one after the other.
    void expect_each(const std::function<void(const Seen&)>& check) {
        const auto came = [&] {
            {
                const std::lock_guard lock(seen_.mutex);
                seen_.packets = 0;
                seen_.nal_types.clear();
            }
            return run_until([&] {
                const std::lock_guard lock(seen_.mutex);
                return seen_.packets > 10 && seen_.width > 0;  // a still picture is sent twice a second
            });
        };
        EXPECT_TRUE(came());
        {
            const std::lock_guard lock(seen_.mutex);
            check(seen_);
            seen_.width = 0;
            seen_.packets = 0;
        }
        g_signal_emit_by_name(far_->bin().ivr(), "accept");
        far_room_->admit("far-leg");
        EXPECT_TRUE(far_->bin().shared(Slot::video));
        EXPECT_TRUE(run_until([&] {
            const std::lock_guard lock(seen_.mutex);
            return seen_.packets > 10;
        }));
        const std::lock_guard lock(seen_.mutex);
        check(seen_);
    }

    Seen seen_;
    bool watched_ = false;
    std::unique_ptr<Session> near_, far_;
};

TEST_F(PictureTest, OfALowLevelInSingleNalUnits) {
    ASSERT_NO_FATAL_FAILURE(call("102", "profile-level-id=42800d;packetization-mode=0"));
    expect_each([](const Seen& seen) {
        if (seen.width != 0) {
            EXPECT_EQ(seen.width, 320);
            EXPECT_EQ(seen.height, 180);
        }
        EXPECT_EQ(seen.profile, 0x42);
        EXPECT_FALSE(seen.nal_types.contains(24)) << "STAP-A";
        EXPECT_FALSE(seen.nal_types.contains(28)) << "FU-A";
        EXPECT_LE(seen.largest, 1136U);
    });
    EXPECT_EQ(far_->bin().max_bitrate(Slot::video), 768'000U);
    detach();
}

struct Numbers {
    guint sequence = 0, first = 0, timestamp_offset = 0;
};

Numbers numbers_of(GstElement* payloader) {
    GstStructure* stats = nullptr;
    g_object_get(payloader, "stats", &stats, nullptr);
    Numbers numbers;
    gst_structure_get(stats, "seqnum", G_TYPE_UINT, &numbers.sequence, "seqnum-offset", G_TYPE_UINT,
                      &numbers.first, "timestamp-offset", G_TYPE_UINT, &numbers.timestamp_offset, nullptr);
    gst_structure_free(stats);
    return numbers;
}

// SRTP sends no number twice: one stream, whichever payloader makes it.
TEST_F(PictureTest, ARenegotiatedStreamGoesOnWithItsNumbers) {
    ASSERT_NO_FATAL_FAILURE(call("102", "profile-level-id=42800d;packetization-mode=0"));
    const auto came = [&](unsigned packets) {
        return run_until([&] {
            const std::lock_guard lock(seen_.mutex);
            return seen_.packets > packets;
        });
    };
    EXPECT_TRUE(came(10));
    const ElementPtr before = element(*far_, "rtph264pay");
    ASSERT_NO_FATAL_FAILURE(negotiate("102", "profile-level-id=42801f;packetization-mode=0"));
    const ElementPtr after = element(*far_, "rtph264pay");
    ASSERT_NE(before.get(), after.get());
    const Numbers last = numbers_of(before.get());
    EXPECT_TRUE(run_until([&] { return numbers_of(after.get()).sequence != last.sequence; }));
    EXPECT_EQ(numbers_of(after.get()).first, (last.sequence + 1) & 0xFFFFU);
    EXPECT_EQ(numbers_of(after.get()).timestamp_offset, last.timestamp_offset);
    unsigned so_far = 0;
    {
        const std::lock_guard lock(seen_.mutex);
        so_far = seen_.packets;
    }
    EXPECT_TRUE(came(so_far + 5));
    for (const auto& one : near_->stats()) {
        EXPECT_LT(one.rtp.lost_packets, 1) << to_string(one.slot);
    }
    detach();
}

TEST_F(PictureTest, OfHighWhereItWasAgreedOn) {
    ASSERT_NO_FATAL_FAILURE(call("103", "profile-level-id=640028;packetization-mode=1", "b=TIAS:500000"));
    expect_each([](const Seen& seen) { EXPECT_EQ(seen.profile, 0x64); });
    EXPECT_EQ(far_->bin().max_bitrate(Slot::video), 500'000U);
    detach();
}

}  // namespace
}  // namespace vmr::media
