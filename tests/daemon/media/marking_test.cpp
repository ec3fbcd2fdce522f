// A session's own marking (a trunk's, by precedence) as it arrives: DSCP of sound and of pictures.
#include <cstdlib>
#include <optional>

#include "marked_receiver.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

class MarkingTest : public TwoRooms {
protected:
    // The marking of sound and pictures that a caller at these sockets is sent.
    std::pair<int, int> marked(int audio, int video) {
        Session session(environment_, "near-leg", {}, "127.0.0.1");
        session.set_marking(audio, video);
        near_room_->attach("near-leg", session.bin(), "Near");
        session.set_on_changed([this] { near_room_->refresh("near-leg"); });
        const MarkedReceiver sound;
        std::optional<MarkedReceiver> pictures;
        do {
            pictures.emplace();
        } while (std::abs(pictures->port() - sound.port()) == 1);  // where the other's RTCP goes
        const SdpResult answer = session.answer(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
            std::to_string(sound.port()) + " RTP/AVP 8\r\nm=video " + std::to_string(pictures->port()) +
            " RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n");
        EXPECT_TRUE(answer.ok()) << answer.problem().text;
        run_until([&] {
            const auto stats = session.stats();
            return std::ranges::count_if(stats, [](const auto& one) { return one.rtp.sent_packets > 0; }) ==
                   2;
        });
        const std::pair found(sound.dscp(), pictures->dscp());
        near_room_->detach("near-leg");
        return found;
    }
};

TEST_F(MarkingTest, IsTheSessionsOwn) {
    EXPECT_EQ(marked(41, 35), std::pair(41, 35));
}

TEST_F(MarkingTest, IsTheEnvironmentsWhereItHasNone) {
    EXPECT_EQ(marked(-1, -1), std::pair(46, 34));
}

}  // namespace
}  // namespace vmr::media
