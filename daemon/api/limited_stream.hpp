// A stream that wraps a connection's: reads only what a budget allows, and counts what it wrote.
// libsoup bounds neither a request's headers nor a fragmented WebSocket message; this does.
#pragma once
#include <gio/gio.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/gst_ptr.hpp"

namespace vmr::api {

struct StreamBudget {
    std::uint64_t read_left = 0;  // bytes; at 0 reads fail and the connection ends
    std::uint64_t written = 0;    // bytes
    // Asked when read_left is spent: how much more may be read after all (0: nothing).
    std::function<std::uint64_t()> more;
};

// `base` is kept alive and is closed with the stream.
GPtr<GIOStream> make_limited_stream(GIOStream* base, std::shared_ptr<StreamBudget> budget);

}  // namespace vmr::api
