// Forward error correction of pictures (RFC 2198, RFC 5109): what is lost comes back, as GStreamer's own
// encoder protects it too; what is no FEC, or lies, does no harm.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "daemon/media/transport/fec_receiver.hpp"
#include "daemon/media/transport/fec_sender.hpp"
#include "daemon/media/transport/rtp_format.hpp"
#include "daemon/media/transport/rtp_router.hpp"

namespace vmr::media::test {
namespace {

constexpr uint8_t kVp8 = 96, kRed = 102, kUlpfec = 103;
constexpr uint32_t kSsrc = 0x01020304;
constexpr unsigned kTwcc = 5;

FecFormat format() {
    FecFormat format{kRed, kUlpfec, {}, {}, kTwcc};
    format.pictures.set(kVp8);
    format.vp8.set(kVp8);
    return format;
}

// Pictures of VP8 as RTP, with an extension block that has a TWCC number.
class Camera {
public:
    std::vector<RtpBytes> picture(unsigned packets) {
        std::vector<RtpBytes> all;
        for (unsigned i = 0; i < packets; ++i) {
            RtpBytes packet(20);
            packet[0] = 0x90;
            packet[1] = static_cast<uint8_t>(kVp8 | (i + 1 == packets ? 0x80 : 0));
            put16(packet, 2, sequence++);
            put32(packet, 4, timestamp);
            put32(packet, 8, kSsrc);
            put16(packet, 12, kOneByteProfile);
            put16(packet, 14, 1);
            packet[16] = kTwcc << 4 | 1;
            for (const uint8_t byte :
                 {uint8_t(i == 0 ? 0x90 : 0x80), uint8_t(0x80), uint8_t(0x80 | id >> 8), uint8_t(id)}) {
                packet.push_back(byte);
            }
            for (size_t size = 20 + random() % 900; size > 0; --size) {
                packet.push_back(static_cast<uint8_t>(random()));
            }
            all.push_back(std::move(packet));
        }
        id = static_cast<uint16_t>((id + 1) & 0x7FFF);
        timestamp += 3000;
        return all;
    }
    std::mt19937 random{7};
    uint16_t sequence = 65500, id = 0x7FF0;
    uint32_t timestamp = 1000;
};

// The receiver's way: RED off, FEC, order, FEC out. Sequence numbers and payloads of what reaches the
// decoder.
struct Receiver {
    void take(RtpBytes packet) {
        const FecFormat known = format();
        if ((packet[1] & 0x7F) == kRed) {
            const auto skipped = take_off_red(packet, known);
            ASSERT_TRUE(skipped);
            packet.erase(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(*skipped));
        }
        for (const RtpBytes& one : fec.add(packet, known)) {
            jitter_buffer.push_back(one);
        }
        jitter_buffer.push_back(std::move(packet));
    }
    std::vector<RtpBytes> in_order() {
        const uint16_t first = read16(jitter_buffer.front(), 2);
        const auto place = [&](const RtpBytes& packet) {
            return static_cast<int16_t>(read16(packet, 2) - first);
        };
        std::ranges::stable_sort(jitter_buffer, {}, place);
        const auto doubles = std::ranges::unique(jitter_buffer, {}, place);
        jitter_buffer.erase(doubles.begin(), doubles.end());
        std::vector<RtpBytes> all;
        for (RtpBytes packet : jitter_buffer) {
            if (const auto back = omission.shift((packet[1] & 0x7F) == kUlpfec)) {
                put16(packet, 2, static_cast<uint16_t>(read16(packet, 2) - *back));
                all.push_back(std::move(packet));
            }
        }
        return all;
    }
    FecReceiver fec;
    FecOmission omission;
    std::vector<RtpBytes> jitter_buffer;
};

unsigned gaps(const std::vector<RtpBytes>& packets) {
    unsigned missing = 0;
    for (size_t i = 1; i < packets.size(); ++i) {
        missing += static_cast<uint16_t>(read16(packets[i], 2) - read16(packets[i - 1], 2) - 1);
    }
    return missing;
}

FecSender sender(unsigned percentage) {
    FecSender made;
    made.set_format({kRed, kUlpfec, kTwcc});
    made.set_percentage(percentage);
    return made;
}

TEST(Fec, CostsNothingWhileNothingIsLost) {
    FecSender idle = sender(0);
    EXPECT_TRUE(idle.idle());
    Camera camera;
    const auto sent = camera.picture(1).front();
    EXPECT_EQ(idle.add(sent), (std::vector<RtpBytes>{sent}));
    EXPECT_EQ(idle.sent(), 0u);
}

TEST(Fec, ShareFollowsThePercentageAndNumbersGoOn) {
    FecSender fec = sender(25);
    Camera camera;
    std::vector<uint16_t> numbers;
    const auto send = [&](unsigned pictures) {
        for (unsigned i = 0; i < pictures; ++i) {
            for (const RtpBytes& packet : camera.picture(8)) {
                for (const RtpBytes& out : fec.add(packet)) {
                    numbers.push_back(read16(out, 2));
                    EXPECT_EQ(find_extension(*parse_rtp(out), kTwcc).size(), 2u);
                }
            }
        }
    };
    send(50);
    EXPECT_EQ(fec.sent(), 100u);
    fec.set_percentage(0);
    send(2);
    EXPECT_EQ(fec.sent(), 100u);
    EXPECT_FALSE(fec.idle()) << "the numbers are shifted for ever";
    for (size_t i = 1; i < numbers.size(); ++i) {
        ASSERT_EQ(static_cast<uint16_t>(numbers[i] - numbers[i - 1]), 1) << i;
    }
}

TEST(Fec, AnyOneLossOfAGroupComesBackAsItWas) {
    for (const unsigned size : {1u, 2u, 7u, 30u, 60u}) {
        FecSender fec = sender(20);
        Camera camera;
        Receiver receiver;
        std::vector<RtpBytes> sent;
        unsigned lost = 0;
        // The first FEC tells that there is some; what was sent before was not kept.
        for (unsigned picture = 0; picture < 40; ++picture) {
            unsigned number = 0;
            for (const RtpBytes& packet : camera.picture(size)) {
                sent.push_back(packet);
                for (const RtpBytes& out : fec.add(packet)) {
                    const bool protects = (out[20] & 0x7F) == kUlpfec;
                    if (picture >= 10 && !protects && picture % 4 == 2 && number == picture % size) {
                        ++lost;
                        continue;
                    }
                    receiver.take(out);
                }
                ++number;
            }
        }
        ASSERT_GT(lost, 0u) << size;
        const auto got = receiver.in_order();
        EXPECT_EQ(gaps(got), 0u) << size;
        ASSERT_EQ(got.size(), sent.size()) << size;
        for (size_t i = 0; i < got.size(); ++i) {
            EXPECT_TRUE(std::ranges::equal(got[i], protected_form(sent[i], kTwcc))) << size << ' ' << i;
        }
        EXPECT_EQ(receiver.fec.recovered(), lost);
    }
}

TEST(Fec, MendsNearlyAllOfRandomLoss) {
    FecSender fec = sender(40);
    Camera camera;
    Receiver receiver;
    unsigned lost = 0, pictures = 0;
    for (; pictures < 1000; ++pictures) {
        for (const RtpBytes& packet : camera.picture(6)) {
            for (const RtpBytes& out : fec.add(packet)) {
                if (camera.random() % 20 == 0 && pictures > 10) {
                    ++lost;
                } else {
                    receiver.take(out);
                }
            }
        }
    }
    const unsigned left = gaps(receiver.in_order());
    EXPECT_GT(lost, 300u);
    EXPECT_LT(left, lost / 10) << "of " << lost;
}

TEST(Fec, LostFecIsNobodysLoss) {
    FecSender fec = sender(30);
    Camera camera;
    Receiver receiver;
    for (unsigned picture = 0; picture < 60; ++picture) {
        for (const RtpBytes& packet : camera.picture(5)) {
            for (const RtpBytes& out : fec.add(packet)) {
                if ((out[20] & 0x7F) != kUlpfec || picture % 10 == 0) {
                    receiver.take(out);
                }
            }
        }
    }
    EXPECT_EQ(gaps(receiver.in_order()), 0u);
    EXPECT_EQ(receiver.fec.recovered(), 0u);
}

TEST(Fec, APictureThatIsLostAsAWholeIsALoss) {
    FecSender fec = sender(100);
    Camera camera;
    Receiver receiver;
    for (unsigned picture = 0; picture < 10; ++picture) {
        for (const RtpBytes& packet : camera.picture(2)) {
            for (const RtpBytes& out : fec.add(packet)) {
                if (picture != 5) {
                    receiver.take(out);
                }
            }
        }
    }
    // What was lost with its FEC cannot be told from it: four numbers are missing, two of them pictures.
    EXPECT_EQ(gaps(receiver.in_order()), 4u);
}

TEST(Red, RedundantBlocksAreLeftOutAndNonsenseIsRefused) {
    RtpBytes packet(12);
    packet[0] = 0x80;
    packet[1] = 0x80 | kRed;
    const RtpBytes head = packet;
    packet.insert(packet.end(), {0x80 | kVp8, 0, 0, 2, kVp8, 'o', 'l', 'n', 'e', 'w'});
    const auto skipped = take_off_red(packet, format());
    ASSERT_EQ(skipped, 7u);
    packet.erase(packet.begin(), packet.begin() + 7);
    EXPECT_EQ(packet[1], 0x80 | kVp8);
    EXPECT_EQ(std::string(packet.begin() + 12, packet.end()), "new");
    for (const std::vector<uint8_t>& payload :
         {std::vector<uint8_t>{}, {0x80 | kVp8}, {0x80 | kVp8, 0, 3, 0xFF, kVp8, 1}, {kRed, 1}, {77, 1}}) {
        RtpBytes wrong = head;
        wrong.insert(wrong.end(), payload.begin(), payload.end());
        EXPECT_FALSE(take_off_red(wrong, format()));
    }
}

TEST(FecHostile, NonsenseIsHarmless) {
    Camera camera;
    FecSender fec = sender(50);
    FecReceiver receiver;
    for (unsigned picture = 0; picture < 3000; ++picture) {
        for (const RtpBytes& packet : camera.picture(3)) {
            for (RtpBytes out : fec.add(packet)) {
                for (unsigned times = camera.random() % 4; times > 0; --times) {
                    out[12 + camera.random() % (out.size() - 12)] ^= static_cast<uint8_t>(camera.random());
                }
                if (camera.random() % 3 == 0) {
                    out.resize(12 + camera.random() % (out.size() - 11));
                }
                if (const auto skipped = take_off_red(out, format())) {
                    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*skipped));
                    for (const RtpBytes& beside : receiver.add(out, format())) {
                        EXPECT_TRUE(parse_rtp(beside));
                    }
                }
            }
        }
    }
}

void on_packet(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
    RtpBytes packet(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, packet.data(), packet.size());
    static_cast<std::vector<RtpBytes>*>(data)->push_back(std::move(packet));
}

TEST(FecInterop, WhatGstreamerProtectsComesBack) {
    gst_init(nullptr, nullptr);
    std::vector<RtpBytes> packets;
    auto pipeline = ElementPtr::adopt(gst_parse_launch(
        "videotestsrc num-buffers=60 pattern=snow ! video/x-raw,width=160,height=120 ! vp8enc deadline=1 "
        "cpu-used=-4 ! "
        "rtpvp8pay pt=96 picture-id-mode=15-bit mtu=400 ! rtpulpfecenc pt=103 percentage=30 ! "
        "fakesink name=sink signal-handoffs=true sync=false",
        nullptr));
    auto sink = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(on_packet), &packets);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    auto bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    ASSERT_TRUE(message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS);
    gst_message_unref(message);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);

    FecReceiver receiver;
    std::vector<RtpBytes> lost, found;
    for (size_t i = 0; i < packets.size(); ++i) {
        if (i > 40 && i % 17 == 0 && (packets[i][1] & 0x7F) == kVp8) {
            lost.push_back(packets[i]);
            continue;
        }
        for (const RtpBytes& one : receiver.add(packets[i], format())) {
            if ((one[1] & 0x7F) == kVp8) {
                found.push_back(one);
            }
        }
    }
    ASSERT_GT(lost.size(), 5u);
    EXPECT_EQ(found, lost);
}

}  // namespace
}  // namespace vmr::media::test
