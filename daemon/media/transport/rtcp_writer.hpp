// RTCP of one stream each way (RFC 3550 section 6): what is said of it, and when. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

// Of what we send.
struct SenderInfo {
    uint64_t ntp = 0;  // RFC 3550 section 4
    uint32_t timestamp = 0;
    uint32_t packets = 0;
    uint32_t bytes = 0;  // of payload
};

// Of what we receive.
struct ReportBlock {
    uint32_t ssrc = 0;
    uint8_t fraction_lost = 0;  // of 256
    int32_t lost = 0;
    uint32_t highest = 0;  // extended sequence number
    uint32_t jitter = 0;   // timestamp units
    uint32_t last_report = 0;
    uint32_t delay = 0;  // since it, 1/65536 s
};

// A compound packet: a sender's or receiver's report and the CNAME.
std::vector<uint8_t> write_report(uint32_t ssrc, const std::string& cname,
                                  const std::optional<SenderInfo>& sender,
                                  const std::optional<ReportBlock>& block);
// The same with nothing to report, and BYE.
std::vector<uint8_t> write_bye(uint32_t ssrc, const std::string& cname);

// The NTP time of `real_time` (µs since 1970).
uint64_t ntp_time(int64_t real_time);

// µs until the next report: 5 s on average for two who talk to each other, and random (section 6.3.1,
// appendix A.7). `random`: 0 to 1.
int64_t report_interval(double random);

// A peer's sender reports and farewells in a compound packet.
struct PeerRtcp {
    struct Report {
        uint32_t ssrc = 0;
        uint32_t ntp_middle = 0;
    };
    std::vector<Report> senders;
    std::vector<uint32_t> byes;
};
PeerRtcp read_peer_rtcp(Bytes compound);

}  // namespace vmr::media
