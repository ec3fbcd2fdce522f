// Memory that is used over and over: for the datagrams that one system call receives or sends.
#pragma once
#include <gst/gst.h>
#include <sys/socket.h>

#include <array>
#include <ctime>

#include "base/gst_ptr.hpp"
#include "leg_core.hpp"

namespace vmr::rtp_io {

struct ReceiveBatch {
    static constexpr unsigned kSize = 16;

    ReceiveBatch();
    // Before each call: the kernel writes lengths and flags.
    void prepare();
    // Time of arrival, ns of CLOCK_REALTIME; 0: not noted.
    std::int64_t arrival(unsigned slot) const;
    // A buffer with the first `size` bytes of the slot: the one of an earlier time, if nobody has it any
    // more.
    GstBuffer* buffer_of(unsigned slot, std::size_t size, GstClockTime arrived);

    std::array<mmsghdr, kSize> headers{};
    std::array<iovec, kSize> vectors{};
    std::array<SocketAddress, kSize> from{};
    std::array<std::array<std::uint8_t, kMaxDatagram>, kSize> data{};
    struct alignas(cmsghdr) Ancillary {
        std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))> bytes;
    };
    std::array<Ancillary, kSize> ancillary{};
    std::array<BufferPtr, kSize> buffers;
    std::array<GstBuffer*, kSize> rtp{};  // what of it goes on
    std::array<GstBuffer*, kSize> rtcp{};
    unsigned rtp_count = 0, rtcp_count = 0;
};

struct SendBatch {
    static constexpr unsigned kSize = 64;
    // More than an Ethernet frame carries: larger ones would be cut into fragments.
    static constexpr std::size_t kMaxPacket = 1500;
    using Packet = std::array<std::uint8_t, kMaxPacket + srtp::kMaxTrailer>;

    SendBatch();

    std::array<mmsghdr, kSize> headers{};
    std::array<iovec, kSize> vectors{};
    std::array<Packet, kSize> data;
};

}  // namespace vmr::rtp_io
