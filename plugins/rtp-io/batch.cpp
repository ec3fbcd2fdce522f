#include "batch.hpp"

#include <algorithm>
#include <cstring>

namespace vmr::rtp_io {
namespace {

constexpr std::size_t kLeast = 256;  // bytes: most sound fits

bool is_free(const BufferPtr& buffer, std::size_t size) {
    if (!buffer || GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()) != 1) {
        return false;
    }
    const GstMemory* memory = gst_buffer_peek_memory(buffer.get(), 0);
    return GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1 && memory->maxsize - memory->offset >= size;
}

}  // namespace

ReceiveBatch::ReceiveBatch() {
    for (unsigned i = 0; i < kSize; ++i) {
        buffers[i] = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, kLeast, nullptr));
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

GstBuffer* ReceiveBatch::buffer_of(unsigned slot, std::size_t size, GstClockTime arrived) {
    BufferPtr& buffer = buffers[slot];
    if (!is_free(buffer, size)) {
        buffer = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, std::max(size, kLeast), nullptr));
    }
    gst_buffer_resize(buffer.get(), 0, static_cast<gssize>(size));
    gst_buffer_fill(buffer.get(), 0, data[slot].data(), size);
    GST_BUFFER_FLAGS(buffer.get()) = 0;
    GST_BUFFER_PTS(buffer.get()) = arrived;
    GST_BUFFER_DTS(buffer.get()) = arrived;
    return gst_buffer_ref(buffer.get());
}

SendBatch::SendBatch() {
    for (unsigned i = 0; i < kSize; ++i) {
        vectors[i] = {data[i].data(), 0};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
}

}  // namespace vmr::rtp_io
