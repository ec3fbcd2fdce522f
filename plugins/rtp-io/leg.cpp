#include "leg.hpp"

#include <algorithm>
#include <cerrno>

#include "stream_start.hpp"

namespace vmr::rtp_io {
namespace {

std::bitset<128> payload_types_of(const GstCaps* caps) {
    std::bitset<128> types;
    for (guint i = 0; caps != nullptr && i < gst_caps_get_size(caps); ++i) {
        int type = -1;
        if (gst_structure_get_int(gst_caps_get_structure(caps, i), "payload", &type) && type >= 0 &&
            type < 128) {
            types.set(static_cast<std::size_t>(type));
        }
    }
    return types;
}

// Null: they ask for nothing.
CapsPtr definite(GstCaps* caps) {
    const bool vague = caps == nullptr || gst_caps_is_any(caps) || gst_caps_is_empty(caps);
    return vague ? CapsPtr() : CapsPtr::ref(caps);
}

unsigned clock_rate_of(const GstCaps* caps) {
    int rate = 0;
    if (caps != nullptr && gst_caps_get_size(caps) > 0) {
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "clock-rate", &rate);
    }
    return rate > 0 ? static_cast<unsigned>(rate) : 0;
}

// Not as a list, which would be made for each burst.
GstFlowReturn push_all(GstPad* pad, std::span<GstBuffer*> buffers) {
    GstFlowReturn flow = GST_FLOW_OK;
    for (GstBuffer* buffer : buffers) {
        flow = gst_pad_push(pad, buffer);
    }
    return flow;
}

// How long a datagram waited in its socket, ns. The real-time clock may be set meanwhile.
std::int64_t age_of(std::int64_t arrival, std::int64_t now) {
    constexpr std::int64_t kOldest = 500'000'000;  // 500 ms
    const std::int64_t age = arrival == 0 ? 0 : now - arrival;
    return age < kOldest ? std::max<std::int64_t>(0, age) : 0;
}

}  // namespace

void Leg::set_caps(GstCaps* caps) {
    const CapsPtr wanted = definite(caps);
    const std::lock_guard held(lock_);
    caps_ = wanted;
    rtp_.started = false;
    core_.set_payload_types(payload_types_of(wanted.get()));
    core_.set_clock_rate(clock_rate_of(wanted.get()));
}

CapsPtr Leg::caps() const {
    const std::lock_guard held(lock_);
    return caps_;
}

void Leg::set_send_caps(GstCaps* caps) {
    CapsPtr wanted = definite(caps);  // the old ones are released after the lock
    const std::lock_guard held(lock_);
    std::swap(send_caps_, wanted);
}

CapsPtr Leg::send_caps() const {
    const std::lock_guard held(lock_);
    return send_caps_;
}

void Leg::set_dscp(unsigned dscp) {
    const std::lock_guard held(lock_);
    dscp_ = dscp;
    if (socket_) {
        socket_->mark(dscp);
    }
}

unsigned Leg::dscp() const {
    const std::lock_guard held(lock_);
    return dscp_;
}

void Leg::set_wanted_port(unsigned port) {
    const std::lock_guard held(lock_);
    wanted_port_ = port;
}

unsigned Leg::port() const {
    const std::lock_guard held(lock_);
    return socket_ ? socket_->port() : wanted_port_;
}

Status Leg::open(const SocketAddress& local) {
    const std::lock_guard held(lock_);
    auto opened = UdpSocket::open(local.with_port(static_cast<std::uint16_t>(wanted_port_)), dscp_);
    if (!opened) {
        return Error{opened.error()};
    }
    socket_ = *opened;
    connected_ = false;
    follow_target();
    return Ok{};
}

void Leg::close() {
    std::shared_ptr<UdpSocket> closed;  // after the lock
    const std::lock_guard held(lock_);
    closed.swap(socket_);
    connected_ = false;
}

std::shared_ptr<UdpSocket> Leg::socket() const {
    const std::lock_guard held(lock_);
    return socket_;
}

// Once only one source counts, the kernel drops the others and looks up no route for each packet.
void Leg::follow_target() {
    if (!socket_) {
        return;
    }
    if (core_.exclusive() && core_.target().family() == socket_->family() && core_.target().port() != 0) {
        if (!connected_ || !(connected_to_ == core_.target())) {
            connected_ = socket_->connect(core_.target());
            connected_to_ = core_.target();
        }
    } else if (connected_) {
        socket_->disconnect();
        connected_ = false;
    }
}

void Leg::set_pad(DatagramKind kind, GstPad* src_pad) {
    PadPtr old;  // released after the lock
    const std::lock_guard held(lock_);
    Outlet& outlet = kind == DatagramKind::rtcp ? rtcp_ : rtp_;
    old = std::exchange(outlet.pad, src_pad == nullptr ? PadPtr() : PadPtr::ref(src_pad));
    outlet.started = false;
    outlet.finished = false;
}

void Leg::forget_streams() {
    const std::lock_guard held(lock_);
    for (Outlet* outlet : {&rtp_, &rtcp_}) {
        outlet->started = false;
        outlet->finished = false;
    }
}

int Leg::read_socket(ReceiveBatch& batch) const {
    if (!socket_) {
        return 0;
    }
    batch.prepare();
    int count = recvmmsg(socket_->fd(), batch.headers.data(), ReceiveBatch::kSize, MSG_DONTWAIT, nullptr);
    if (count < 0 && errno != EAGAIN) {  // an ICMP error of an earlier send; datagrams may wait behind it
        count = recvmmsg(socket_->fd(), batch.headers.data(), ReceiveBatch::kSize, MSG_DONTWAIT, nullptr);
    }
    return count;
}

bool Leg::receive(ReceiveBatch& batch) {
    if (receiving_.exchange(true)) {
        return false;
    }
    const std::unique_ptr<std::atomic<bool>, void (*)(std::atomic<bool>*)> turn(
        &receiving_, [](std::atomic<bool>* receiving) { *receiving = false; });
    batch.rtp_count = batch.rtcp_count = 0;
    int count = 0;
    {
        const std::lock_guard held(lock_);
        count = read_socket(batch);
        if (count <= 0) {
            return false;
        }
        // Not PLAYING: what comes now would be late then.
        if (const auto running_time = clock_->running_time()) {
            sort(batch, static_cast<unsigned>(count),
                 {*running_time, g_get_monotonic_time() * 1000, g_get_real_time() * 1000});
        }
    }
    if (batch.rtp_count > 0) {
        push(DatagramKind::rtp, {batch.rtp.data(), batch.rtp_count});
    }
    if (batch.rtcp_count > 0) {
        push(DatagramKind::rtcp, {batch.rtcp.data(), batch.rtcp_count});
    }
    return count == ReceiveBatch::kSize;
}

void Leg::sort(ReceiveBatch& batch, unsigned count, const Now& now) {
    for (unsigned i = 0; i < count; ++i) {
        const msghdr& header = batch.headers[i].msg_hdr;
        if ((header.msg_flags & MSG_TRUNC) != 0) {
            ++core_.counts().oversized;
            continue;
        }
        batch.from[i].set_length(header.msg_namelen);
        std::size_t size = 0;
        const MutableBytes datagram(batch.data[i].data(), batch.headers[i].msg_len);
        const std::int64_t age = age_of(batch.arrival(i), now.real);
        const DatagramKind kind = core_.receive(datagram, size, batch.from[i], now.steady - age);
        const GstClockTime arrived = now.running_time - std::min<GstClockTime>(age, now.running_time);
        if (kind == DatagramKind::rtp && rtp_.pad) {
            batch.rtp[batch.rtp_count++] = batch.buffer_of(i, size, arrived);
        } else if (kind == DatagramKind::rtcp && rtcp_.pad) {
            batch.rtcp[batch.rtcp_count++] = batch.buffer_of(i, size, arrived);
        }
    }
    follow_target();
}

void Leg::push(DatagramKind kind, std::span<GstBuffer*> buffers) {
    Outlet& outlet = kind == DatagramKind::rtcp ? rtcp_ : rtp_;
    PadPtr pad;
    CapsPtr caps;
    bool started = false;
    bool finished = false;
    {
        const std::lock_guard held(lock_);
        pad = outlet.pad;
        started = std::exchange(outlet.started, true);
        finished = outlet.finished;
        caps = started || kind == DatagramKind::rtcp ? CapsPtr() : caps_;
    }
    if (!pad || finished) {
        std::for_each(buffers.begin(), buffers.end(), gst_buffer_unref);
        return;
    }
    if (!started || (GST_PAD_NEEDS_RECONFIGURE(pad.get()) && gst_pad_check_reconfigure(pad.get()) != FALSE)) {
        start_stream(pad.get(), started ? this->caps().get() : caps.get());
    }
    // Any other refusal is over with the next packet: who refuses has said so on the bus.
    if (push_all(pad.get(), buffers) == GST_FLOW_EOS) {
        {
            const std::lock_guard held(lock_);
            outlet.finished = outlet.pad.get() == pad.get();
        }
        gst_pad_push_event(pad.get(), gst_event_new_eos());
    }
}

bool Leg::may_send() const {
    const SocketAddress& target = core_.target();
    return socket_ && target.valid() && target.port() != 0 && target.family() == socket_->family();
}

// Under the lock, so that packets leave in the order of their indices; the socket never blocks.
void Leg::send(std::span<OutPacket> packets) {
    const std::lock_guard held(lock_);
    if (!may_send()) {
        core_.counts().send_errors += packets.size();
        return;
    }
    if (packets.size() == 1) {
        return send_one(packets.front());
    }
    thread_local const auto batch = std::make_unique<SendBatch>();
    for (; !packets.empty();
         packets = packets.subspan(std::min(packets.size(), std::size_t{SendBatch::kSize}))) {
        send_batch(*batch, packets.first(std::min(packets.size(), std::size_t{SendBatch::kSize})));
    }
}

// The bytes of `space` that are to be sent, 0: none, counted.
std::size_t Leg::fill(MutableBytes space, const OutPacket& packet) {
    std::size_t size = gst_buffer_get_size(packet.buffer.get());
    const std::size_t smallest = packet.kind == DatagramKind::rtcp ? kMinRtcp : kMinRtp;
    LegCounts& counts = core_.counts();
    if (size < smallest || size > SendBatch::kMaxPacket) {
        ++counts.send_errors;
        return 0;
    }
    const std::size_t plain = gst_buffer_extract(packet.buffer.get(), 0, space.data(), size);
    if (!core_.protect(packet.kind, space, size)) {
        return 0;
    }
    if (packet.kind == DatagramKind::rtcp) {
        ++counts.rtcp_sent;
    } else {
        ++counts.packets_sent;
        counts.bytes_sent += plain;
    }
    return size;
}

// A tick's packet, nearly always: without the vectors and headers of a batch.
void Leg::send_one(const OutPacket& packet) {
    SendBatch::Packet space;
    const std::size_t size = fill(space, packet);
    if (size == 0) {
        return;
    }
    const sockaddr* to = connected_ ? nullptr : core_.target().get();
    const socklen_t length = connected_ ? 0 : core_.target().length();
    constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
    ssize_t sent = sendto(socket_->fd(), space.data(), size, kFlags, to, length);
    if (sent < 0 && errno == ECONNREFUSED) {  // tells of an earlier packet; this one was not tried
        sent = sendto(socket_->fd(), space.data(), size, kFlags, to, length);
    }
    count_lost(sent < 0 ? 1 : 0);
}

void Leg::send_batch(SendBatch& batch, std::span<OutPacket> packets) {
    unsigned count = 0;
    for (const OutPacket& packet : packets) {
        msghdr& header = batch.headers[count].msg_hdr;
        batch.vectors[count].iov_len = fill(batch.data[count], packet);
        header.msg_name = connected_ ? nullptr : const_cast<sockaddr*>(core_.target().get());
        header.msg_namelen = connected_ ? 0 : core_.target().length();
        count += batch.vectors[count].iov_len == 0 ? 0 : 1;
    }
    count_lost(ship(batch, count));
}

// How many packets were lost. A full socket buffer loses them, as a full queue on the way would.
unsigned Leg::ship(SendBatch& batch, unsigned count) {
    unsigned sent = 0;
    unsigned lost = 0;
    bool retried = false;
    while (sent < count) {
        const int done =
            sendmmsg(socket_->fd(), &batch.headers[sent], count - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done > 0) {
            sent += static_cast<unsigned>(done);
            retried = false;
        } else if (errno == ECONNREFUSED && !retried) {
            retried = true;  // tells of an earlier packet; this one was not tried
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            return lost + count - sent;
        } else {
            ++lost;
            ++sent;
        }
    }
    return lost;
}

void Leg::count_lost(unsigned packets) {
    LegCounts& counts = core_.counts();
    counts.send_errors += packets;
    counts.packets_sent -= std::min<std::uint64_t>(packets, counts.packets_sent);
}

}  // namespace vmr::rtp_io
