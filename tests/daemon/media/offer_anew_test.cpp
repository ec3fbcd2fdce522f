// A peer asks for an offer within the call, and another device answers it (RFC 3261 section 14.2, RFC 3725):
// what it takes of the offer holds from then on, and nobody else in the room hears of it.
#include <gtest/gtest.h>

#include <atomic>

#include "two_rooms.hpp"

namespace vmr::media {
namespace {

// What `leg` is sent of the room's sound, next to what the room's mixer made: a packet a tick, but for those
// that it counts as dropped where its threads came late.
class Listening {
public:
    explicit Listening(LegBin& leg) : pad_(PadPtr::ref(leg.from_room(Slot::audio))) {
        GstIterator* mixers = gst_bin_iterate_all_by_element_factory_name(
            GST_BIN(GST_OBJECT_PARENT(leg.element())), "vmr-mixer");
        GValue value = G_VALUE_INIT;
        EXPECT_EQ(gst_iterator_next(mixers, &value), GST_ITERATOR_OK);
        mixer_ = ElementPtr::ref(GST_ELEMENT(g_value_get_object(&value)));
        g_value_unset(&value);
        gst_iterator_free(mixers);
        g_object_set(mixer_.get(), "dtx", FALSE, nullptr);  // a pause is no gap
        probe_ = gst_pad_add_probe(pad_.get(), GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
    }
    ~Listening() { gst_pad_remove_probe(pad_.get(), probe_); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    unsigned count() const { return count_; }
    // Ticks that brought nothing: grows with a gap. Those on their way count, too.
    std::int64_t behind() const {
        const std::int64_t count = count_;
        GstStructure* stats = nullptr;
        g_object_get(mixer_.get(), "stats", &stats, nullptr);
        const StructurePtr owned(stats);
        guint64 ticks = 0, dropped = 0;
        gst_structure_get(stats, "audio-ticks", G_TYPE_UINT64, &ticks, "audio-dropped", G_TYPE_UINT64,
                          &dropped, nullptr);
        return static_cast<std::int64_t>(ticks - dropped) - count;
    }

private:
    static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo*, gpointer self) {
        ++static_cast<Listening*>(self)->count_;
        return GST_PAD_PROBE_OK;
    }
    PadPtr pad_;
    ElementPtr mixer_;
    gulong probe_;
    std::atomic<unsigned> count_ = 0;
};

class OffersAnew : public TwoRooms, public testing::WithParamInterface<bool> {
protected:
    std::unique_ptr<Session> session(const char* name, sdp::Codec sound, sdp::Codec picture,
                                     sdp::CryptoSuite suite) {
        sdp::Policy policy;
        policy.ice = false;
        policy.encryption = GetParam() ? sdp::Encryption::required : sdp::Encryption::off;
        if (sound != sdp::Codec::none) {
            policy.audio_codecs = {sound};
            policy.video_codecs = {picture};
            policy.sdes_suites = {suite};
        }
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling("TLSv1.3 TLS_AES_256_GCM_SHA384");
        return made;
    }
    std::unique_ptr<Session> bridge(const char* name) {
        return session(name, sdp::Codec::none, sdp::Codec::none, sdp::CryptoSuite::none);
    }
    std::unique_ptr<Session> first_phone(const char* name) {
        return session(name, sdp::Codec::opus, sdp::Codec::vp8, sdp::CryptoSuite::aes_cm_128_hmac_sha1_80);
    }
    static void enter(RoomPipeline& room, Session& session, const std::string& name) {
        room.attach(name, session.bin(), name);
        session.set_on_changed([&room, name] { room.refresh(name); });
        g_signal_emit_by_name(session.bin().ivr(), "accept");
        room.admit(name);
    }
    static void connect(Session& caller, Session& bridge) {
        const SdpResult answer = bridge.answer(caller.offer().sdp());
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        ASSERT_TRUE(caller.accept_answer(answer.sdp()).ok());
    }
    static std::uint64_t received(const Session& session, Slot slot) {
        for (const auto& one : session.stats()) {
            if (one.slot == slot) {
                return one.rtp.received_packets;
            }
        }
        return 0;
    }
    static testing::AssertionResult flows(const Session& one, const Session& other, Slot slot) {
        const auto before = received(one, slot), before_other = received(other, slot);
        if (run_until([&] {
                return received(one, slot) > before + 5 && received(other, slot) > before_other + 5;
            })) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << to_string(slot) << ' ' << received(one, slot) - before << ' '
                                           << received(other, slot) - before_other;
    }
};

TEST_P(OffersAnew, AnotherPhoneGoesOnWithItsOwnCodecsAndKeys) {
    auto far = bridge("far-leg"), other = bridge("other-leg");
    auto first = first_phone("first-leg"), listener = first_phone("listener-leg");
    enter(*far_room_, *far, "far-leg");
    enter(*far_room_, *other, "other-leg");
    enter(*near_room_, *first, "first-leg");
    enter(*near_room_, *listener, "listener-leg");
    ASSERT_NO_FATAL_FAILURE(connect(*first, *far));
    ASSERT_NO_FATAL_FAILURE(connect(*listener, *other));
    EXPECT_TRUE(flows(*first, *far, Slot::audio));
    EXPECT_TRUE(flows(*first, *far, Slot::video));
    EXPECT_TRUE(flows(*listener, *other, Slot::audio));
    ASSERT_NE(other->bin().from_room(Slot::audio), nullptr);
    const Listening listening(other->bin());
    std::int64_t behind = listening.behind();
    EXPECT_TRUE(run_until([&] {
        behind = std::min(behind, listening.behind());
        return listening.count() > 10;
    }));

    auto second =
        session("second-leg", sdp::Codec::pcma, sdp::Codec::h264, sdp::CryptoSuite::aead_aes_256_gcm);
    enter(*near_room_, *second, "second-leg");
    const SdpResult offer = far->offer_anew();
    ASSERT_TRUE(offer.ok()) << offer.problem().text;
    near_room_->detach("first-leg");
    const SdpResult answer = second->answer(offer.sdp());
    ASSERT_TRUE(answer.ok()) << answer.problem().text << offer.sdp();
    const SdpResult taken = far->accept_answer(answer.sdp());
    ASSERT_TRUE(taken.ok()) << taken.problem().text;
    EXPECT_TRUE(flows(*second, *far, Slot::audio));
    EXPECT_TRUE(flows(*second, *far, Slot::video));
    EXPECT_TRUE(run_until([&] {
        const SlotTaps sound = far->bin().taps(Slot::audio), picture = far->bin().taps(Slot::video);
        return sound.receive_codec == "pcma" && sound.send_codec == "pcma" &&
               picture.receive_codec == "h264" && picture.send_codec == "h264";
    })) << far->bin().taps(Slot::audio).receive_codec
        << ' ' << far->bin().taps(Slot::video).receive_codec;
    EXPECT_EQ(far->crypto_receipt().suite, GetParam() ? "AEAD_AES_256_GCM" : "none");
    const unsigned count = listening.count();
    EXPECT_TRUE(run_until([&] { return listening.count() > count + 10; }));
    // What is counted is read up to a tick apart.
    EXPECT_TRUE(run_until([&] { return listening.behind() <= behind + 1; }, std::chrono::seconds(10)))
        << "the others hear a gap: " << listening.behind() - behind;

    // Ours changes nothing: it offers what there is.
    const std::string own = far->offer().sdp();
    EXPECT_NE(own.find(" 8 "), std::string::npos) << own;
    EXPECT_EQ(own.find("opus"), std::string::npos) << own;
    far->discard_offer();
    far_room_->detach("far-leg");
    far_room_->detach("other-leg");
    near_room_->detach("second-leg");
    near_room_->detach("listener-leg");
}

// Hold by an answer without a picture, and back.
TEST_P(OffersAnew, ThePictureComesBackInItsPlace) {
    auto far = bridge("far-leg"), near = first_phone("near-leg");
    enter(*far_room_, *far, "far-leg");
    enter(*near_room_, *near, "near-leg");
    ASSERT_NO_FATAL_FAILURE(connect(*near, *far));
    EXPECT_TRUE(flows(*near, *far, Slot::video));
    for (int i = 0; i < 2; ++i) {
        const std::string offer = far->offer_anew().sdp();
        std::string held = near->answer(offer).sdp();
        for (std::size_t at = 0; (at = held.find("\r\nm=video ", at)) != std::string::npos;) {
            at += 10;
            held.replace(at, held.find(' ', at) - at, "0");
        }
        const SdpResult taken = far->accept_answer(held);
        ASSERT_TRUE(taken.ok()) << taken.problem().text << held;
        EXPECT_TRUE(flows(*near, *far, Slot::audio));
        EXPECT_NE(far->offer().sdp().find("m=video 0 "), std::string::npos);
        far->discard_offer();

        const std::string resume = far->offer_anew().sdp();
        EXPECT_EQ(resume.find("m=video 0 "), std::string::npos) << resume;
        const SdpResult answer = near->answer(resume);
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        const SdpResult back = far->accept_answer(answer.sdp());
        ASSERT_TRUE(back.ok()) << back.problem().text;
        EXPECT_TRUE(flows(*near, *far, Slot::audio));
        EXPECT_TRUE(flows(*near, *far, Slot::video));
    }
    detach();
}

INSTANTIATE_TEST_SUITE_P(Keys, OffersAnew, testing::Bool(),
                         [](const auto& info) { return info.param ? "Sdes" : "Plain"; });

}  // namespace
}  // namespace vmr::media
