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
#include "send_queue.hpp"
#include "udp_socket.hpp"

namespace vmr::rtp_io {

class Worker;

// Owned by the worker; the first two are guarded by its lock.
struct SendLane {
    SendQueue queue;
    bool scheduled = false;  // in the worker's list of legs that have something to send
    std::atomic<std::uint64_t> dropped = 0;
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

    // Whoever pushes into a sink pad. The worker is there from before the pad is active until after.
    std::atomic<Worker*> worker = nullptr;
    SendLane lane;
    // By RtpIo, before there is a worker: threads of the room send, and receive when they ask to.
    std::atomic<bool> in_place = false;
    std::atomic<bool> left_to_others = false;  // guarded by the worker: it does not watch the socket
    std::atomic<bool> drained = false;         // by others, lately

    // The worker's thread, or one of the room.
    // One batch; true: there may be more. Only one thread at a time: others come back with nothing.
    bool receive(ReceiveBatch& batch);
    void send(SendBatch& batch, std::span<OutPacket> packets);

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
    unsigned sort(ReceiveBatch& batch, unsigned count, const Now& now, unsigned& rtcp_count);
    void push(DatagramKind kind, std::span<GstBuffer*> buffers);
    bool fill(SendBatch& batch, unsigned slot, OutPacket& packet);
    bool gather(SendBatch& batch, unsigned slot, GstBuffer* buffer);
    void ship(SendBatch& batch, unsigned count, const UdpSocket& socket);

    const unsigned index_;
    const std::shared_ptr<RoomClock> clock_;

    mutable std::mutex lock_;  // a leaf: nothing is pushed or asked of other elements under it
    LegCore core_;
    std::shared_ptr<UdpSocket> socket_;
    bool connected_ = false;  // to core_.target()
    SocketAddress connected_to_;
    unsigned wanted_port_ = 0;
    unsigned dscp_ = 0;
    CapsPtr caps_;
    Outlet rtp_, rtcp_;
    std::atomic<bool> receiving_ = false;
};

}  // namespace vmr::rtp_io
