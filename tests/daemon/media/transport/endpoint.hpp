// One side of a call in a test: a pipeline with a transport, test sources into it and
// counting sinks behind it.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/media/transport/transport.hpp"

namespace vmr::media::test {

constexpr unsigned kMidExtension = 3, kTwccExtension = 5;
constexpr uint8_t kPcmu = 0, kOpus = 111, kVp8 = 96, kVp8Rtx = 97, kRed = 102, kUlpfec = 103;

// Iterates the default main context until `done`; false after `seconds`, which are for what never comes.
bool wait_until(const std::function<bool()>& done, double seconds = 60);

struct SentMedia {
    MediaParams params;
    std::string source;  // gst-launch text that ends in a payloader
};

SentMedia pcmu_media(unsigned index, uint32_t ssrc);
SentMedia opus_media(unsigned index, uint32_t ssrc);
SentMedia vp8_media(unsigned index, uint32_t ssrc, bool rtx = false);
// With RED and ULPFEC; nothing is sent again.
SentMedia protected_vp8_media(unsigned index, uint32_t ssrc);

class Endpoint {
public:
    Endpoint(std::shared_ptr<MediaIo> io, std::variant<UdpParams, IceParams> path,
             std::shared_ptr<DtlsCertificate> certificate = nullptr, TransportParams more = {});
    ~Endpoint();

    void add(const SentMedia& media);
    void play();
    void detach_sources();
    uint64_t received(unsigned media) const;  // buffers behind the transport
    uint64_t received() const;
    std::string encoding(unsigned media) const;  // encoding-name of the pad's caps

    std::unique_ptr<RtpTransport> transport;
    GstElement* pipeline;
    std::vector<TransportState> states;
    std::string reason;
    std::vector<std::string> candidates;
    std::vector<StreamInfo> streams;
    unsigned byes = 0;
    std::string keys;
    std::atomic<int> last_gap = 0;  // packets missing before the last one, by sequence number
    std::atomic<int> gaps = 0;      // so far, of all media
    unsigned streams_removed = 0;
    bool link_streams = true;

private:
    struct Sink {
        GstElement* element;
        unsigned media;
        std::atomic<uint64_t> buffers = 0;
        Endpoint* endpoint;
        int next = -1;  // sequence number
    };
    static void on_handoff(GstElement* sink, GstBuffer* buffer, GstPad* pad, gpointer data);
    TransportCallbacks callbacks();
    void on_stream_added(const StreamInfo& stream, GstPad* pad);

    std::vector<std::unique_ptr<Sink>> sinks_;
    std::vector<GstElement*> sources_;
};

UdpParams loopback_udp(bool mux);
IceParams loopback_ice(bool controlling);
// Tells each where the other is.
void connect(Endpoint& a, Endpoint& b);
void connect_dtls(Endpoint& server, Endpoint& client, const DtlsCertificate& server_certificate,
                  const DtlsCertificate& client_certificate);
SdesKeys make_keys(SrtpSuite suite, char local, char remote);

}  // namespace vmr::media::test
