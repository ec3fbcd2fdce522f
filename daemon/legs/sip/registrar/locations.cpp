#include "daemon/legs/sip/registrar/locations.hpp"

#include <algorithm>
#include <map>

#include "base/source_network.hpp"
#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

std::map<std::string, std::string> parameters_of(const std::string& params) {
    std::map<std::string, std::string> all;
    split(params, ';', [&](std::string_view piece) {
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (!piece.empty()) {
            all.emplace(lower(trim(piece.substr(0, equals))),
                        lower(trim(piece.substr(std::min(equals + 1, piece.size())))));
        }
    });
    return all;
}

// Of a device that came back its connection's port may be another.
bool is_same_host(const std::string& left, const std::string& right) {
    const std::optional<Uri> one = parse_uri(left);
    const std::optional<Uri> other = parse_uri(right);
    return one && other && one->user == other->user && one->host == other->host;
}

}  // namespace

bool same_uri(const Uri& left, const Uri& right) {
    if (left.scheme != right.scheme || left.user != right.user || left.host != right.host ||
        left.port != right.port) {
        return false;
    }
    const auto ours = parameters_of(left.params);
    const auto theirs = parameters_of(right.params);
    // Those that mean something where only one has them.
    for (const char* name : {"transport", "user", "ttl", "method", "maddr"}) {
        if (ours.contains(name) != theirs.contains(name)) {
            return false;
        }
    }
    return std::ranges::all_of(ours, [&theirs](const auto& one) {
        const auto other = theirs.find(one.first);
        return other == theirs.end() || other->second == one.second;
    });
}

bool same_binding(const Contact& left, const Contact& right) {
    if (left.outbound() || right.outbound()) {
        return left.reg_id == right.reg_id && left.instance == right.instance;
    }
    if (left.uri == right.uri) {
        return true;
    }
    const std::optional<Uri> one = parse_uri(left.uri);
    const std::optional<Uri> other = parse_uri(right.uri);
    return one && other && same_uri(*one, *other);
}

std::optional<Contact> binding_of_same(const std::vector<Contact>& now, const Contact& then) {
    const auto first = [&now](const auto& fits) {
        const auto found = std::ranges::find_if(now, fits);
        return found != now.end() ? std::optional(*found) : std::nullopt;
    };
    if (!then.instance.empty()) {
        return first([&then](const Contact& one) { return one.instance == then.instance; });
    }
    if (auto same = first([&then](const Contact& one) { return same_binding(one, then); })) {
        return same;
    }
    const auto near = [&then](const Contact& one) {
        return one.flow.remote.ip == then.flow.remote.ip && is_same_host(one.uri, then.uri);
    };
    return std::ranges::count_if(now, near) == 1 ? first(near) : std::nullopt;
}

const std::vector<Contact>& Locations::of(const std::string& aor) const {
    static const std::vector<Contact> kNone;
    const auto found = bindings_.find(aor);
    return found != bindings_.end() ? found->second : kNone;
}

std::vector<Contact> Locations::lookup(const std::string& aor) const {
    std::vector<Contact> all = of(aor);
    std::ranges::stable_sort(all, [](const Contact& left, const Contact& right) {
        return left.q != right.q ? left.q > right.q : left.refreshed_at > right.refreshed_at;
    });
    return all;
}

void Locations::index(const std::string& aor, const Contact& contact) {
    deadlines_.emplace(contact.expires_at, aor);
    if (contact.flow.connection != 0) {
        by_connection_.emplace(contact.flow.connection, aor);
    }
    ++by_source_[source_network(contact.flow.remote.ip)];
    ++size_;
}

void Locations::unindex(const std::string& aor, const Contact& contact) {
    const auto& left = of(aor);  // without `contact`
    if (std::ranges::none_of(left,
                             [&](const Contact& one) { return one.expires_at == contact.expires_at; })) {
        deadlines_.erase({contact.expires_at, aor});
    }
    auto [at, end] = by_connection_.equal_range(contact.flow.connection);
    for (; at != end; ++at) {
        if (at->second == aor) {
            by_connection_.erase(at);
            break;
        }
    }
    const auto source = by_source_.find(source_network(contact.flow.remote.ip));
    if (source != by_source_.end() && --source->second == 0) {
        by_source_.erase(source);
    }
    --size_;
}

Contact Locations::take(const std::string& aor, std::size_t index) {
    std::vector<Contact>& all = bindings_.at(aor);
    Contact taken = std::move(all[index]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
    unindex(aor, taken);
    if (all.empty()) {
        bindings_.erase(aor);
    }
    return taken;
}

bool Locations::put(const std::string& aor, Contact contact) {
    const bool fresh = !remove(aor, contact);
    index(aor, contact);
    std::vector<Contact>& all = bindings_[aor];
    all.reserve(all.size() + 1);
    all.push_back(std::move(contact));
    return fresh;
}

std::optional<Contact> Locations::remove(const std::string& aor, const Contact& same) {
    const std::vector<Contact>& all = of(aor);
    for (std::size_t index = 0; index < all.size(); ++index) {
        if (same_binding(all[index], same)) {
            return take(aor, index);
        }
    }
    return std::nullopt;
}

std::vector<Contact> Locations::remove_all(const std::string& aor) {
    std::vector<Contact> taken;
    while (!of(aor).empty()) {
        taken.push_back(take(aor, of(aor).size() - 1));
    }
    return taken;
}

std::optional<Contact> Locations::remove_oldest(const std::string& aor) {
    const std::vector<Contact>& all = of(aor);
    if (all.empty()) {
        return std::nullopt;
    }
    const auto oldest = std::ranges::min_element(all, {}, &Contact::refreshed_at);
    return take(aor, static_cast<std::size_t>(oldest - all.begin()));
}

std::vector<Locations::Owned> Locations::expire(std::int64_t now) {
    std::vector<Owned> gone;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const std::string aor = deadlines_.begin()->second;
        for (std::size_t index = of(aor).size(); index-- > 0;) {
            if (of(aor)[index].expires_at <= now) {
                gone.push_back({aor, take(aor, index)});
            }
        }
    }
    return gone;
}

std::vector<Locations::Owned> Locations::connection_closed(std::uint64_t connection) {
    std::vector<Owned> gone;
    for (auto found = by_connection_.find(connection); found != by_connection_.end();
         found = by_connection_.find(connection)) {
        const std::string aor = found->second;
        for (std::size_t index = of(aor).size(); index-- > 0;) {
            if (of(aor)[index].flow.connection == connection) {
                gone.push_back({aor, take(aor, index)});
            }
        }
    }
    return gone;
}

std::optional<Locations::Owned> Locations::with_gruu(std::uint64_t id) const {
    for (const auto& [aor, contacts] : bindings_) {
        const auto found = std::ranges::find(contacts, id, &Contact::gruu);
        if (found != contacts.end()) {
            return Owned{aor, *found};
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> Locations::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

bool Locations::is_registered_by(const std::string& aor, const Flow& flow) const {
    return flow.connection != 0 && std::ranges::any_of(of(aor), [&flow](const Contact& contact) {
               return contact.direct && contact.flow.connection == flow.connection;
           });
}

std::size_t Locations::of_source(const std::string& source) const {
    const auto found = by_source_.find(source);
    return found != by_source_.end() ? found->second : 0;
}

}  // namespace vmr::sip
