#include "daemon/legs/sip/trunks/lines.hpp"

#include <algorithm>

#include "daemon/legs/sip/dialog/transaction.hpp"

namespace vmr::sip {

void Lines::set(const std::vector<TrunkConfig>& trunks, const std::string& contact_host, std::int64_t now) {
    std::map<std::string, TrunkLines> before = std::exchange(trunks_, {});
    for (const TrunkConfig& config : trunks) {
        if (config.settings.proxies.empty()) {
            continue;
        }
        const auto known = before.find(config.name);
        if (known != before.end() && known->second.config == config &&
            known->second.contact_host == contact_host) {
            trunks_.insert(before.extract(known));
            continue;
        }
        TrunkLines& made = trunks_[config.name];
        made.config = config;
        made.contact_host = contact_host;
        for (const std::string& proxy : config.settings.proxies) {
            made.lines.push_back(std::make_shared<Line>(host_, config, proxy, contact_host));
        }
    }
    for (const auto& [name, gone] : before) {
        leave(gone, now);
    }
}

void Lines::leave(const TrunkLines& trunk, std::int64_t now) {
    for (const auto& line : trunk.lines) {
        line->withdraw(now);
        leaving_.push_back({line, now + kTimeout});
    }
}

void Lines::withdraw(std::int64_t now) {
    for (const auto& [name, trunk] : trunks_) {
        for (const auto& line : trunk.lines) {
            line->withdraw(now);
        }
    }
}

std::vector<std::string> Lines::ways(const std::string& trunk) const {
    std::vector<std::string> up, down;
    if (const auto found = trunks_.find(trunk); found != trunks_.end()) {
        for (const auto& line : found->second.lines) {
            (line->usable() ? up : down).push_back(line->status().proxy);
        }
        if (!found->second.config.settings.options_first) {
            up.insert(up.end(), down.begin(), down.end());
        }
    }
    return up;
}

std::vector<LineStatus> Lines::status() const {
    std::vector<LineStatus> all;
    for (const auto& [name, trunk] : trunks_) {
        for (const auto& line : trunk.lines) {
            all.push_back(line->status());
        }
    }
    return all;
}

std::set<std::string> Lines::addresses(const std::string& trunk) const {
    std::set<std::string> found;
    if (const auto lines = trunks_.find(trunk); lines != trunks_.end()) {
        for (const auto& line : lines->second.lines) {
            found.insert(line->addresses().begin(), line->addresses().end());
        }
    }
    return found;
}

std::optional<Opening> Lines::opened_at(const std::string& trunk, const std::string& ip) const {
    if (const auto lines = trunks_.find(trunk); lines != trunks_.end()) {
        for (const auto& line : lines->second.lines) {
            if (line->opened() && line->opened()->target.address.ip == ip) {
                return line->opened();
            }
        }
    }
    return std::nullopt;
}

// A copy: what a line is told may change the trunks.
std::vector<std::shared_ptr<Line>> Lines::all() const {
    std::vector<std::shared_ptr<Line>> lines;
    for (const auto& [name, trunk] : trunks_) {
        lines.insert(lines.end(), trunk.lines.begin(), trunk.lines.end());
    }
    for (const Leaving& leaving : leaving_) {
        lines.push_back(leaving.line);
    }
    return lines;
}

void Lines::tick(std::int64_t now) {
    std::erase_if(leaving_, [now](const Leaving& leaving) { return now >= leaving.until; });
    for (const auto& line : all()) {
        line->tick(now);
    }
}

std::optional<std::int64_t> Lines::next_deadline() const {
    std::optional<std::int64_t> next;
    for (const auto& [name, trunk] : trunks_) {
        for (const auto& line : trunk.lines) {
            const auto at = line->next_deadline();
            next = at && (!next || *at < *next) ? at : next;
        }
    }
    for (const Leaving& leaving : leaving_) {
        next = !next || leaving.until < *next ? std::optional(leaving.until) : next;
    }
    return next;
}

bool Lines::receive_response(std::uint64_t id, const Message& response, std::int64_t now) {
    return std::ranges::any_of(all(),
                               [&](const auto& line) { return line->receive_response(id, response, now); });
}

void Lines::request_timed_out(std::uint64_t id, std::int64_t now) {
    for (const auto& line : all()) {
        if (line->request_timed_out(id, now)) {
            return;
        }
    }
}

void Lines::connection_closed(std::uint64_t connection, std::int64_t now) {
    for (const auto& line : all()) {
        line->connection_closed(connection, now);
    }
}

}  // namespace vmr::sip
