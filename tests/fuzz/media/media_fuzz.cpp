// One hostile datagram through everything that reads RTP and RTCP headers before or without a key: what
// vmr-rtp-io, vmr-mixer, cdr-tap and the daemon's transport make of the first bytes from the network.
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <span>

#include "daemon/media/transport/data_line.hpp"
#include "daemon/media/transport/fec_sender.hpp"
#include "daemon/media/transport/rtcp_reports.hpp"
#include "daemon/media/transport/rtp_router.hpp"
#include "daemon/media/transport/stun_responder.hpp"
#include "plugins/cdr-tap/rtp_stats.hpp"
#include "plugins/vmr-mixer/rtp_packet.hpp"
#include "srtp/rtp_packet.hpp"

namespace {

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "media invariant broken: %s\n", what);
        std::abort();
    }
}

void read_transport(std::span<const unsigned char> bytes) {
    if (const auto header = vmr::media::parse_rtp(bytes)) {
        for (unsigned id = 0; id < 256; ++id) {
            check(vmr::media::find_extension(*header, id).size() <= bytes.size(), "an extension lies within");
        }
        vmr::media::RtpRouter router;
        check(!router.route(*header), "without media there is no route");
    }
    vmr::media::RtcpReports reports;
    if (vmr::media::is_rtcp(bytes)) {
        reports.read(bytes, 0x12345678);
    }
}

void read_fec(std::span<const unsigned char> bytes) {
    constexpr unsigned char kRed = 102, kUlpfec = 103, kVp8 = 96;
    vmr::media::FecFormat format{kRed, kUlpfec, {}, {}, 5};
    format.pictures.set(kVp8);
    format.vp8.set(kVp8);
    vmr::media::RtpBytes packet(bytes.begin(), bytes.end());
    if (const auto skipped = vmr::media::take_off_red(packet, format)) {
        check(*skipped < bytes.size(), "RED lies within the packet");
        packet.erase(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(*skipped));
    }
    vmr::media::blank_extension(packet, 5);
    vmr::media::FecReceiver receiver;
    // First as FEC, so that what follows is kept; then with its neighbours.
    for (const unsigned char payload_type : {kUlpfec, kVp8, kUlpfec}) {
        for (unsigned char number = 0; number < 3 && packet.size() >= 12; ++number) {
            packet[1] = payload_type;
            packet[3] = number;
            for (const auto& beside : receiver.add(packet, format)) {
                check(vmr::media::parse_rtp(beside).has_value(), "what comes back is RTP");
            }
        }
    }
    if (vmr::media::parse_rtp(packet)) {
        vmr::media::FecSender sender;
        sender.set_format({kRed, kUlpfec, 5});
        sender.set_percentage(50);
        for (unsigned i = 0; i < 4; ++i) {
            check(!sender.add(packet).empty(), "a picture is sent");
        }
    }
}

// With the credentials that the corpus was made with, so that what follows them is reached.
void read_checks(std::span<const unsigned char> bytes) {
    const vmr::media::StunResponder responder("fuzzufrag", "fuzzpasswordfuzzpassword");
    for (const auto family : {AF_INET, AF_INET6}) {
        sockaddr_storage from{};
        from.ss_family = static_cast<sa_family_t>(family);
        if (const auto answer = responder.answer(bytes, "peer", from)) {
            check(vmr::media::StunResponder::is_stun(answer->bytes), "an answer is well-formed");
            check(answer->bytes.size() <= bytes.size() + 64, "an answer is not much more than its request");
        }
    }
    vmr::media::DataLine line(1, 1, {});
    const auto message = line.read(bytes, {});
    check(message.empty() || (message.data() >= bytes.data() &&
                              message.data() + message.size() <= bytes.data() + bytes.size()),
          "the message lies within the packet");
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
    if (vmr::kind_of(bytes) == vmr::DatagramKind::rtp) {
        if (const auto header = vmr::parse_rtp(bytes)) {
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
        read_fec(bytes);
        read_checks(bytes);
        read_tap(bytes);
    }
    return 0;
}
