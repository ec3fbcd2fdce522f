// One WebSocket of ours: bounded in both directions, pinged, and noticed when dead.
#pragma once
#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/gst_ptr.hpp"
#include "base/signal.hpp"
#include "base/source_limiter.hpp"
#include "daemon/api/event_hub.hpp"
#include "daemon/api/listener.hpp"
#include "daemon/api/signalling.hpp"
#include "daemon/api/token_store.hpp"

namespace vmr::api {

class WebSocket {
public:
    // `tokens` outlives the socket.
    WebSocket(SoupWebsocketConnection* socket, ConnectionPtr connection, const ServerOptions& options,
              TokenStore& tokens);
    virtual ~WebSocket();
    WebSocket(const WebSocket&) = delete;

    // False when the peer reads too slowly: the caller should give it up.
    bool send_text(const std::string& text);
    void close_with(unsigned short code, std::string_view reason);
    void cut() { connection_->abort(); }
    bool is_open() const;
    // Called once, from the main loop, when the socket is closed.
    void set_gone(std::function<void(WebSocket*)> gone) { gone_ = std::move(gone); }
    // Closed once this bearer is no longer valid: at the next check, message or ping.
    void bind_bearer(TokenStore::Lease lease) { lease_ = std::move(lease); }
    bool has_valid_bearer() const { return !lease_ || tokens_.is_valid(*lease_); }
    void check_bearer();

    void on_message_received(SoupWebsocketDataType type, GBytes* message);
    void on_failed(const GError* error);
    void on_socket_closed();
    void on_pong();
    bool on_keepalive_due();

protected:
    virtual void text_received(std::string_view text) = 0;
    virtual void too_big() {}
    virtual void closed() = 0;
    const Connection& connection() const { return *connection_; }
    TokenStore& tokens() const { return tokens_; }

private:
    void give_slot_back();

    GPtr<SoupWebsocketConnection> socket_;
    ConnectionPtr connection_;
    TokenStore& tokens_;
    std::optional<TokenStore::Lease> lease_;  // none: no bearer was needed to open it, and none came later
    SignalConnection message_, error_, closed_signal_, pong_;
    std::function<void(WebSocket*)> gone_;
    TokenBucket messages_;
    std::uint64_t queued_ = 0;  // bytes of frames, to compare with what was written
    unsigned silent_intervals_ = 0;
    guint keepalive_ = 0;
    bool is_gone_ = false;
    bool has_refusal_slot_ = false;  // reads a message that will be refused
};

// Events of one room to one subscriber.
class EventsSocket : public WebSocket, public EventHub::Sink {
public:
    struct Rights {
        std::function<bool()> may_follow;  // what else than a valid bearer the subscriber needs
        std::function<std::uint64_t()> hidden_until;
    };
    EventsSocket(SoupWebsocketConnection* socket, ConnectionPtr connection, const ServerOptions& options,
                 TokenStore& tokens, EventHub& hub, Rights rights);
    bool may_follow() const override { return has_valid_bearer() && rights_.may_follow(); }
    std::uint64_t hidden_until() const override { return rights_.hidden_until(); }
    bool deliver(const std::string& text) override;
    void on_dropped(EventHub::Dropped reason) override;

private:
    void text_received(std::string_view) override;
    void closed() override;

    EventHub& hub_;
    Rights rights_;
};

// Signalling of one browser leg.
class SignallingSocket : public WebSocket, public SignallingChannel {
public:
    struct Origin {
        std::string user_agent;
        std::string origin;
    };
    SignallingSocket(SoupWebsocketConnection* socket, ConnectionPtr connection, const ServerOptions& options,
                     TokenStore& tokens, SignallingHandler& handler, Origin from);

    void send(const nlohmann::json& message) override;
    void close(unsigned short code, std::string_view reason) override { close_with(code, reason); }
    bool is_open() const override { return WebSocket::is_open(); }
    void bind_bearer(std::string_view token) override { WebSocket::bind_bearer(tokens().lease(token)); }
    std::string remote_address() const override { return connection().address; }
    SignallingTls tls() const override {
        return {connection().secure, connection().tls_version, connection().tls_suite};
    }
    std::string user_agent() const override { return from_.user_agent; }
    std::string origin() const override { return from_.origin; }

private:
    void text_received(std::string_view text) override;
    void too_big() override;
    void closed() override;
    void refuse(std::string_view code, std::string_view message);

    SignallingHandler& handler_;
    Origin from_;
    unsigned faults_ = 0;
};

}  // namespace vmr::api
