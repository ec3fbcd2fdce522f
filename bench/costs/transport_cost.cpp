// What a packet costs the server's transport: pairs of transports on loopback send each other one packet of
// sound every 20 ms. Prints JSON: µs of CPU a packet, sent and received, and how many threads there are.
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/process.hpp"
#include "daemon/media/transport/transport.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;
using namespace vmr::media;
using Clock = std::chrono::steady_clock;

constexpr unsigned kSlots = 20;  // of 1 ms: peers do not send in step
constexpr uint8_t kPcmu = 0;
const std::map<std::string, SrtpSuite> kSuites = {{"none", SrtpSuite::none},
                                                  {"aes-128-cm-80", SrtpSuite::aes_cm_128_hmac_sha1_80},
                                                  {"aead-aes-256-gcm", SrtpSuite::aead_aes_256_gcm}};

struct Options {
    unsigned legs = 200, seconds = 3;
    std::string suite = "none";
};

void check(const Status& status) {
    if (!status) {
        throw std::runtime_error(status.error());
    }
}

// One end of a call: packets go in by a pad; what comes out nobody takes.
class End {
public:
    End(GstElement* pipeline, MediaIoPool& io, uint32_t ssrc) : ssrc_(ssrc) {
        TransportParams params;
        params.io = io.take();
        params.name = "end" + std::to_string(ssrc);
        UdpParams udp;
        udp.local_address = "127.0.0.1";
        udp.rtcp_mux = true;
        params.path = udp;
        auto made = RtpTransport::create(std::move(params), {});
        check(made ? Status(Ok{}) : Status(Error{made.error()}));
        transport = std::move(*made);
        MediaParams media;
        RtpFormat format{"audio", "PCMU", kPcmu, 8000};
        media.receive_caps[kPcmu] = rtp_caps(format);
        format.ssrc = ssrc;
        media.send_caps = rtp_caps(format);
        media.send_ssrc = ssrc;
        check(transport->add_media(media));
        gst_bin_add(GST_BIN(pipeline), transport->bin());
        source_ = PadPtr::adopt(gst_pad_new(nullptr, GST_PAD_SRC));
        gst_pad_set_active(source_.get(), TRUE);
        gst_pad_link_full(source_.get(), transport->send_pad(0), GST_PAD_LINK_CHECK_NOTHING);
        send_caps_ = media.send_caps;
    }

    void connect(const End& peer, SrtpSuite suite, bool first) const {
        if (suite == SrtpSuite::none) {
            check(transport->set_security(PlainSecurity{}));
        } else {
            const size_t size = srtp::info_of(suite).key_bytes + srtp::info_of(suite).salt_bytes;
            const std::string own(size, first ? 'a' : 'b'), others(size, first ? 'b' : 'a');
            check(transport->set_security(SdesKeys{suite, own, others}));
        }
        const LocalDescription other = peer.transport->local();
        check(transport->set_remote(UdpRemote{other.address, other.rtp_port, 0, true}));
    }

    void start() const {
        gst_pad_push_event(source_.get(), gst_event_new_stream_start("cost"));
        gst_pad_push_event(source_.get(), gst_event_new_caps(send_caps_.get()));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(source_.get(), gst_event_new_segment(&segment));
    }

    void send(GstClockTime now) {
        uint8_t packet[172] = {0x80, kPcmu};
        packet[2] = static_cast<uint8_t>(sequence_ >> 8);
        packet[3] = static_cast<uint8_t>(sequence_);
        const uint32_t timestamp = sequence_ * 160u;
        for (int i = 0; i < 4; i++) {
            packet[4 + i] = static_cast<uint8_t>(timestamp >> (24 - 8 * i));
            packet[8 + i] = static_cast<uint8_t>(ssrc_ >> (24 - 8 * i));
        }
        sequence_++;
        GstBuffer* buffer = gst_buffer_new_memdup(packet, sizeof packet);
        GST_BUFFER_PTS(buffer) = now;
        gst_pad_push(source_.get(), buffer);
    }

    std::unique_ptr<RtpTransport> transport;

private:
    uint32_t ssrc_;
    uint16_t sequence_ = 1;
    PadPtr source_;
    CapsPtr send_caps_;
};

class Calls {
public:
    Calls(unsigned ends, SrtpSuite suite) : pipeline_(gst_pipeline_new(nullptr)) {
        for (unsigned i = 0; i < ends; i++) {
            ends_.push_back(std::make_unique<End>(pipeline_, io_, 1000 + i));
        }
        for (size_t i = 0; i < ends_.size(); i++) {
            ends_[i]->connect(*ends_[i ^ 1], suite, (i & 1) == 0);
        }
        gst_element_set_state(pipeline_, GST_STATE_PLAYING);
        gst_element_get_state(pipeline_, nullptr, nullptr, GST_CLOCK_TIME_NONE);
        for (const auto& end : ends_) {
            end->start();
        }
    }
    ~Calls() {
        ends_.clear();
        gst_element_set_state(pipeline_, GST_STATE_NULL);
        gst_object_unref(pipeline_);
    }
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    void play(unsigned seconds) {
        const auto clock = GPtr<GstClock>::adopt(gst_element_get_clock(pipeline_));
        const GstClockTime base = gst_element_get_base_time(pipeline_);
        auto next = Clock::now();
        for (unsigned slot = 0; slot < seconds * 1000; slot++) {
            const GstClockTime now = gst_clock_get_time(clock.get()) - base;
            for (size_t i = slot % kSlots; i < ends_.size(); i += kSlots) {
                ends_[i]->send(now);
            }
            while (g_main_context_iteration(nullptr, FALSE)) {
            }
            next += std::chrono::milliseconds(1);
            std::this_thread::sleep_until(next);
        }
    }
    uint64_t received() const {
        uint64_t packets = 0;
        for (const auto& end : ends_) {
            packets += end->transport->stats().media.at(0).received_packets;
        }
        return packets;
    }

private:
    MediaIoPool io_;
    GstElement* pipeline_;
    std::vector<std::unique_ptr<End>> ends_;
};

void run(const Options& options) {
    gst_init(nullptr, nullptr);
    Calls calls(options.legs & ~1u, kSuites.at(options.suite));
    calls.play(1);
    const uint64_t before = calls.received();
    const double cpu = cpu_seconds();
    calls.play(options.seconds);
    const double used = cpu_seconds() - cpu;
    const double packets = 1000.0 / kSlots * (options.legs & ~1u) * options.seconds;
    std::cout << nlohmann::json{{"packet_us", used * 1e6 / packets},
                                {"lost_percent",
                                 100 * (1 - static_cast<double>(calls.received() - before) / packets)},
                                {"threads", usage_of(getpid()).threads}}
              << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    raise_file_limit();
    Options options;
    CLI::App app("What a packet costs the server's transport", "transport-cost");
    app.add_option("--legs", options.legs)->check(CLI::PositiveNumber);
    app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
    app.add_option("--suite", options.suite)->check(CLI::IsMember(kSuites));
    return run_program(app, count, arguments, [&options] { run(options); });
}
