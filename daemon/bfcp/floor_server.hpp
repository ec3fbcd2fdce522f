// The floor control server as one participant sees it (RFC 8855): one floor, the shared screen. Who asks gets
// it if the room lets them share; the room says when somebody else has taken it over. Pure: time is an
// argument in milliseconds, bytes leave through the host.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/bfcp/message.hpp"

namespace vmr::bfcp {

inline constexpr std::uint16_t kContentFloor = 1;
inline constexpr std::int64_t kT1 = 500;    // ms until a notification is repeated, doubles; section 8.3.1
inline constexpr int kRetransmissions = 3;  // then the client is given up
inline constexpr std::int64_t kT2 =
    10'000;  // ms that an answer is kept for a repeated request; section 8.3.2
inline constexpr std::size_t kMaxAnswers = 16;  // that are kept
inline constexpr std::size_t kMaxPending = 4;   // notifications that wait to be acknowledged

class FloorHost {
public:
    virtual ~FloorHost() = default;
    virtual void send(const std::string& bytes) = 0;
    // The participant begins to share: true, and everybody else stops; or may not.
    virtual bool begin_sharing() = 0;
    virtual void end_sharing() = 0;
    // Said goodbye, or does not acknowledge (section 8.3.1).
    virtual void on_client_lost() = 0;
};

class FloorServer {
public:
    // `reliable`: over TCP, where nothing is acknowledged or repeated.
    FloorServer(FloorHost& host, std::uint32_t conference, std::uint16_t user, bool reliable)
        : host_(host), conference_(conference), user_(user), reliable_(reliable) {}

    void receive(std::string_view bytes, std::int64_t now);  // one whole message

    enum class Holder { nobody, participant, other };
    // What the room says. A participant who loses the floor this way is told so.
    void set_holder(Holder holder, std::int64_t now);

    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    Holder holder() const { return holder_; }
    // The participant shares because it asked here.
    bool granted() const { return request_ != 0 && holder_ == Holder::participant; }

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
    using Writer = std::function<std::string(Header)>;

    bool repeat_answer(const Header& header, std::int64_t now);
    void handle(const Message& message, std::int64_t now);
    ErrorCode problem_with(const Message& message) const;
    void answer(const Header& request, std::int64_t now, const Writer& write);
    void refuse(const Header& request, ErrorCode code, std::int64_t now);
    void request_floor(const Message& message, std::int64_t now);
    void release_floor(const Message& message, std::int64_t now);
    void lose_client();
    void acknowledged(std::uint16_t transaction, std::int64_t now);
    void notify(std::int64_t now, const Writer& write);
    void send_first(std::int64_t now);
    FloorRequestInfo own_request(RequestStatus status) const;
    std::optional<FloorRequestInfo> holder_info() const;

    FloorHost& host_;
    const std::uint32_t conference_;
    const std::uint16_t user_;
    const bool reliable_;
    Holder holder_ = Holder::nobody;
    bool watches_ = false;       // asked by FloorQuery: hears of each change
    std::uint16_t request_ = 0;  // of the participant, while it is granted
    std::uint16_t next_request_ = 1;
    std::uint16_t next_transaction_ = 1;
    std::deque<Notification> pending_;  // the first is in flight
    std::deque<Answer> answers_;
};

}  // namespace vmr::bfcp
