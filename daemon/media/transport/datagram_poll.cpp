#include "daemon/media/transport/datagram_poll.hpp"

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

GSourceFuncs polled_source = {
    nullptr, nullptr, [](GSource*, GSourceFunc callback, gpointer data) { return callback(data); },
    nullptr, nullptr, nullptr};

}  // namespace

DatagramPoll::Batch::Batch() {
    for (unsigned i = 0; i < kBatch; i++) {
        parts[i] = {data[i].data(), data[i].size()};
        headers[i].msg_hdr.msg_iov = &parts[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &from[i];
    }
}

DatagramPoll::DatagramPoll(GMainContext* context)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), source_(g_source_new(&polled_source, sizeof(GSource))) {
    if (epoll_ < 0) {
        throw std::system_error(errno, std::generic_category(), "media-io");
    }
    g_source_set_static_name(source_, "vmr sockets");
    g_source_set_callback(source_, on_ready, this, nullptr);
    watch_ = g_source_add_unix_fd(source_, epoll_, G_IO_IN);
    g_source_attach(source_, context);
}

DatagramPoll::~DatagramPoll() {
    g_source_destroy(source_);
    g_source_unref(source_);
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

gboolean DatagramPoll::on_ready(gpointer self) {
    guard(nullptr, [self] { static_cast<DatagramPoll*>(self)->serve(); });
    return G_SOURCE_CONTINUE;
}

// Where datagrams come thick and fast, a turn of the loop for each would cost more than the datagram: then
// the sockets are looked at once in kGatherUs, until there was nothing.
void DatagramPoll::serve() {
    const int64_t now = g_get_monotonic_time();
    const bool any = read_all();
    const bool gather = any && (gathering_ || now - last_ < kGatherUs);
    if (any) {
        last_ = now;
    }
    if (gather != gathering_) {
        gathering_ = gather;
        g_source_modify_unix_fd(source_, watch_, gather ? static_cast<GIOCondition>(0) : G_IO_IN);
    }
    if (gather || g_source_get_ready_time(source_) != -1) {
        g_source_set_ready_time(source_, gather ? now + kGatherUs : -1);
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
                any |= read(socket, *reader->second);
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
