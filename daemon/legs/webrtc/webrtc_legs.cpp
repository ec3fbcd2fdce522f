#include "daemon/legs/webrtc/webrtc_legs.hpp"

#include <glib.h>

#include <utility>

#include "base/gst_ptr.hpp"
#include "base/guard.hpp"
#include "daemon/legs/webrtc/webrtc_leg.hpp"

namespace vmr::webrtc {
namespace {

constexpr unsigned kJoinSeconds = 15;              // from the open WebSocket to "join"
constexpr unsigned short kPolicyViolation = 1008;  // RFC 6455 section 7.4.1

std::string new_leg_id() {
    const GCharPtr uuid(g_uuid_string_random());
    return "web-" + std::string(uuid.get());
}

std::string signalling_of(const api::SignallingChannel& channel) {
    const api::SignallingTls tls = channel.tls();
    return tls.secure ? tls.version + " " + tls.suite : "none";
}

struct JoinTimer {
    WebRtcLegs* legs;
    const api::SignallingChannel* channel;
};

}  // namespace

WebRtcLegs::WebRtcLegs(LegObserver& observer) : observer_(observer) {}

WebRtcLegs::~WebRtcLegs() {
    while (!connections_.empty()) {
        drop(connections_.begin()->first);
    }
}

void WebRtcLegs::drop(const api::SignallingChannel* channel) {
    const auto found = connections_.find(channel);
    if (found == connections_.end()) {
        return;
    }
    if (found->second.join_timer != 0) {
        g_source_remove(found->second.join_timer);
    }
    connections_.erase(found);
}

void WebRtcLegs::on_open(std::shared_ptr<api::SignallingChannel> channel) {
    const api::SignallingChannel* key = channel.get();
    Connection& connection = connections_[key];
    connection.channel = std::move(channel);
    connection.join_timer = g_timeout_add_seconds_full(
        G_PRIORITY_DEFAULT, kJoinSeconds, on_join_timed_out, new JoinTimer{this, key},
        [](gpointer data) { delete static_cast<JoinTimer*>(data); });
}

gboolean WebRtcLegs::on_join_timed_out(gpointer data) {
    auto* timer = static_cast<JoinTimer*>(data);
    guard(nullptr, [&] {
        const auto found = timer->legs->connections_.find(timer->channel);
        if (found != timer->legs->connections_.end()) {
            found->second.join_timer = 0;
            found->second.channel->close(kPolicyViolation, "no join");
        }
    });
    return G_SOURCE_REMOVE;
}

void WebRtcLegs::on_join(Connection& connection, const nlohmann::json& message) {
    g_source_remove(std::exchange(connection.join_timer, 0));
    auto leg = std::make_shared<WebRtcLeg>(new_leg_id(), connection.channel, observer_);
    Arrival arrival;
    arrival.leg = leg->id();
    arrival.kind = LegKind::webrtc;
    arrival.alias = message.at("alias");
    arrival.display_name = message.at("name");
    arrival.remote_address = connection.channel->remote_address();
    arrival.user_agent = connection.channel->user_agent();
    arrival.signalling = signalling_of(*connection.channel);
    arrival.resume = message.value("reconnect", "");
    connection.leg = leg;
    // The observer may refuse at once, and with that close and forget this very connection.
    const auto channel = connection.channel;
    auto session = observer_.on_leg_arrived(leg, arrival);
    if (!session) {
        channel->send(
            {{"type", "error"}, {"code", "not_found"}, {"message", "This meeting cannot be joined."}});
        channel->close(kPolicyViolation, "not found");
        return;
    }
    session->set_signalling(arrival.signalling);
    leg->set_session(std::move(session));
}

void WebRtcLegs::on_message(api::SignallingChannel& channel, const nlohmann::json& message) {
    const auto found = connections_.find(&channel);
    if (found == connections_.end()) {
        return;
    }
    Connection& connection = found->second;
    if (connection.leg) {
        const auto leg = connection.leg;
        leg->on_message(message);
    } else if (message.at("type") == "join") {
        on_join(connection, message);
    } else {
        channel.close(kPolicyViolation, "join first");
    }
}

void WebRtcLegs::on_closed(api::SignallingChannel& channel) {
    const auto found = connections_.find(&channel);
    if (found == connections_.end()) {
        return;
    }
    const auto leg = found->second.leg;
    drop(&channel);
    if (leg) {
        leg->on_gone(EndCause::signalling_lost);
    }
}

}  // namespace vmr::webrtc
