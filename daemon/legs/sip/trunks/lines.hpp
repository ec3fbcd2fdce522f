// The ways to all trunks' proxies, and which of them calls take now. Pure.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/legs/sip/trunks/line.hpp"

namespace vmr::sip {

class Lines {
public:
    explicit Lines(LineHost& host) : host_(host) {}

    // Lines of trunks that are as they were go on; others begin, or end.
    void set(const std::vector<TrunkConfig>& trunks, const std::string& contact_host, std::int64_t now);
    // URIs of the trunk's proxies, the one to try first in front: those that are up, then, where calls need
    // no answer to OPTIONS first, those that are down.
    std::vector<std::string> ways(const std::string& trunk) const;
    std::vector<LineStatus> status() const;
    std::set<std::string> addresses(const std::string& trunk) const;
    // What was opened to the trunk's proxy that has this address.
    std::optional<Opening> opened_at(const std::string& trunk, const std::string& ip) const;
    // Takes back what is registered; nothing is begun any more.
    void withdraw(std::int64_t now);

    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    bool receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    void request_timed_out(std::uint64_t id, std::int64_t now);
    void connection_closed(std::uint64_t connection, std::int64_t now);

private:
    struct TrunkLines {
        TrunkConfig config;
        std::string contact_host;
        std::vector<std::shared_ptr<Line>> lines;
    };
    struct Leaving {
        std::shared_ptr<Line> line;
        std::int64_t until;
    };
    void leave(const TrunkLines& trunk, std::int64_t now);
    std::vector<std::shared_ptr<Line>> all() const;

    LineHost& host_;
    std::map<std::string, TrunkLines> trunks_;
    std::vector<Leaving> leaving_;  // until their registrations are taken back
};

}  // namespace vmr::sip
