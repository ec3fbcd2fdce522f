// How the BFCP messages of one participant travel: datagrams, or a connection (RFC 8856 section 8). Who knows
// the conference and user that our SDP gave is believed, wherever they come from: the conference is a random
// number. Control thread only; nothing blocks.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/token_bucket.hpp"

namespace vmr::media {

class FloorPath {
public:
    // One whole message of the peer.
    using Receive = std::function<void(std::string_view message)>;

    virtual ~FloorPath() = default;
    virtual std::uint16_t port() const = 0;
    // `keep`: a connection that there is already serves on (RFC 4145 section 5).
    virtual void set_remote(const std::string& address, std::uint16_t port, bool keep) = 0;
    virtual bool connected() const { return false; }
    virtual void send(const std::string& bytes) = 0;
};

struct FloorPathParams {
    std::string local_address;
    std::uint16_t port_min = 0, port_max = 0;
    std::uint32_t conference = 0;
    std::uint16_t user = 0;
};

Result<std::unique_ptr<FloorPath>> open_udp_floor_path(const FloorPathParams& params,
                                                       FloorPath::Receive receive);
// `passive`: the peer connects to us; else we connect to it.
Result<std::unique_ptr<FloorPath>> open_tcp_floor_path(const FloorPathParams& params, bool passive,
                                                       FloorPath::Receive receive);

// What is looked at of a peer's messages: 20 a second, in bursts of 40.
inline TokenBucket floor_rate(SteadyTime now) {
    return {20, 40, now};
}

}  // namespace vmr::media
