// Browser legs: the WebSocket /api/v1/legs/webrtc (SignalClientMessage and SignalServerMessage of
// schemas/api/openapi.json) on one side, LegObserver and MediaSession on the other. Main context only.
//
// The browser offers (RFC 8829), we answer; candidates trickle both ways (RFC 8838). A connection that goes
// away without "bye" ends the leg with signalling_lost: the bridge keeps the seat for a while.
#pragma once
#include <map>
#include <memory>
#include <string>

#include <glib.h>

#include "daemon/api/signalling.hpp"
#include "daemon/legs/leg.hpp"

namespace vmr::webrtc {

class WebRtcLeg;

class WebRtcLegs final : public api::SignallingHandler {
public:
    explicit WebRtcLegs(LegObserver& observer);
    ~WebRtcLegs() override;

    void on_open(std::shared_ptr<api::SignallingChannel> channel) override;
    void on_message(api::SignallingChannel& channel, const nlohmann::json& message) override;
    void on_closed(api::SignallingChannel& channel) override;

private:
    struct Connection {
        std::shared_ptr<api::SignallingChannel> channel;
        std::shared_ptr<WebRtcLeg> leg;  // from "join" on
        unsigned join_timer = 0;
    };
    void on_join(Connection& connection, const nlohmann::json& message);
    void drop(const api::SignallingChannel* channel);
    static gboolean on_join_timed_out(gpointer data);

    LegObserver& observer_;
    std::map<const api::SignallingChannel*, Connection> connections_;
};

}  // namespace vmr::webrtc
