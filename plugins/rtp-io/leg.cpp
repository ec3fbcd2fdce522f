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

unsigned clock_rate_of(const GstCaps* caps) {
    int rate = 0;
    if (caps != nullptr && gst_caps_get_size(caps) > 0) {
        gst_structure_get_int(gst_caps_get_structure(caps, 0), "clock-rate", &rate);
    }
    return rate > 0 ? static_cast<unsigned>(rate) : 0;
}

GstFlowReturn push_all(GstPad* pad, std::span<GstBuffer*> buffers) {
    if (buffers.size() == 1) {
        return gst_pad_push(pad, buffers.front());
    }
    GstBufferList* list = gst_buffer_list_new_sized(static_cast<guint>(buffers.size()));
    for (GstBuffer* buffer : buffers) {
        gst_buffer_list_add(list, buffer);
    }
    return gst_pad_push_list(pad, list);
}

GstBuffer* buffer_of(Bytes packet, GstClockTime running_time) {
    GstBuffer* buffer = gst_buffer_new_memdup(packet.data(), packet.size());
    GST_BUFFER_PTS(buffer) = running_time;
    GST_BUFFER_DTS(buffer) = running_time;
    return buffer;
}

// How long a datagram waited in its socket, ns. The real-time clock may be set meanwhile.
std::int64_t age_of(std::int64_t arrival, std::int64_t now) {
    constexpr std::int64_t kOldest = 500'000'000;  // 500 ms
    const std::int64_t age = arrival == 0 ? 0 : now - arrival;
    return age < kOldest ? std::max<std::int64_t>(0, age) : 0;
}

}  // namespace

void Leg::set_caps(GstCaps* caps) {
    const CapsPtr wanted =
        caps == nullptr || gst_caps_is_any(caps) || gst_caps_is_empty(caps) ? CapsPtr() : CapsPtr::ref(caps);
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
    const std::shared_ptr<UdpSocket> socket = this->socket();
    if (!socket) {
        return 0;
    }
    batch.prepare();
    int count = recvmmsg(socket->fd(), batch.headers.data(), ReceiveBatch::kSize, MSG_DONTWAIT, nullptr);
    if (count < 0 && errno != EAGAIN) {  // an ICMP error of an earlier send; datagrams may wait behind it
        count = recvmmsg(socket->fd(), batch.headers.data(), ReceiveBatch::kSize, MSG_DONTWAIT, nullptr);
    }
    return count;
}

bool Leg::receive(ReceiveBatch& batch) {
    if (receiving_.exchange(true)) {
        return false;
    }
    const std::unique_ptr<std::atomic<bool>, void (*)(std::atomic<bool>*)> turn(
        &receiving_, [](std::atomic<bool>* receiving) { *receiving = false; });
    const int count = read_socket(batch);
    if (count <= 0) {
        return false;
    }
    // Not PLAYING: what comes now would be late then.
    if (const auto running_time = clock_->running_time()) {
        unsigned rtcp_count = 0;
        const Now now{*running_time, g_get_monotonic_time() * 1000, g_get_real_time() * 1000};
        const unsigned rtp_count = sort(batch, static_cast<unsigned>(count), now, rtcp_count);
        if (rtp_count > 0) {
            push(DatagramKind::rtp, {batch.rtp.data(), rtp_count});
        }
        if (rtcp_count > 0) {
            push(DatagramKind::rtcp, {batch.rtcp.data(), rtcp_count});
        }
    }
    return count == ReceiveBatch::kSize;
}

unsigned Leg::sort(ReceiveBatch& batch, unsigned count, const Now& now, unsigned& rtcp_count) {
    unsigned rtp_count = 0;
    const std::lock_guard held(lock_);
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
            batch.rtp[rtp_count++] = buffer_of(datagram.first(size), arrived);
        } else if (kind == DatagramKind::rtcp && rtcp_.pad) {
            batch.rtcp[rtcp_count++] = buffer_of(datagram.first(size), arrived);
        }
    }
    follow_target();
    return rtp_count;
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
        caps = kind == DatagramKind::rtcp ? CapsPtr() : caps_;
    }
    if (!pad || finished) {
        std::for_each(buffers.begin(), buffers.end(), gst_buffer_unref);
        return;
    }
    if (gst_pad_check_reconfigure(pad.get()) != FALSE || !started) {
        start_stream(pad.get(), caps.get());
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

void Leg::send(SendBatch& batch, std::span<OutPacket> packets) {
    std::shared_ptr<UdpSocket> socket;
    unsigned count = 0;
    SocketAddress target;
    {
        const std::lock_guard held(lock_);
        socket = socket_;
        target = core_.target();
        if (!socket || !target.valid() || target.port() == 0 || target.family() != socket->family()) {
            core_.counts().send_errors += packets.size();
            return;
        }
        for (OutPacket& packet : packets) {
            count += fill(batch, count, packet) ? 1 : 0;
        }
        for (unsigned i = 0; i < count; ++i) {
            msghdr& header = batch.headers[i].msg_hdr;
            header.msg_name = connected_ ? nullptr : target.room();
            header.msg_namelen = connected_ ? 0 : target.length();
        }
    }
    ship(batch, count, *socket);
    for (unsigned i = 0; i < count; ++i) {
        for (unsigned n = 0; n < batch.mapped[i]; ++n) {
            gst_memory_unmap(batch.maps[i][n].memory, &batch.maps[i][n]);
        }
    }
}

// Makes the packet the slot's; false: it cannot be sent, and has been counted.
bool Leg::fill(SendBatch& batch, unsigned slot, OutPacket& packet) {
    GstBuffer* buffer = packet.buffer.get();
    std::size_t size = gst_buffer_get_size(buffer);
    const std::size_t smallest = packet.kind == DatagramKind::rtcp ? kMinRtcp : kMinRtp;
    LegCounts& counts = core_.counts();
    batch.mapped[slot] = 0;
    if (size < smallest || size > SendBatch::kMaxPacket) {
        ++counts.send_errors;
        return false;
    }
    const std::size_t plain = size;
    if (core_.suite() != srtp::Suite::none || !gather(batch, slot, buffer)) {
        auto& space = batch.data[slot];
        gst_buffer_extract(buffer, 0, space.data(), size);
        if (!core_.protect(packet.kind, space, size)) {
            return false;
        }
        batch.vectors[slot][0] = {space.data(), size};
        batch.headers[slot].msg_hdr.msg_iovlen = 1;
    }
    batch.headers[slot].msg_hdr.msg_iov = batch.vectors[slot].data();
    if (packet.kind == DatagramKind::rtcp) {
        ++counts.rtcp_sent;
    } else {
        ++counts.packets_sent;
        counts.bytes_sent += plain;
    }
    return true;
}

// The buffer's memories as they are: a payload that many legs share is not copied for each.
bool Leg::gather(SendBatch& batch, unsigned slot, GstBuffer* buffer) {
    const guint memories = gst_buffer_n_memory(buffer);
    if (memories > SendBatch::kVectors) {
        return false;
    }
    for (guint n = 0; n < memories; ++n) {
        GstMapInfo& map = batch.maps[slot][n];
        if (gst_memory_map(gst_buffer_peek_memory(buffer, n), &map, GST_MAP_READ) == FALSE) {
            for (guint done = 0; done < n; ++done) {
                gst_memory_unmap(batch.maps[slot][done].memory, &batch.maps[slot][done]);
            }
            return false;
        }
        batch.vectors[slot][n] = {map.data, map.size};
    }
    batch.mapped[slot] = memories;
    batch.headers[slot].msg_hdr.msg_iovlen = memories;
    return true;
}

void Leg::ship(SendBatch& batch, unsigned count, const UdpSocket& socket) {
    unsigned sent = 0;
    unsigned lost = 0;
    bool retried = false;
    while (sent < count) {
        const int done =
            sendmmsg(socket.fd(), &batch.headers[sent], count - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done > 0) {
            sent += static_cast<unsigned>(done);
            retried = false;
        } else if (errno == ECONNREFUSED && !retried) {
            retried = true;  // tells of an earlier packet; this one was not tried
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            lost += count - sent;  // a full socket buffer loses packets, as a full queue on the way would
            break;
        } else {
            ++lost;
            ++sent;
        }
    }
    if (lost > 0) {
        const std::lock_guard held(lock_);
        core_.counts().send_errors += lost;
        core_.counts().packets_sent -= std::min<std::uint64_t>(lost, core_.counts().packets_sent);
    }
}

}  // namespace vmr::rtp_io
