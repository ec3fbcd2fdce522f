#include "daemon/legs/webrtc/webrtc_leg.hpp"

#include <glib.h>

namespace vmr::webrtc {
namespace {

constexpr unsigned short kNormalClosure = 1000;  // RFC 6455 section 7.4.1

const char* error_code(MediaProblem::Kind kind) {
    switch (kind) {
        case MediaProblem::Kind::malformed:
            return "malformed";
        case MediaProblem::Kind::not_acceptable:
            return "not_acceptable";
        case MediaProblem::Kind::encryption_required:
            return "encryption_required";
        case MediaProblem::Kind::internal:
            break;
    }
    return "internal_error";
}

}  // namespace

WebRtcLeg::WebRtcLeg(std::string id, std::shared_ptr<api::SignallingChannel> channel, LegObserver& observer)
    : id_(std::move(id)), channel_(std::move(channel)), observer_(observer) {}

void WebRtcLeg::set_session(std::shared_ptr<MediaSession> session) {
    session_ = std::move(session);
    MediaSession::Callbacks callbacks;
    callbacks.on_candidate_found = [this](std::string candidate, std::string mid, int mline) {
        channel_->send(
            {{"type", "candidate"}, {"candidate", candidate}, {"sdpMid", mid}, {"sdpMLineIndex", mline}});
    };
    callbacks.on_media_failed = [this](EndCause cause, const std::string& text) {
        g_message("%s: %s: %s", id_.c_str(), to_string(cause), text.c_str());
        end(cause);
    };
    session_->set_callbacks(std::move(callbacks));
}

void WebRtcLeg::end(EndCause cause) {
    if (ended_) {
        return;
    }
    const bool may_return = cause == EndCause::media_failed || cause == EndCause::media_timeout;
    if (!may_return && !told_left_) {
        channel_->send({{"type", "state"}, {"state", "left"}, {"cause", to_string(cause)}});
    }
    on_gone(cause);
    channel_->close(kNormalClosure, to_string(cause));
}

void WebRtcLeg::on_gone(EndCause cause) {
    if (ended_) {
        return;
    }
    ended_ = true;
    if (session_) {
        session_->set_callbacks({});
        session_.reset();
    }
    observer_.on_leg_ended(id_, cause, nullptr);
}

void WebRtcLeg::notify_state(std::string_view state, std::string_view json) {
    if (ended_) {
        return;
    }
    nlohmann::json message = nlohmann::json::parse(json, nullptr, false);
    if (!message.is_object()) {
        message = nlohmann::json::object();
    }
    if (state == "joined") {
        message["type"] = "joined";
        channel_->bind_bearer(message.value("token", ""));
    } else {
        message["type"] = "state";
        message["state"] = state;
        told_left_ = told_left_ || state == "left";
    }
    channel_->send(message);
}

void WebRtcLeg::send_error(const char* code, const std::string& text) {
    channel_->send({{"type", "error"}, {"code", code}, {"message", text}});
}

void WebRtcLeg::on_offer(const std::string& sdp) {
    const SdpResult answer = session_->answer(sdp);
    if (!answer) {
        send_error(error_code(answer.problem().kind), answer.problem().text);
        if (!answered_) {
            end(end_cause(answer.problem().kind));
        }
        return;
    }
    channel_->send({{"type", "answer"}, {"sdp", answer.sdp()}});
    if (!answered_) {
        answered_ = true;
        observer_.on_leg_answered(id_);
    }
}

void WebRtcLeg::on_message(const nlohmann::json& message) {
    if (ended_ || !session_) {
        return;
    }
    const std::string type = message.at("type");
    if (type == "offer") {
        on_offer(message.at("sdp"));
    } else if (type == "candidate") {
        // All media is bundled (RFC 8843): a candidate is for the one transport, whatever m-line it names.
        session_->add_candidate(message.at("candidate").get<std::string>(), "", 0);
    } else if (type == "digits") {
        for (const char key : message.at("digits").get<std::string>()) {
            observer_.on_leg_key(id_, key);
        }
    } else if (type == "guest") {
        observer_.on_leg_key(id_, '#');  // an empty entry (room rule 2)
    } else if (type == "content") {
        observer_.on_leg_sharing(id_, message.at("sharing"));
    } else if (type == "bye") {
        on_gone(EndCause::hangup);
        channel_->close(kNormalClosure, "bye");
    } else {
        send_error("unexpected", "this message does not fit here");
    }
}

}  // namespace vmr::webrtc
