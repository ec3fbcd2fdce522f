// A peer that shows one camera, then another, then the first again.
#include "daemon/media/transport/picture_return.hpp"

#include <unistd.h>

#include <array>

#include "base/bytes.hpp"
#include "tests/support/loopback.hpp"
#include "two_rooms.hpp"

namespace vmr::media {
namespace {

TEST(PictureReturn, WhenWhatIsShownIsSilentAndNotTooOften) {
    constexpr std::int64_t kSecond = 1'000'000;
    PictureReturn picture;
    picture.note_taken(10 * kSecond);
    EXPECT_FALSE(picture.returns(10 * kSecond + PictureReturn::kSilence));
    EXPECT_TRUE(picture.returns(11 * kSecond));
    EXPECT_FALSE(picture.returns(11 * kSecond + 1));
    EXPECT_TRUE(picture.returns(12 * kSecond)) << "nobody took it";
    picture.note_taken(12 * kSecond);
    EXPECT_FALSE(picture.returns(12 * kSecond + 1));
}

// Sends VP8 that nobody can decode.
class Cameras {
public:
    Cameras() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) { port = test::bind_to_loopback(socket_); }
    ~Cameras() { close(socket_); }
    Cameras(const Cameras&) = delete;
    Cameras& operator=(const Cameras&) = delete;

    void send(std::uint16_t to, std::uint32_t ssrc) {
        std::array<std::uint8_t, 100> packet{0x80, 0x80 | 97};
        const std::uint16_t sequence = ++sequences_[ssrc];
        put16(packet, 2, sequence);
        put32(packet, 4, sequence * 3000U);
        put32(packet, 8, ssrc);
        packet[12] = 0x10;  // a picture begins (RFC 7741 section 4.2)
        test::send_to_loopback(socket_, to, packet.data(), packet.size());
    }
    std::uint16_t port = 0;

private:
    int socket_;
    std::map<std::uint32_t, std::uint16_t> sequences_;
};

class ReturningPicture : public TwoRooms {
protected:
    // Whose picture is taken; 0: none yet.
    static guint taken(Session& leg) {
        const SlotTaps taps = leg.bin().taps(Slot::video);
        guint ssrc = 0;
        if (taps.received) {
            gst_structure_get_uint(taps.received.get(), "ssrc", &ssrc);
        }
        return ssrc;
    }
};

TEST_F(ReturningPicture, IsShownAgain) {
    sdp::Policy policy;
    policy.encryption = sdp::Encryption::off;
    policy.ice = policy.content = false;
    Session leg(environment_, "far-leg", policy, "127.0.0.1");
    far_room_->attach("far-leg", leg.bin(), "Far");
    leg.set_on_changed([this] { far_room_->refresh("far-leg"); });
    Cameras cameras;
    const SdpResult answer = leg.answer(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        "m=video " +
        std::to_string(cameras.port) + " RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n");
    ASSERT_TRUE(answer.ok()) << answer.problem().text;
    const std::string line = "m=video ";
    const auto port =
        static_cast<std::uint16_t>(std::stoul(answer.sdp().substr(answer.sdp().find(line) + line.size())));
    for (const std::uint32_t ssrc : {1U, 2U, 1U, 2U}) {
        EXPECT_TRUE(run_until([&] {
            cameras.send(port, ssrc);
            return taken(leg) == ssrc;
        })) << ssrc;
    }
    far_room_->detach("far-leg");
}

}  // namespace
}  // namespace vmr::media
