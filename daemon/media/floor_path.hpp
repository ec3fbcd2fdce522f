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

namespace vmr::media {

class FloorPath {
public:
    // One whole message of the peer.
    using Receive = std::function<void(std::string_view message)>;

    virtual ~FloorPath() = default;
    virtual std::uint16_t port() const = 0;
    virtual void set_remote(const std::string& address, std::uint16_t port) = 0;
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

// Messages a second that are looked at; a burst of twice as many.
class FloorRate {
public:
    bool allows(std::int64_t now_us);

private:
    static constexpr double kPerSecond = 20;
    double tokens_ = 2 * kPerSecond;
    std::int64_t last_us_ = 0;
};

}  // namespace vmr::media
