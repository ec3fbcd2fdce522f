// One browser's leg. Shared by the connection and the bridge; a no-op after it has ended.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/api/signalling.hpp"
#include "daemon/legs/leg.hpp"

namespace vmr::webrtc {

class WebRtcLeg final : public Leg {
public:
    WebRtcLeg(std::string id, std::shared_ptr<api::SignallingChannel> channel, LegObserver& observer);

    const std::string& id() const override { return id_; }
    LegKind kind() const override { return LegKind::webrtc; }
    // The browser has been told all it needs by notify_state("joined"); its offer completes the answer.
    void accept() override {}
    void refuse(EndCause cause) override { end(cause); }
    void end(EndCause cause) override;
    void notify_state(std::string_view state, std::string_view json) override;

    void set_session(std::shared_ptr<MediaSession> session);
    void on_message(const nlohmann::json& message);
    // The connection is gone, or the browser said "bye".
    void on_gone(EndCause cause);

private:
    void on_offer(const std::string& sdp);
    void send_error(const char* code, const std::string& text);

    std::string id_;
    std::shared_ptr<api::SignallingChannel> channel_;
    LegObserver& observer_;
    std::shared_ptr<MediaSession> session_;
    bool answered_ = false;
    bool ended_ = false;
    bool told_left_ = false;  // by the room, which knows the cause better than an end of the leg
};

}  // namespace vmr::webrtc
