// The WebSocket of a browser leg (/api/v1/legs/webrtc), as the WebRTC leg sees it.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vmr::api {

struct SignallingTls {
    bool secure = false;
    std::string version;  // "TLSv1.3"; empty when not secure
    std::string suite;    // "TLS_AES_256_GCM_SHA384"; empty when not secure
};

// Used on the main context only. Sending to a channel that is closed does nothing.
class SignallingChannel {
public:
    virtual ~SignallingChannel() = default;
    virtual void send(const nlohmann::json& message) = 0;
    // `code` is a WebSocket close code (RFC 6455 section 7.4); on_closed follows, from the main loop.
    virtual void close(unsigned short code, std::string_view reason) = 0;
    virtual bool is_open() const = 0;
    // The leg goes by this bearer from here on: when it is revoked or expires, the channel is closed.
    virtual void bind_bearer(std::string_view token) = 0;
    virtual std::string remote_address() const = 0;  // without the port
    virtual SignallingTls tls() const = 0;
    virtual std::string user_agent() const = 0;
    virtual std::string origin() const = 0;
};

// Implemented by the WebRTC leg; called on the main context.
class SignallingHandler {
public:
    virtual ~SignallingHandler() = default;
    // Keep the pointer for as long as the leg lives; on_closed comes exactly once for it.
    virtual void on_open(std::shared_ptr<SignallingChannel> channel) = 0;
    // `message` fits SignalClientMessage of schemas/api/openapi.json.
    virtual void on_message(SignallingChannel& channel, const nlohmann::json& message) = 0;
    // The peer closed, died (no pong), or was closed by us.
    virtual void on_closed(SignallingChannel& channel) = 0;
};

}  // namespace vmr::api
