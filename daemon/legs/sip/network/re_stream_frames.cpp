// What comes by a stream: cut into messages, and held until somebody has time for them.
#include <algorithm>
#include <utility>

#include "base/guard.hpp"
#include "daemon/legs/sip/network/re_streams.hpp"

namespace vmr::sip {
namespace {

// Bytes that wait to be taken, of one connection and of all. libre cannot stop reading.
constexpr std::size_t kMaxHeld = 1048576;
constexpr std::size_t kMaxHeldOfAll = 67108864;
constexpr std::uint64_t kHeldRetryMs = 20;

}  // namespace

void Streams::on_data_received(mbuf* data, void* arg) {
    auto* connection = static_cast<Connection*>(arg);
    guard(nullptr, [&] {
        if (!connection->closing) {
            connection->framer.add({reinterpret_cast<const char*>(mbuf_buf(data)), mbuf_get_left(data)});
            connection->owner->take_frames(*connection);
        }
    });
}

void Streams::take_frames(Connection& connection) {
    bool any = false;
    while (!connection.framer.empty() && !connection.closing && take_frame(connection)) {
        any = true;
    }
    count(connection);
    if (connection.closing) {
        return;
    }
    if (!connection.ended) {
        restart_timer(connection, any);
    } else if (!connection.held) {
        close_later(connection);
    }
}

void Streams::restart_timer(Connection& connection, bool any) {
    if (!connection.ours && !connection.spoke) {
        return;  // keep-alives are no first message: its time goes on
    }
    // A half message has as long as a first one; between messages the connection may idle.
    // Not restarted by mere bytes: one byte now and then must not hold it for ever.
    const bool half = !connection.framer.empty() && !connection.held;
    const auto timeout =
        static_cast<std::uint64_t>(half ? config_.first_message_timeout_ms : connection.idle_timeout_ms);
    if (any || !half || tmr_get_expire(&connection.timer) > timeout) {
        tmr_start(&connection.timer, timeout, on_timer_expired, &connection);
    }
}

void Streams::count(Connection& connection) {
    waiting_ += connection.framer.size() - connection.counted;
    connection.counted = connection.framer.size();
}

// True when a frame was taken and another look is worth it.
bool Streams::take_frame(Connection& connection) {
    const Framer::Found found = connection.framer.look();
    if (found.frame == Frame::incomplete) {
        return false;
    }
    if (found.frame == Frame::keep_alive) {
        // In two parts it may be the answers to two pings of ours.
        const bool ping = found.ping && (!connection.ours || found.bytes.size() >= 4);
        connection.framer.drop(found);
        if (ping) {
            send(connection.flow.connection, "\r\n");
        }
        return true;
    }
    if (found.frame != Frame::complete) {
        handlers_.on_malformed_received(found.bytes, connection.flow);
        close_later(connection);
        return false;
    }
    connection.spoke = true;
    const bool crowded = connection.framer.size() > kMaxHeld || waiting_ > kMaxHeldOfAll;
    switch (handlers_.on_frame_received(found.bytes, connection.flow, crowded)) {
        case Verdict::later:
            hold(connection);
            return false;
        case Verdict::close:
            close_later(connection);
            return false;
        case Verdict::taken:
            break;
    }
    connection.framer.drop(found);
    count(connection);
    return true;
}

void Streams::hold(Connection& connection) {
    if (!std::exchange(connection.held, true)) {
        held_.push_back(connection.flow.connection);
    }
    if (!tmr_isrunning(&held_timer_)) {
        tmr_start(&held_timer_, kHeldRetryMs, on_held_due, this);
    }
}

void Streams::on_held_due(void* arg) {
    guard(nullptr, [arg] { static_cast<Streams*>(arg)->take_held(); });
}

// Another one is first each time.
void Streams::take_held() {
    std::vector<std::uint64_t> due = std::exchange(held_, {});
    std::rotate(due.begin(), due.begin() + (due.empty() ? 0 : 1), due.end());
    for (const std::uint64_t id : due) {
        const auto found = connections_.find(id);
        if (found != connections_.end() && !found->second->closing) {
            found->second->held = false;
            guard(nullptr, [&] { take_frames(*found->second); });  // the others have their turn
        }
    }
}

}  // namespace vmr::sip
