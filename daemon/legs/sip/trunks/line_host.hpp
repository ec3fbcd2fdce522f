// What the ways to trunks' proxies need of the place that holds them.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/network/resolver.hpp"

namespace vmr::sip {

// One proxy of a trunk, as it stands.
struct LineStatus {
    std::string trunk;
    std::string proxy;  // its URI
    bool up = false;
    bool registered = false;
    std::string why;  // it is down: one line; empty: not known yet, or up
    bool operator==(const LineStatus&) const = default;
};

class LineHost {
public:
    virtual ~LineHost() = default;
    // As Stack's; the answer comes later, or from within.
    using OnResolved = std::function<void(const Result<std::vector<Target>>&)>;
    using OnOpened = std::function<void(const Result<Flow>&)>;
    virtual void resolve(const Destination& destination, OnResolved on_resolved) = 0;
    virtual void open(const Target& target, const std::string& host, OnOpened on_opened) = 0;
    virtual std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                                  const std::string& bytes, const std::string& ack) = 0;
    virtual std::int64_t now() const = 0;
    virtual std::string new_token() = 0;  // random
    // Up or down.
    virtual void on_line_changed(const LineStatus& status) = 0;
    // Other addresses of the trunk's proxies than before are known.
    virtual void on_trunk_found(const std::string& trunk) = 0;
};

}  // namespace vmr::sip
