#include "batch.hpp"

#include <cstring>

namespace vmr::rtp_io {

ReceiveBatch::ReceiveBatch() {
    for (unsigned i = 0; i < kSize; ++i) {
        vectors[i] = {data[i].data(), data[i].size()};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = from[i].room();
        headers[i].msg_hdr.msg_control = ancillary[i].bytes.data();
    }
}

void ReceiveBatch::prepare() {
    for (mmsghdr& header : headers) {
        header.msg_hdr.msg_namelen = SocketAddress::kRoom;
        header.msg_hdr.msg_controllen = sizeof(Ancillary);
        header.msg_hdr.msg_flags = 0;
    }
}

std::int64_t ReceiveBatch::arrival(unsigned slot) const {
    const msghdr& header = headers[slot].msg_hdr;
    const cmsghdr* first = CMSG_FIRSTHDR(&header);
    if (first == nullptr || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_TIMESTAMPNS) {
        return 0;
    }
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(first), sizeof stamp);
    return stamp.tv_sec * std::int64_t{1'000'000'000} + stamp.tv_nsec;
}

}  // namespace vmr::rtp_io
