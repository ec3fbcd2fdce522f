// One leg: its socket, its pads, and what a worker does for it.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <span>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "batch.hpp"
#include "leg_core.hpp"
#include "room_clock.hpp"
#include "udp_socket.hpp"

namespace vmr::rtp_io {

class Worker;

struct OutPacket {
    BufferPtr buffer;
    DatagramKind kind = DatagramKind::rtp;
};

class Leg {
public:
    Leg(unsigned index, std::shared_ptr<RoomClock> clock) : index_(index), clock_(std::move(clock)) {}

    unsigned index() const { return index_; }

    // Any thread: the settings.
    template <typename Change>
    void change(Change&& apply) {
        const std::lock_guard held(lock_);
        apply(core_);
        follow_target();
    }
    template <typename Read>
    auto read(Read&& look) const {
        const std::lock_guard held(lock_);
        return look(core_);
    }
    void set_caps(GstCaps* caps);
    CapsPtr caps() const;
    // What is to be pushed into sink_N; null: whatever is RTP.
    void set_send_caps(GstCaps* caps);
    CapsPtr send_caps() const;
    void set_dscp(unsigned dscp);
    unsigned dscp() const;
    void set_wanted_port(unsigned port);
    unsigned port() const;  // of the socket while there is one, else the wanted one
    StructurePtr stats() const;

    // The element: in the order open, Worker::add … Worker::remove, close.
    Status open(const SocketAddress& local);
    void close();
    std::shared_ptr<UdpSocket> socket() const;
    void set_pad(DatagramKind kind, GstPad* src_pad);  // null: none
    void forget_streams();                             // pads lost their sticky events

    std::atomic<Worker*> worker = nullptr;     // watches the socket
    std::atomic<bool> left_to_others = false;  // guarded by the worker: it does not watch the socket
    std::atomic<bool> drained = false;         // by others, lately

    // The worker's thread, or one of the room.
    // One batch; true: there may be more. Only one thread at a time: others come back with nothing.
    bool receive(ReceiveBatch& batch);
    // Whoever pushes into a sink pad: encrypted and with the kernel when it returns.
    void send(std::span<OutPacket> packets);

private:
    struct Outlet {
        PadPtr pad;
        bool started = false;
        bool finished = false;  // downstream wants no more
    };

    struct Now {
        GstClockTime running_time;
        std::int64_t steady, real;  // ns
    };

    void follow_target();
    int read_socket(ReceiveBatch& batch) const;
    void sort(ReceiveBatch& batch, unsigned count, const Now& now);
    void push(DatagramKind kind, std::span<GstBuffer*> buffers);
    bool may_send() const;
    std::size_t fill(MutableBytes space, const OutPacket& packet);
    void send_one(const OutPacket& packet);
    void send_batch(SendBatch& batch, std::span<OutPacket> packets);
    unsigned ship(SendBatch& batch, unsigned count);
    void count_lost(unsigned packets);

    const unsigned index_;
    const std::shared_ptr<RoomClock> clock_;

    // Sockets are used under it and the room's clock is read; nothing is pushed or asked of other elements.
    mutable std::mutex lock_;
    LegCore core_;
    std::shared_ptr<UdpSocket> socket_;
    bool connected_ = false;  // to core_.target()
    SocketAddress connected_to_;
    unsigned wanted_port_ = 0;
    unsigned dscp_ = 0;
    CapsPtr caps_, send_caps_;
    Outlet rtp_, rtcp_;
    std::atomic<bool> receiving_ = false;
};

}  // namespace vmr::rtp_io
