// Who misbehaves often is not heard for a while. Pure: time is an argument (milliseconds); bounded in number.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/source_network.hpp"

namespace vmr::sip {

struct BanRules {
    double offences = 40;  // that many at once are forgiven
    double forgiven_per_second = 0.2;
    std::int64_t duration_ms = 300000;
    std::size_t max_sources = 10000;
};

class Bans {
public:
    explicit Bans(BanRules rules = {}) : rules_(rules) {}

    // True when this offence is the one that brings the ban. A source that does not fit into the table any
    // more is not banned: a flood from forged sources must not be what shuts others out.
    bool offend(const std::string& source, double weight, std::int64_t now_ms) {
        if (entries_.size() >= rules_.max_sources && !entries_.contains(source)) {
            forget(now_ms);
            if (entries_.size() >= rules_.max_sources) {
                return false;
            }
        }
        Entry& entry = entries_.try_emplace(source, Entry{0, now_ms, 0}).first->second;
        if (now_ms < entry.until_ms) {
            return false;
        }
        entry.score = score(entry, now_ms) + weight;
        entry.at_ms = now_ms;
        if (entry.score <= rules_.offences) {
            return false;
        }
        entry.score = 0;
        entry.until_ms = now_ms + rules_.duration_ms;
        return true;
    }
    bool contains(const std::string& source, std::int64_t now_ms) const {
        const auto found = entries_.find(source);
        return found != entries_.end() && now_ms < found->second.until_ms;
    }
    std::size_t sources() const { return entries_.size(); }

private:
    struct Entry {
        double score;
        std::int64_t at_ms;
        std::int64_t until_ms;
    };
    double score(const Entry& entry, std::int64_t now_ms) const {
        const double forgiven =
            static_cast<double>(now_ms - entry.at_ms) / 1000.0 * rules_.forgiven_per_second;
        return std::max(0.0, entry.score - forgiven);
    }
    void forget(std::int64_t now_ms) {
        if (now_ms - swept_ms_ < 100) {
            return;
        }
        swept_ms_ = now_ms;
        std::erase_if(entries_, [&](const auto& entry) {
            return now_ms >= entry.second.until_ms && score(entry.second, now_ms) <= 0;
        });
    }

    BanRules rules_;
    std::int64_t swept_ms_ = -1000;
    std::unordered_map<std::string, Entry> entries_;
};

// Bans by address. What came by datagrams may be forged, so it bans the source's datagrams only, unless it is
// proven that the source sent it. Trusted addresses are never banned.
class SourceBans {
public:
    explicit SourceBans(BanRules rules = {}) : bans_(rules) {}

    void set_trusted(std::function<bool(const std::string& ip)> trusted) { trusted_ = std::move(trusted); }
    bool offend(const std::string& ip, double weight, bool proven, std::int64_t now_ms) {
        return !trusts(ip) && bans_.offend(key(ip, !proven), weight, now_ms);
    }
    bool trusts(const std::string& ip) const { return trusted_ && trusted_(ip); }
    bool contains(const std::string& ip, bool datagram, std::int64_t now_ms) const {
        return bans_.contains(key(ip, false), now_ms) || (datagram && bans_.contains(key(ip, true), now_ms));
    }

private:
    static std::string key(const std::string& ip, bool datagrams) {
        return (datagrams ? "udp " : "") + source_network(ip);
    }
    std::function<bool(const std::string& ip)> trusted_;
    Bans bans_;
};

}  // namespace vmr::sip
