// Where the requests of a dialog go once its connection is gone (RFC 3261 sections 12.2.1.1 and 18.1.1,
// RFC 5626 section 5.3). No name is looked up: only who was called, or where the call came from, is called.
// Pure.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "daemon/legs/sip/network/resolver.hpp"

namespace vmr::sip {

struct Opening {
    Target target;
    std::string host;  // whose certificate it must be
};

struct KnownWays {
    std::optional<Flow> binding;    // by which the device is registered now
    std::optional<Opening> opened;  // for this call, or for its trunk
    bool trunk = false;             // the connection was one of its trunk's
};

// A flow that stands, one to open, or none.
using WayBack = std::variant<std::monostate, Flow, Opening>;

// `next_hop`: the first Route, or the remote target.
WayBack way_back(const Flow& gone, const std::string& next_hop, const KnownWays& known);

}  // namespace vmr::sip
