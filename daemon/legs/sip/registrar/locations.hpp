// Where devices are: the bindings of each address-of-record (RFC 3261 section 10, RFC 5626). Pure: time is an
// argument (milliseconds); bounded by who fills it.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

struct Contact {
    std::string uri;       // as registered: the Request-URI to reach it by
    std::string instance;  // +sip.instance with its angle brackets, or empty
    unsigned reg_id = 0;   // RFC 5626; 0: not outbound
    std::string call_id;
    std::uint32_t cseq = 0;
    unsigned q = 1000;  // thousandths
    std::string user_agent;
    Flow flow;               // that it registered by, and is reached by
    bool direct = false;     // no proxy stands between: the flow is the device's own
    std::uint64_t gruu = 0;  // what its temporary GRUUs are made of
    std::int64_t expires_at = 0;
    std::int64_t refreshed_at = 0;
    bool outbound() const { return reg_id != 0; }
};

// Whether two are the same binding: by instance and reg-id (RFC 5626 section 6), else by URI.
bool same_binding(const Contact& left, const Contact& right);
// The binding now of who had the binding `then`: by instance; without one by URI, or as the only one of this
// user and host that comes from its address: behind a NAT others do too.
std::optional<Contact> binding_of_same(const std::vector<Contact>& now, const Contact& then);
// RFC 3261 section 19.1.4.
bool same_uri(const Uri& left, const Uri& right);

class Locations {
public:
    struct Owned {
        std::string aor;
        Contact contact;
    };

    // All of one address-of-record, best first: by q, then the latest.
    std::vector<Contact> lookup(const std::string& aor) const;
    const std::vector<Contact>& of(const std::string& aor) const;
    // Whose temporary GRUUs are made of this.
    std::optional<Owned> with_gruu(std::uint64_t id) const;
    // Replaces the binding that it is the same as; true when there was none.
    bool put(const std::string& aor, Contact contact);
    std::optional<Contact> remove(const std::string& aor, const Contact& same);
    std::vector<Contact> remove_all(const std::string& aor);
    // The one that was refreshed the longest ago.
    std::optional<Contact> remove_oldest(const std::string& aor);

    std::vector<Owned> expire(std::int64_t now);
    std::vector<Owned> connection_closed(std::uint64_t connection);
    std::optional<std::int64_t> next_deadline() const;

    // By this connection the device registered, and nobody else can come by it.
    bool is_registered_by(const std::string& aor, const Flow& flow) const;
    std::size_t size() const { return size_; }
    std::size_t of_source(const std::string& source) const;

private:
    void index(const std::string& aor, const Contact& contact);
    void unindex(const std::string& aor, const Contact& contact);
    Contact take(const std::string& aor, std::size_t index);

    std::unordered_map<std::string, std::vector<Contact>> bindings_;
    std::set<std::pair<std::int64_t, std::string>> deadlines_;  // (expires_at, aor), some twice the same
    std::unordered_multimap<std::uint64_t, std::string> by_connection_;
    std::unordered_map<std::string, std::size_t> by_source_;
    std::size_t size_ = 0;
};

}  // namespace vmr::sip
