#include "daemon/media/transport/datagram_poll.hpp"

#include <glib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/guard.hpp"

namespace vmr::media {

namespace {

constexpr int kEvents = 64;
constexpr int kRounds = 4;            // of kEvents, before timers and tasks get their turn
constexpr int64_t kGatherUs = 1'000;  // 1 ms

}  // namespace

DatagramPoll::Batch::Batch() {
    for (unsigned i = 0; i < kBatch; i++) {
        parts[i] = {data[i].data(), data[i].size()};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &from[i];
    }
}

DatagramPoll::DatagramPoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) {
        throw std::system_error(errno, std::generic_category(), "media-io");
    }
}

DatagramPoll::~DatagramPoll() {
    ::close(epoll_);
}

bool DatagramPoll::add(int socket, DatagramReader& reader) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) {
        return false;
    }
    readers_[socket] = &reader;
    return true;
}

void DatagramPoll::remove(int socket) {
    if (readers_.erase(socket) != 0) {
        epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
    }
}

std::optional<int64_t> DatagramPoll::wait_until() const {
    return gathering_ ? std::optional(last_ + kGatherUs) : std::nullopt;
}

// Where datagrams come thick and fast, a turn of the loop for each would cost more than the datagram: then
// the sockets are looked at once in kGatherUs, until there was nothing.
void DatagramPoll::serve() {
    const int64_t now = g_get_monotonic_time();
    if (gathering_ && now < last_ + kGatherUs) {
        return;
    }
    const bool any = read_all();
    gathering_ = any && (gathering_ || now - last_ < kGatherUs);
    if (any) {
        last_ = now;
    }
}

bool DatagramPoll::read_all() {
    std::array<epoll_event, kEvents> events;
    bool any = false;
    for (int round = 0; round < kRounds; round++) {
        const int count = epoll_wait(epoll_, events.data(), kEvents, 0);
        for (int i = 0; i < count; i++) {
            const int socket = events[static_cast<size_t>(i)].data.fd;
            // An earlier one's reader may have removed it.
            if (const auto reader = readers_.find(socket); reader != readers_.end()) {
                guard(nullptr, [&] { any |= read(socket, *reader->second); });
            }
        }
        if (count < kEvents) {
            break;
        }
    }
    return any;
}

// Once: level-triggered, so what is left is reported again.
bool DatagramPoll::read(int socket, DatagramReader& reader) {
    Batch& batch = *batch_;
    for (mmsghdr& header : batch.headers) {
        header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    }
    // An error is an ICMP message of an earlier send, or nothing was there: neither matters here.
    const int count = recvmmsg(socket, batch.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; i++) {
        const auto at = static_cast<size_t>(i);
        const mmsghdr& header = batch.headers[at];
        reader.on_datagram_read({{batch.data[at].data(), header.msg_len},
                                 (header.msg_hdr.msg_flags & MSG_TRUNC) != 0,
                                 &batch.from[at],
                                 header.msg_hdr.msg_namelen});
    }
    return count > 0;
}

}  // namespace vmr::media
