// One hostile datagram through everything that reads RTP and RTCP headers before or without a key: what
// vmr-rtp-io, vmr-mixer, cdr-tap and the daemon's transport make of the first bytes from the network.
#include <cstdio>
#include <cstdlib>
#include <span>

#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_router.hpp"
#include "plugins/cdr-tap/rtp_stats.hpp"
#include "plugins/rtp-io/rtp_packet.hpp"
#include "plugins/vmr-mixer/rtp_packet.hpp"

namespace {

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "media invariant broken: %s\n", what);
        std::abort();
    }
}

void read_transport(std::span<const unsigned char> bytes) {
    const vmr::media::Bytes datagram(bytes.data(), bytes.size());
    if (const auto header = vmr::media::parse_rtp(datagram)) {
        for (unsigned id = 0; id < 256; ++id) {
            check(vmr::media::find_extension(*header, id).size() <= bytes.size(), "an extension lies within");
        }
        vmr::media::RtpRouter router;
        check(!router.route(*header), "without media there is no route");
    }
    vmr::media::RtcpReports reports;
    if (vmr::media::is_rtcp(datagram)) {
        reports.read(datagram, 0x12345678);
    }
}

void read_tap(std::span<const unsigned char> bytes) {
    vmr::cdr_tap::TapStats stats;
    if (const auto header = vmr::cdr_tap::parse_rtp(bytes)) {
        for (unsigned round = 0; round < 3; ++round) {
            stats.add_rtp(*header, bytes.size(), round * 1000000,
                          vmr::cdr_tap::static_format(header->payload_type));
        }
    }
    if (vmr::cdr_tap::looks_like_rtcp(bytes)) {
        stats.add_rtcp(bytes, 0x1234567812345678);
    }
    (void)stats.snapshot();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::span<const unsigned char> bytes(data, size);
    if (vmr::rtp_io::kind_of(bytes) == vmr::rtp_io::DatagramKind::rtp) {
        if (const auto header = vmr::rtp_io::parse_rtp(bytes)) {
            check(header->size <= size, "the header lies within the packet");
        }
    }
    for (const unsigned level_id : {0U, 1U, 14U, 255U}) {
        if (const auto view = vmr::mixer::parse_rtp(bytes, level_id)) {
            check(view->payload.data() >= data && view->payload.data() + view->payload.size() <= data + size,
                  "the payload lies within the packet");
            check(!view->level || *view->level <= 127, "a level has 7 bits");
        }
    }
    if (size != 0) {
        read_transport(bytes);
        read_tap(bytes);
    }
    return 0;
}
