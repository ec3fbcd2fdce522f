// Bearer tokens: 256 random bits, kept only as SHA-256, compared in constant time.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/control.hpp"

namespace vmr::api {

class TokenStore {
public:
    using Clock = std::function<std::chrono::system_clock::time_point()>;
    using Seconds = std::chrono::seconds;
    struct Issued {
        std::string token;  // base64url, 43 characters, the first of them not "-"
        std::chrono::system_clock::time_point expires;
    };
    // What a connection keeps of the bearer that opened it.
    using Lease = std::weak_ptr<const std::chrono::system_clock::time_point>;

    explicit TokenStore(Clock clock = std::chrono::system_clock::now, std::size_t max_tokens = 20000);

    // A bearer that stands for `caller`. Empty when the store is full.
    std::optional<Issued> issue(const Caller& caller, Seconds lifetime);
    // A bearer's caller; nothing when it is unknown, expired or revoked.
    std::optional<Caller> find(std::string_view token);
    // The lease of a bearer; one that is never valid when the bearer is unknown.
    Lease lease(std::string_view token);
    // False from the moment on at which the bearer is revoked or has expired.
    bool is_valid(const Lease& lease) const;
    // Called after each revocation; what was opened with the bearer can be closed then. Null: nobody is told.
    void set_on_revoked(std::function<void()> on_revoked) { on_revoked_ = std::move(on_revoked); }
    // False: it is the configuration's, which stays.
    bool revoke(std::string_view token);
    // All bearers of one participant, when it has left for good.
    void revoke_participant(std::string_view room, std::string_view participant);

    // The token of the admin link: redeem() takes it once.
    std::optional<Issued> issue_one_time_admin(Seconds lifetime);
    std::optional<Issued> redeem(std::string_view one_time, Seconds session_lifetime);
    // A fixed admin bearer from the configuration (vmrctl); neither expires nor can be revoked.
    void set_admin_bearer(std::string_view token);

    std::size_t size() const { return entries_.size(); }

private:
    using Digest = std::array<std::uint8_t, 32>;
    struct Entry {
        Digest digest;
        Caller caller;
        std::shared_ptr<const std::chrono::system_clock::time_point> expires;  // the only owner: see Lease
        bool one_time = false;
        bool permanent = false;
    };
    std::optional<Issued> add(Entry entry, Seconds lifetime);
    Entry* lookup(std::string_view token, bool one_time);
    void drop_expired();
    template <typename Condition>
    void revoke_if(Condition condition);

    Clock clock_;
    std::size_t max_tokens_;
    std::vector<Entry> entries_;
    std::function<void()> on_revoked_;
};

}  // namespace vmr::api
