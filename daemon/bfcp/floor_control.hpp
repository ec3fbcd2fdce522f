// The floor control server of one room (RFC 8855): one floor, the shared screen. Who asks gets it, if the
// room lets them share, and whoever had it loses it: in a meeting the last one who presses "present"
// presents. Pure: time is an argument in milliseconds, bytes leave through the host.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/bfcp/message.hpp"

namespace vmr::bfcp {

inline constexpr std::uint16_t kContentFloor = 1;
inline constexpr std::int64_t kT1 = 500;    // ms, doubles; section 8.3.1
inline constexpr int kRetransmissions = 3;  // then the client is given up
inline constexpr std::int64_t kT2 =
    10'000;  // ms that an answer is kept for a repeated request; section 8.3.2
inline constexpr std::size_t kMaxAnswers = 16;  // of a client, kept
inline constexpr std::size_t kMaxPending = 4;   // notifications of a client that wait to be acknowledged

class FloorHost {
public:
    virtual ~FloorHost() = default;
    virtual void send(std::uint16_t user, const std::string& bytes) = 0;
    // Whether the room lets this participant share at all.
    virtual bool may_share(std::uint16_t user) = 0;
    // Somebody else has the floor now: a user, or 0 for nobody of them.
    virtual void on_holder_changed(std::uint16_t user) = 0;
    // Does not acknowledge (section 8.3.1), or said goodbye: its connection is of no more use.
    virtual void on_client_lost(std::uint16_t user) = 0;
};

class FloorControl {
public:
    FloorControl(FloorHost& host, std::uint32_t conference) : host_(host), conference_(conference) {}

    // Users are numbered from 1. `reliable`: over TCP, where nothing is acknowledged or repeated.
    void add(std::uint16_t user, bool reliable);
    void remove(std::uint16_t user, std::int64_t now);

    // One whole message from this user's connection.
    void receive(std::uint16_t user, std::string_view bytes, std::int64_t now);
    // The floor was taken away from whom it was granted (a browser shares now, or a host ended it).
    void revoke(std::int64_t now);

    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    std::uint16_t holder() const { return holder_; }  // 0: nobody

private:
    struct Notification {
        std::uint16_t transaction = 0;
        std::string bytes;
        int sent = 0;
        std::int64_t again_at = 0;
    };
    struct Answer {
        std::uint16_t transaction = 0;
        std::string bytes;
        std::int64_t forgotten_at = 0;
    };
    struct Client {
        bool reliable = false;
        bool watches = false;  // asked by FloorQuery: hears of each change
        std::uint16_t request = 0;
        std::uint16_t next_transaction = 1;
        std::deque<Notification> pending;  // one in flight at a time
        std::deque<Answer> answers;
    };

    void handle(std::uint16_t user, Client& client, const Message& message, std::int64_t now);
    void answer(std::uint16_t user, Client& client, const Header& request, std::int64_t now,
                const std::function<std::string(Header)>& write);
    void refuse(std::uint16_t user, Client& client, const Header& request, ErrorCode code, std::int64_t now);
    bool belongs(std::uint16_t user, Client& client, const Message& message, std::int64_t now);
    void request_floor(std::uint16_t user, Client& client, const Message& message, std::int64_t now);
    void release_floor(std::uint16_t user, Client& client, const Message& message, std::int64_t now);
    void acknowledged(std::uint16_t user, Client& client, std::uint16_t transaction, std::int64_t now);
    void notify(std::uint16_t user, Client& client, std::int64_t now,
                const std::function<std::string(Header)>& write);
    void send_first(std::uint16_t user, Client& client, std::int64_t now);
    void set_holder(std::uint16_t user, std::int64_t now);
    FloorRequestInfo info(std::uint16_t user, const Client& client, RequestStatus status) const;
    std::optional<FloorRequestInfo> holder_info() const;

    FloorHost& host_;
    const std::uint32_t conference_;
    std::map<std::uint16_t, Client> clients_;
    std::uint16_t holder_ = 0;
    std::uint16_t next_request_ = 1;
};

}  // namespace vmr::bfcp
