// Once nobody comes or goes, the threads that carry sound ask for no memory: every malloc of theirs is
// counted, in rooms of each codec, plain and with SRTP, receiving and concealment included.
#include <execinfo.h>
#include <opus.h>
#include <sys/prctl.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <numbers>

#include "rtp_bench.hpp"
#include "srtp/srtp.hpp"

namespace {

std::atomic<bool> counting = false;
std::atomic<unsigned> allocations = 0;
constexpr int kDepth = 24;
void* first_allocation[kDepth] = {};
int first_depth = 0;

void count_if_it_carries_sound() {
    char name[16] = {};
    prctl(PR_GET_NAME, name);
    const auto is = [&name](const char* prefix) {
        return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
    };
    if ((is("vmr-mix") || is("vmr-rtp-") || is("vmr-fan-out")) && allocations++ == 0) {
        counting = false;  // backtrace() allocates, the first time
        first_depth = backtrace(first_allocation, kDepth);
        counting = true;
    }
}

}  // namespace

// glibc's own, under the names that it keeps for this.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);

void* malloc(std::size_t size) {
    if (counting) {
        count_if_it_carries_sound();
    }
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    if (counting) {
        count_if_it_carries_sound();
    }
    return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
    if (counting) {
        count_if_it_carries_sound();
    }
    return __libc_realloc(old, size);
}
}

namespace {

using namespace vmr;
using namespace vmr::test;

std::uint64_t ticks_of(GstElement* mixer) {
    GstStructure* stats = nullptr;
    g_object_get(mixer, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 ticks = 0;
    gst_structure_get_uint64(stats, "audio-ticks", &ticks);
    return ticks;
}

// What a talker sends: a tone.
class Voice {
public:
    explicit Voice(bool opus) {
        if (opus) {
            int error = 0;
            encoder_ = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &error);
            opus_encoder_ctl(encoder_, OPUS_SET_BITRATE(32000));
        }
    }
    ~Voice() {
        if (encoder_ != nullptr) {
            opus_encoder_destroy(encoder_);
        }
    }
    Voice(const Voice&) = delete;
    Voice& operator=(const Voice&) = delete;

    Octets packet(unsigned sequence) {
        Octets packet = rtp_octets(sequence, encoder_ == nullptr ? 160 : 0, encoder_ == nullptr ? 0 : 111);
        const std::uint32_t timestamp = sequence * (encoder_ == nullptr ? 160 : kFrame);
        for (unsigned octet = 0; octet < 4; ++octet) {
            packet[4 + octet] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * octet));
        }
        if (encoder_ != nullptr) {
            std::array<std::int16_t, kFrame> samples{};
            for (unsigned i = 0; i < kFrame; ++i) {
                const double seconds = (sequence * kFrame + i) / 48000.0;
                samples[i] = static_cast<std::int16_t>(6000 * std::sin(2 * std::numbers::pi * 440 * seconds));
            }
            packet.resize(12 + 400);
            const int size = opus_encode(encoder_, samples.data(), kFrame, &packet[12], 400);
            packet.resize(12 + static_cast<std::size_t>(std::max(size, 0)));
        }
        return packet;
    }

private:
    static constexpr unsigned kFrame = 960;
    OpusEncoder* encoder_ = nullptr;
};

// vmr-rtp-io around vmr-mixer; each leg sends what it hears to a stranger who talks to it.
struct Room {
    Room(bool opus, bool secure) : voice(opus), secured(secure) {
        gst_init(nullptr, nullptr);
        pipeline = ElementPtr::adopt(gst_pipeline_new(nullptr));
        io = gst_element_factory_make("vmr-rtp-io", nullptr);
        mixer = gst_element_factory_make("vmr-mixer", nullptr);
        gst_bin_add_many(GST_BIN(pipeline.get()), io, mixer, nullptr);
        g_object_set(io, "local-address", "127.0.0.1", nullptr);
        caps = CapsPtr::adopt(gst_caps_from_string(opus ? kOpusCaps : kPcmuCaps));
        for (unsigned leg = 0; leg < kLegs; ++leg) {
            protection[leg] = srtp::Sender::make(srtp::Suite::aead_aes_256_gcm,
                                                 key_for(kSuites[std::size(kSuites) - 1], 1));
            add(std::to_string(leg), peers[leg].port());
        }
        gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
        for (unsigned leg = 0; leg < kLegs; ++leg) {
            g_object_get(heard[leg].get(), "local-port", &ports[leg], nullptr);
        }
    }
    ~Room() { gst_element_set_state(pipeline.get(), GST_STATE_NULL); }

    void add(const std::string& number, unsigned port) {
        const auto request = [&](GstElement* element, const std::string& name) {
            return PadPtr::adopt(gst_element_request_pad_simple(element, name.c_str()));
        };
        heard.push_back(request(io, "src_" + number));
        const PadPtr to_peer = request(io, "sink_" + number);
        if (secured) {
            const std::string key = base64(key_for(kSuites[std::size(kSuites) - 1], 1));
            gst_util_set_object_arg(G_OBJECT(heard.back().get()), "srtp-suite", "aead-aes-256-gcm");
            g_object_set(heard.back().get(), "srtp-send-key", key.c_str(), "srtp-receive-key", key.c_str(),
                         nullptr);
        }
        g_object_set(heard.back().get(), "rtp-caps", caps.get(), "remote-address", "127.0.0.1", "remote-port",
                     port, nullptr);
        GstElement* filter = gst_element_factory_make("capsfilter", nullptr);
        g_object_set(filter, "caps", caps.get(), nullptr);
        gst_bin_add(GST_BIN(pipeline.get()), filter);
        const PadPtr into = PadPtr::adopt(gst_element_get_static_pad(filter, "sink"));
        const PadPtr out = PadPtr::adopt(gst_element_get_static_pad(filter, "src"));
        gst_pad_link(request(mixer, "audio_src_" + number).get(), into.get());
        gst_pad_link(out.get(), to_peer.get());
        gst_pad_link(heard.back().get(), request(mixer, "audio_sink_" + number).get());
    }

    // Each talks, but for one packet in seven that is lost.
    void talk() {
        const Octets plain = voice.packet(sequence);
        for (unsigned leg = 0; leg < kLegs; ++leg) {
            Octets packet = plain;
            std::size_t size = packet.size();
            if (secured) {
                packet.resize(size + srtp::kMaxTrailer);
                ASSERT_EQ(protection[leg]->protect_rtp(packet, size), srtp::Outcome::ok);
                packet.resize(size);
            }
            if ((sequence + leg) % 7 != 0) {
                peers[leg].send(ports[leg], packet);
            }
        }
        ++sequence;
    }
    void listen() const {
        for (const Stranger& peer : peers) {
            ASSERT_FALSE(peer.receive().empty());
        }
    }

    static constexpr unsigned kLegs = 4;
    static constexpr const char* kOpusCaps =
        "application/"
        "x-rtp,media=(string)audio,payload=(int)111,clock-rate=(int)48000,encoding-name=(string)OPUS";
    Voice voice;
    const bool secured;
    std::optional<srtp::Sender> protection[kLegs];
    const Stranger peers[kLegs];
    ElementPtr pipeline;
    GstElement* io = nullptr;
    GstElement* mixer = nullptr;
    CapsPtr caps;
    std::vector<PadPtr> heard;
    guint ports[kLegs] = {};
    unsigned sequence = 0;
};

std::string where() {
    std::string text;
    char** const lines = backtrace_symbols(first_allocation, first_depth);
    for (int i = 0; i < first_depth; ++i) {
        text += std::string(lines[i]) + "\n";
    }
    std::free(lines);
    return text;
}

}  // namespace

TEST(RtpIoAllocations, TicksInSteadyStateAskForNoMemory) {
    std::vector<std::unique_ptr<Room>> rooms;
    for (const bool opus : {false, true}) {
        for (const bool secured : {false, true}) {
            rooms.push_back(std::make_unique<Room>(opus, secured));
        }
    }
    const auto exchange = [&rooms](unsigned packets) {
        for (unsigned i = 0; i < packets; ++i) {
            for (const auto& room : rooms) {
                room->talk();
            }
            for (const auto& room : rooms) {
                room->listen();
            }
        }
    };
    exchange(160);  // each slot of the jitter buffers has been used
    // Rooms that tick at the same moment need a batch of packets each, which is kept: how many did so at once
    // is known after as many rounds as there are rooms, at the latest.
    for (std::size_t round = 0; round <= rooms.size() && (round == 0 || allocations > 0); ++round) {
        allocations = 0;
        first_depth = 0;
        std::vector<std::uint64_t> before;
        for (const auto& room : rooms) {
            before.push_back(ticks_of(room->mixer));
        }
        counting = true;
        exchange(200);
        counting = false;
        for (std::size_t i = 0; i < rooms.size(); ++i) {
            EXPECT_GE(ticks_of(rooms[i]->mixer) - before[i], 195u);
        }
    }
    EXPECT_EQ(allocations, 0u) << where();
}
