// Memory that a worker uses over and over: for the datagrams that one system call receives or sends.
#pragma once
#include <gst/gst.h>
#include <sys/socket.h>

#include <array>
#include <ctime>

#include "leg_core.hpp"

namespace vmr::rtp_io {

struct ReceiveBatch {
    static constexpr unsigned kSize = 16;

    ReceiveBatch();
    // Before each call: the kernel writes lengths and flags.
    void prepare();
    // Time of arrival, ns of CLOCK_REALTIME; 0: not noted.
    std::int64_t arrival(unsigned slot) const;

    std::array<mmsghdr, kSize> headers{};
    std::array<iovec, kSize> vectors{};
    std::array<SocketAddress, kSize> from{};
    std::array<std::array<std::uint8_t, kMaxDatagram>, kSize> data{};
    struct alignas(cmsghdr) Ancillary {
        std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))> bytes;
    };
    std::array<Ancillary, kSize> ancillary{};
    std::array<GstBuffer*, kSize> rtp{};  // what of it goes on
    std::array<GstBuffer*, kSize> rtcp{};
};

struct SendBatch {
    static constexpr unsigned kSize = 64;
    static constexpr unsigned kVectors = 4;  // memories of a packet that are gathered; more are copied
    // More than an Ethernet frame carries: larger ones would be cut into fragments.
    static constexpr std::size_t kMaxPacket = 1500;

    std::array<mmsghdr, kSize> headers{};
    std::array<std::array<iovec, kVectors>, kSize> vectors{};
    std::array<std::array<GstMapInfo, kVectors>, kSize> maps{};
    std::array<unsigned, kSize> mapped{};
    std::array<std::array<std::uint8_t, kMaxPacket + srtp::kMaxTrailer>, kSize> data{};
};

}  // namespace vmr::rtp_io
