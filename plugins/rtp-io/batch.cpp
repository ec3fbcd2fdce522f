#include "batch.hpp"

namespace vmr::rtp_io {

ReceiveBatch::ReceiveBatch() {
    for (unsigned i = 0; i < kSize; ++i) {
        vectors[i] = {data[i].data(), data[i].size()};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = from[i].room();
        headers[i].msg_hdr.msg_namelen = SocketAddress::kRoom;
    }
}

void ReceiveBatch::prepare() {
    for (mmsghdr& header : headers) {
        header.msg_hdr.msg_namelen = SocketAddress::kRoom;
        header.msg_hdr.msg_flags = 0;
    }
}

}  // namespace vmr::rtp_io
