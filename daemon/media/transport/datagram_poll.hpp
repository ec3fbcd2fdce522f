// The UDP sockets of one media-io thread: one epoll for all, because GLib hands all of its descriptors to
// poll() whenever the loop turns, and wakes itself twice for each that it served. Used on that thread only.
#pragma once
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/bytes.hpp"
#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

struct Datagram {
    Bytes bytes;             // good until the reader returns
    bool oversized = false;  // more than kMaxDatagram: the rest is lost
    const sockaddr_storage* from = nullptr;
    socklen_t from_length = 0;
};

class DatagramReader {
public:
    virtual ~DatagramReader() = default;
    virtual void on_datagram_read(const Datagram& datagram) = 0;
};

class DatagramPoll {
public:
    DatagramPoll();
    ~DatagramPoll();
    DatagramPoll(const DatagramPoll&) = delete;
    DatagramPoll& operator=(const DatagramPoll&) = delete;

    // The socket is non-blocking and stays open until remove(). False: the system refused.
    bool add(int socket, DatagramReader& reader);
    void remove(int socket);

    // Readable when a socket is; nobody is to wait for it before wait_until().
    int descriptor() const { return epoll_; }
    // µs of the monotonic clock; empty: datagrams are to be read as they come.
    std::optional<int64_t> wait_until() const;
    // Reads what is there.
    void serve();

private:
    static constexpr unsigned kBatch = 16;  // datagrams of one socket before others get their turn

    struct Batch {
        Batch();
        std::array<mmsghdr, kBatch> headers{};
        std::array<iovec, kBatch> parts{};
        std::array<sockaddr_storage, kBatch> from{};
        std::array<std::array<uint8_t, kMaxDatagram>, kBatch> data;
    };

    bool read_all();
    bool read(int socket, DatagramReader& reader);

    int epoll_;
    std::unordered_map<int, DatagramReader*> readers_;
    const std::unique_ptr<Batch> batch_ = std::make_unique<Batch>();
    int64_t last_ = 0;  // µs, when there was something last
    bool gathering_ = false;
};

}  // namespace vmr::media
