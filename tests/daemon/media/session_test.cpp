// Two media sessions talk to each other through two rooms, over real sockets: what was offered and answered
// becomes media with the promised encryption.
#include <gtest/gtest.h>

#include <atomic>

#include "floor_client.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

double field(const GstStructure* structure, const char* name) {
    guint64 count = 0;
    return structure != nullptr && gst_structure_get_uint64(structure, name, &count) != FALSE
               ? static_cast<double>(count)
               : 0;
}

ElementPtr room_of(Session& session) {
    return ElementPtr::adopt(GST_ELEMENT(gst_object_get_parent(GST_OBJECT(session.bin().element()))));
}

// Somebody who only looks, in the leg's room.
void add_viewer(Session& session) {
    const ElementPtr room = room_of(session);
    GstElement* viewer = gst_parse_bin_from_description(
        "capsfilter caps=video/x-raw,width=640,height=360 ! fakesink async=false", TRUE, nullptr);
    gst_bin_add(GST_BIN(room.get()), viewer);
    gst_element_sync_state_with_parent(viewer);
    EXPECT_TRUE(gst_element_link_pads(named(room.get(), "mixer").get(), "video_src_99", viewer, "sink"));
}

guint64 mixer_stat(Session& session, const char* name) {
    const ElementPtr mixer = named(room_of(session).get(), "mixer");
    GstStructure* stats = nullptr;
    g_object_get(mixer.get(), "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 count = 0;
    gst_structure_get_uint64(stats, name, &count);
    return count;
}

class SessionTest : public TwoRooms {
protected:
    std::unique_ptr<Session> session(const char* name, sdp::Encryption encryption, bool tls) {
        sdp::Policy policy;
        policy.encryption = encryption;
        policy.ice = false;
        auto made = std::make_unique<Session>(environment_, name, policy, "127.0.0.1");
        made->set_signalling(tls ? "TLSv1.3 TLS_AES_256_GCM_SHA384" : "none");
        return made;
    }
    // One call, all of it accepted.
    static void negotiate(Session& near, Session& far) {
        const SdpResult offer = near.offer();
        ASSERT_TRUE(offer.ok()) << offer.problem().text;
        const SdpResult answer = far.answer(offer.sdp());
        ASSERT_TRUE(answer.ok()) << answer.problem().text;
        ASSERT_TRUE(near.accept_answer(answer.sdp()).ok());
    }
};

// As where the room turns out to be full.
TEST_F(SessionTest, MayGoAsSoonAsItIsReady) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    const auto go = [](std::unique_ptr<Session>& going, RoomPipeline& room, const char* leg) {
        going->set_on_changed(nullptr);
        going->set_on_ready(nullptr);
        room.detach(leg);
        going.reset();
    };
    near->set_on_ready([&] { go(near, *near_room_, "near-leg"); });
    far->set_on_ready([&] { go(far, *far_room_, "far-leg"); });
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    EXPECT_TRUE(run_until([&] { return !near && !far; }));
}

TEST_F(SessionTest, AudioAndVideoFlowWithTheStrongestKeys) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    EXPECT_TRUE(run_until([&] {
        const auto counts = far->stats();
        unsigned flowing = 0;
        for (const auto& one : counts) {
            flowing += one.rtp.received_packets > 5 && one.slot != Slot::content ? 1 : 0;
        }
        return flowing == 2;
    }));
    EXPECT_EQ(far->crypto_receipt().suite, "AEAD_AES_256_GCM");
    EXPECT_EQ(near->crypto_receipt().key_exchange, "SDES");
    EXPECT_TRUE(near->ready());
    detach();
}

// In the room a leg has no encoder of its own; a prompt gives it one for audio as long as it lasts; at a
// closed gate it has its own again, and nothing of the room's is linked to it. The stream goes on through all
// of that.
TEST_F(SessionTest, WhoIsInTheRoomSharesTheEncoders) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    const auto received = [&](Slot slot) {
        for (const auto& one : far->stats()) {
            if (one.slot == slot) {
                return one.rtp.received_packets;
            }
        }
        return uint64_t{0};
    };
    const auto flows_on = [&](Slot slot) {
        const auto before = received(slot);
        return run_until([&] { return received(slot) > before + 5; });
    };
    EXPECT_TRUE(flows_on(Slot::audio) && flows_on(Slot::video));
    EXPECT_FALSE(near->bin().shared(Slot::audio) || near->bin().shared(Slot::video));

    g_signal_emit_by_name(near->bin().ivr(), "accept");
    near_room_->admit("near-leg");
    EXPECT_TRUE(near->bin().shared(Slot::audio) && near->bin().shared(Slot::video));
    EXPECT_TRUE(flows_on(Slot::audio) && flows_on(Slot::video));

    near_room_->say("near-leg", {"joined", "", "en"});
    EXPECT_FALSE(near->bin().shared(Slot::audio));
    EXPECT_TRUE(near->bin().shared(Slot::video));
    EXPECT_TRUE(run_until([&] { return near->bin().shared(Slot::audio); })) << "the prompt does not end";
    EXPECT_TRUE(flows_on(Slot::audio));

    near_room_->dismiss("near-leg", "held");
    EXPECT_FALSE(near->bin().shared(Slot::audio) || near->bin().shared(Slot::video));
    for (const char* pad : {"audio_rtp_src", "audio_rtp_sink", "video_encoded_sink"}) {
        EXPECT_FALSE(PadPtr::adopt(gst_element_get_static_pad(near->bin().element(), pad))) << pad;
    }
    EXPECT_TRUE(flows_on(Slot::audio) && flows_on(Slot::video));
    for (const auto& one : far->stats()) {
        EXPECT_LT(one.rtp.lost_packets, 1) << to_string(one.slot);
    }
    detach();
}

// The camera travels encoded to the mixer, which decodes it once it is on stage; the leg is told of that.
TEST_F(SessionTest, ACameraIsDecodedOnlyOnStage) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    const auto received = [&](const char* name) {
        for (const auto& one : far->stats()) {
            if (one.slot == Slot::video) {
                return field(one.taps.received.get(), name);
            }
        }
        return 0.0;
    };
    add_viewer(*far);
    // What the far side asks of the near one's camera (TMMBR), as the near one hears it.
    const auto asked_for = [&](uint32_t bitrate) {
        return run_until([&] {
            far->follow_network(1'000'000);
            for (const auto& one : near->stats()) {
                if (one.slot == Slot::video && one.rtp.remote_limit) {
                    return std::abs(static_cast<double>(*one.rtp.remote_limit) - bitrate) < 1000;
                }
            }
            return false;
        });
    };
    EXPECT_TRUE(run_until([&] { return received("packets") > 20; }));
    EXPECT_TRUE(asked_for(bitrate_for({})));
    EXPECT_TRUE(run_until([&] { return near->follow_network(1'000'000).video_bitrate == bitrate_for({}); }));
    EXPECT_FALSE(far->bin().wanted(Slot::video).on_stage);
    EXPECT_EQ(mixer_stat(*far, "video-decodes"), 0U);

    g_signal_emit_by_name(far->bin().ivr(), "accept");
    far_room_->admit("far-leg");
    EXPECT_TRUE(run_until([&] {
        const VideoWanted wanted = far->bin().wanted(Slot::video);
        return wanted.on_stage && wanted.width == 640;
    }));
    EXPECT_TRUE(run_until([&] { return mixer_stat(*far, "video-decodes") > 3; }));
    EXPECT_TRUE(asked_for(bitrate_for({true, 640, 360})));
    far_room_->dismiss("far-leg", "held");
    EXPECT_TRUE(run_until([&] { return !far->bin().wanted(Slot::video).on_stage; }));
    EXPECT_TRUE(asked_for(bitrate_for({})));
    detach();
}

// A description as a device writes it that asks for keyframes by SIP INFO alone.
std::string without_feedback(const std::string& sdp) {
    std::string text;
    std::size_t start = 0;
    while (start < sdp.size()) {
        const std::size_t end = sdp.find("\r\n", start) + 2;
        const std::string line = sdp.substr(start, end - start);
        text += line.starts_with("a=rtcp-fb:") ? "" : line;
        start = end;
    }
    return text;
}

// Where RTCP may not ask for keyframes, the signalling is asked to, and asks us.
TEST_F(SessionTest, KeyframesAreAskedForBySignallingWhereRtcpMayNot) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    unsigned wanted = 0;
    MediaSession::Callbacks callbacks;
    callbacks.on_keyframe_wanted = [&wanted] { ++wanted; };
    far->set_callbacks(std::move(callbacks));
    const SdpResult offer = near->offer();
    ASSERT_TRUE(offer.ok());
    const SdpResult answer = far->answer(without_feedback(offer.sdp()));
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    ASSERT_TRUE(near->accept_answer(answer.sdp()).ok());
    EXPECT_TRUE(run_until([&] { return far->bin().to_room(Slot::video) != nullptr; }));
    add_viewer(*far);
    g_signal_emit_by_name(far->bin().ivr(), "accept");
    far_room_->admit("far-leg");
    EXPECT_TRUE(run_until([&] { return wanted > 0; }));

    std::atomic<unsigned> keyframes = 0;
    gst_pad_add_probe(
        far->bin().to_room(Slot::video), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer count) {
            *static_cast<std::atomic<unsigned>*>(count) +=
                GST_BUFFER_FLAG_IS_SET(GST_PAD_PROBE_INFO_BUFFER(info), GST_BUFFER_FLAG_DELTA_UNIT) ? 0 : 1;
            return GST_PAD_PROBE_OK;
        },
        &keyframes, nullptr);
    const unsigned before = keyframes;
    near->send_keyframe();
    EXPECT_TRUE(run_until([&] { return keyframes > before; }));
    EXPECT_TRUE(run_until([&] { return mixer_stat(*far, "video-decodes") > 3; }));
    detach();
}

// RFC 3264 section 8.4: who is on hold by sendonly hears us, and sends nothing; by inactive neither.
TEST_F(SessionTest, HoldIsOfferedAndTakenBack) {
    auto near = session("near-leg", sdp::Encryption::required, true);
    auto far = session("far-leg", sdp::Encryption::required, true);
    attach(*near, *far);
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    const auto sound = [](Session& session) {
        for (const auto& one : session.stats()) {
            if (one.slot == Slot::audio) {
                return one.rtp.received_packets;
            }
        }
        return uint64_t{0};
    };
    const auto flows = [&](Session& session) {
        const auto before = sound(session);
        return run_until([&] { return sound(session) > before + 5; });
    };
    EXPECT_TRUE(flows(*near) && flows(*far));
    near->set_hold(sdp::Direction::sendonly);
    const SdpResult held = near->offer();
    EXPECT_NE(held.sdp().find("a=sendonly"), std::string::npos) << held.sdp();
    const SdpResult listening = far->answer(held.sdp());
    EXPECT_NE(listening.sdp().find("a=recvonly"), std::string::npos);
    ASSERT_TRUE(near->accept_answer(listening.sdp()).ok());
    EXPECT_TRUE(flows(*far));
    auto last = sound(*near);
    EXPECT_TRUE(flows(*far));
    last = sound(*near) - last;
    EXPECT_LE(last, 1U);  // what was on its way

    near->set_hold(sdp::Direction::inactive);
    const SdpResult off = near->offer();
    EXPECT_NE(off.sdp().find("a=inactive"), std::string::npos) << off.sdp();
    EXPECT_EQ(off.sdp().find("a=sendonly"), std::string::npos);
    near->discard_offer();
    near->set_hold(std::nullopt);
    ASSERT_NO_FATAL_FAILURE(negotiate(*near, *far));
    EXPECT_TRUE(flows(*near) && flows(*far));
    detach();
}

TEST_F(SessionTest, AnUnencryptedOfferIsRefusedWhereKeysAreRequired) {
    auto near = session("near-leg", sdp::Encryption::off, false);
    auto far = session("far-leg", sdp::Encryption::required, false);
    const SdpResult offer = near->offer();
    ASSERT_TRUE(offer.ok());
    const SdpResult answer = far->answer(offer.sdp());
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.problem().kind, MediaProblem::Kind::encryption_required);
}

// Room systems end their offers with lines that we may not take.
TEST_F(SessionTest, ARefusedLineStopsNoOther) {
    auto near = session("near-leg", sdp::Encryption::best_effort, true);
    auto far = session("far-leg", sdp::Encryption::best_effort, true);
    attach(*near, *far);
    const SdpResult offer = near->offer();
    ASSERT_TRUE(offer.ok());
    const SdpResult answer = far->answer(offer.sdp() +
                                         "m=application 5070 RTP/AVP 107\r\na=rtpmap:107 H224/4800\r\n"
                                         "m=video 5072 RTP/AVP 34\r\n");
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    const std::string text = answer.sdp();
    ASSERT_TRUE(near->accept_answer(text.substr(0, text.find("m=application"))).ok());
    EXPECT_TRUE(run_until([&] {
        const auto stats = near->stats();
        return std::ranges::any_of(
            stats, [](const auto& one) { return one.slot == Slot::video && one.rtp.received_packets > 5; });
    }));
    detach();
}

TEST_F(SessionTest, AnAnswerThatRefusesVideoMakesTheRestReady) {
    auto near = session("near-leg", sdp::Encryption::best_effort, false);
    near_room_->attach("near-leg", near->bin(), "Near");
    ASSERT_TRUE(near->offer().ok());
    const SdpResult result = near->accept_answer(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 0\r\nm=video 0 RTP/AVP 97\r\nm=video 0 RTP/AVP 97\r\n");
    ASSERT_TRUE(result.ok()) << result.problem().text;
    EXPECT_TRUE(run_until([&] { return near->ready(); }));
    near_room_->detach("near-leg");
}

TEST_F(SessionTest, MalformedOffersAreRefusedAndTheCallGoesOn) {
    auto far = session("far-leg", sdp::Encryption::best_effort, false);
    EXPECT_EQ(far->answer("hello").problem().kind, MediaProblem::Kind::malformed);
    EXPECT_EQ(far->answer(std::string(1 << 20, 'a')).problem().kind, MediaProblem::Kind::malformed);
    auto near = session("near-leg", sdp::Encryption::best_effort, false);
    EXPECT_TRUE(far->answer(near->offer().sdp()).ok());
}

std::uint64_t number_after(const std::string& text, const std::string& what) {
    const std::size_t at = text.find(what);
    return at == text.npos ? 0 : std::stoull(text.substr(at + what.size()));
}

// A room system offers content with BFCP: the floor that our answer names is there, and the room decides.
TEST_F(SessionTest, FloorControlAsksTheRoom) {
    sdp::Policy policy;
    policy.floor = true;
    Session near(environment_, "near-leg", policy, "127.0.0.1");
    bool allowed = false;
    near.set_floor_callbacks({[&] { return allowed; }, [&] { allowed = false; }});
    const std::string head =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=content:slides\r\na=label:12\r\n";
    const SdpResult answer =
        near.answer(head + "m=application 40004 UDP/BFCP *\r\na=floorctrl:c-s\r\na=floorid:1 mstrm:12\r\n");
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    const std::string& text = answer.sdp();
    FloorClient client(SOCK_DGRAM, static_cast<std::uint16_t>(number_after(text, "m=application ")));
    bfcp::Header header;
    header.conference = static_cast<std::uint32_t>(number_after(text, "a=confid:"));
    header.user = static_cast<std::uint16_t>(number_after(text, "a=userid:"));
    const auto asked = [&] {
        ++header.transaction;
        client.say(bfcp::write_floor_request(header, bfcp::kContentFloor));
        const auto status = client.next();
        return status ? status->request_status : std::nullopt;
    };
    EXPECT_EQ(asked(), bfcp::RequestStatus::denied);
    allowed = true;
    EXPECT_EQ(asked(), bfcp::RequestStatus::granted);
    near.set_floor_holder(FloorHolder::participant);
    near.set_floor_holder(FloorHolder::other);
    const auto taken = client.next();
    EXPECT_EQ(taken ? taken->request_status : std::nullopt, bfcp::RequestStatus::revoked);

    // A re-offer without it ends it and what was shared by it, and the call goes on.
    near.set_floor_holder(FloorHolder::nobody);
    allowed = true;
    ++header.transaction;
    client.say(bfcp::write_floor_request(header, bfcp::kContentFloor));
    auto status = client.next();
    while (status && status->request_status != bfcp::RequestStatus::granted) {
        status = client.next();  // the one before, repeated
    }
    EXPECT_TRUE(status);
    EXPECT_TRUE(allowed);
    const SdpResult without = near.answer(head + "m=application 0 UDP/BFCP *\r\n");
    ASSERT_TRUE(without.ok()) << without.problem().text;
    EXPECT_NE(without.sdp().find("m=application 0 "), std::string::npos) << without.sdp();
    EXPECT_FALSE(allowed) << "nobody could give it back";
}

// Somewhere that a peer is to be connected to.
class Listening {
public:
    Listening() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(listen(socket_, 8), 0);
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    ~Listening() {
        hang_up();
        close(socket_);
    }
    unsigned came() {  // so far
        const int made = accept(socket_, nullptr, nullptr);
        if (made >= 0) {
            hang_up();
            connection_ = made;
            ++came_;
        }
        return came_;
    }
    void hang_up() {
        if (connection_ >= 0) {
            close(std::exchange(connection_, -1));
        }
    }
    std::uint16_t port = 0;

private:
    int socket_, connection_ = -1;
    unsigned came_ = 0;
};

class TcpFloor : public SessionTest {
protected:
    std::unique_ptr<Session> called_by(const std::string& address) {
        sdp::Policy policy;
        policy.floor = true;
        return std::make_unique<Session>(environment_, "leg", policy, address);
    }
    std::string answer(Session& session, const std::string& setup, const std::string& connection = "new") {
        const SdpResult result = session.answer(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 8\r\nm=video 40002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n"
            "a=content:slides\r\na=label:12\r\nm=application " +
            std::to_string(peer_.port) + " TCP/BFCP *\r\na=setup:" + setup +
            "\r\na=connection:" + connection + "\r\na=floorctrl:c-only\r\na=floorid:1 mstrm:12\r\n");
        EXPECT_TRUE(result.ok()) << result.problem().text;
        return result.ok() ? result.sdp() : "";
    }
    static bool has(const std::string& text, const char* what) { return text.find(what) != text.npos; }
    Listening peer_;
};

TEST_F(TcpFloor, IsConnectedAgainAndChangesItsRole) {
    const auto session = called_by("127.0.0.1");
    EXPECT_TRUE(has(answer(*session, "passive"), "a=setup:active\r\na=connection:new\r\n"));
    EXPECT_TRUE(run_until([&] { return peer_.came(); }));
    EXPECT_TRUE(
        run_until([&] { return has(answer(*session, "passive", "existing"), "a=connection:existing\r\n"); }));
    EXPECT_EQ(peer_.came(), 1U);
    peer_.hang_up();
    EXPECT_TRUE(run_until([&] {
        answer(*session, "passive", "existing");
        return peer_.came() == 2;
    }));
    EXPECT_TRUE(has(answer(*session, "active"), "a=setup:passive\r\n"));
}

TEST_F(TcpFloor, NobodyAimsOurConnections) {
    const auto session = called_by("192.0.2.7");
    EXPECT_TRUE(has(answer(*session, "passive"), "m=application 0 TCP/BFCP"));
    EXPECT_TRUE(has(answer(*session, "active"), "a=setup:passive\r\n")) << "it is the peer who connects";
    EXPECT_EQ(peer_.came(), 0U);
}

}  // namespace
}  // namespace vmr::media
