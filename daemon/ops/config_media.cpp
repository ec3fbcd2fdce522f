#include "daemon/ops/config_media.hpp"

#include <algorithm>
#include <utility>

#include "base/cidr.hpp"
#include "daemon/ops/host_names.hpp"

namespace vmr::ops {
namespace {

using nlohmann::json;

// Of one host: 0.0.0.0 and multicast (224.0.0.0/4, ff00::/8) are nobody's.
bool is_reachable(const std::string& text) {
    const auto bytes = address_bytes(text);
    const bool any = std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte == 0; });
    const bool v6 = text.find(':') != std::string::npos;
    return bytes.size() == (v6 ? 16 : 4) && !any && (v6 ? bytes[0] != 0xff : bytes[0] < 224);
}

void read_addresses(ConfigDocument& document, const json& object, MediaConfig& media) {
    media.addresses = object.value("addresses", media.addresses);
    for (std::size_t i = 0; i < media.addresses.size(); ++i) {
        if (!is_address(media.addresses[i])) {
            document.fault("/media/addresses/" + std::to_string(i), "must be a numeric address");
        }
    }
    media.advertised_addresses = object.value("advertised_addresses", media.advertised_addresses);
    bool known[2] = {};
    for (std::size_t i = 0; i < media.advertised_addresses.size(); ++i) {
        const std::string& address = media.advertised_addresses[i];
        const std::string at = "/media/advertised_addresses/" + std::to_string(i);
        if (!is_reachable(address)) {
            document.fault(at, "must be a numeric address at which peers reach one host");
        } else if (std::exchange(known[address_bytes(address).size() == 16], true)) {
            document.fault(at, "there may be one IPv4 and one IPv6 address");
        }
    }
    media.local_networks = object.value("local_networks", media.local_networks);
    for (std::size_t i = 0; i < media.local_networks.size(); ++i) {
        if (!is_network(media.local_networks[i])) {
            document.fault("/media/local_networks/" + std::to_string(i),
                           "must be an IP address or CIDR network");
        }
    }
}

bool is_server(const Endpoint& server) {
    return server.port != 0 && is_host(server.address);
}

// RFC 7065: "turn:192.0.2.10:3478?transport=tcp".
TurnServer read_turn(ConfigDocument& document, const json& object, const std::string& at) {
    constexpr std::uint16_t kPort = 3478, kTlsPort = 5349;
    TurnServer turn;
    turn.url = object.value("url", "");
    const bool tls = turn.url.starts_with("turns:");
    const std::size_t begin = turn.url.find(':') + 1;
    const std::size_t query = std::min(turn.url.find('?'), turn.url.size());
    const std::string transport = turn.url.substr(query);
    turn.server = split_endpoint(turn.url.substr(begin, query - begin), tls ? kTlsPort : kPort);
    turn.transport = tls                             ? TurnTransport::tls
                     : transport == "?transport=tcp" ? TurnTransport::tcp
                                                     : TurnTransport::udp;
    if (!is_server(turn.server) ||
        (!transport.empty() && transport != "?transport=udp" && transport != "?transport=tcp")) {
        document.fault(at + "/url", "must be turn:host:port or turns:host:port, and ?transport=udp or tcp");
    }
    turn.username = object.value("username", "");
    turn.secret = document.secret(at + "/secret");
    turn.shared_secret = object.value("shared_secret", false);
    return turn;
}

}  // namespace

void read_media(ConfigDocument& document, MediaConfig& media) {
    const json object = document.table("media");
    media.port_min = object.value("port_min", media.port_min);
    media.port_max = object.value("port_max", media.port_max);
    if (media.port_min >= media.port_max) {
        document.fault("/media/port_min", "must be below media.port_max");
    }
    read_addresses(document, object, media);
    for (const std::string& text : object.value("stun", std::vector<std::string>())) {
        const std::string at = "/media/stun/" + std::to_string(media.stun.size());
        media.stun.push_back(split_endpoint(text));
        if (!is_server(media.stun.back())) {
            document.fault(at, "must be host:port or [v6]:port");
        }
    }
    media.audio_dscp = object.value("audio_dscp", media.audio_dscp);
    media.video_dscp = object.value("video_dscp", media.video_dscp);
    media.io_threads = object.value("io_threads", media.io_threads);
    media.video_width = object.value("video_width", media.video_width);
    media.video_height = object.value("video_height", media.video_height);
    media.video_framerate = object.value("video_framerate", media.video_framerate);
    media.video_bitrate = object.value("video_bitrate", media.video_bitrate);
    for (const auto& [key, pixels] :
         {std::pair("video_width", media.video_width), std::pair("video_height", media.video_height)}) {
        if (pixels % 2 != 0) {  // I420 halves both
            document.fault(std::string("/media/") + key, "must be even");
        }
    }
    const json turn = object.value("turn", json::array());
    for (std::size_t i = 0; i < turn.size(); ++i) {
        media.turn.push_back(read_turn(document, turn[i], "/media/turn/" + std::to_string(i)));
    }
}

}  // namespace vmr::ops
