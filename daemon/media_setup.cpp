#include "daemon/media_setup.hpp"

#include <gio/gio.h>

#include <chrono>

#include "base/cidr.hpp"
#include "base/gst_ptr.hpp"

namespace vmr {
namespace {

constexpr std::chrono::hours kTurnCredentialLifetime{24};

struct TurnCredential {
    std::string username;
    std::string password;
};

// With a shared secret: the time-limited credential of the TURN REST API (coturn's use-auth-secret).
TurnCredential turn_credential(const ops::TurnServer& server, const std::string& user) {
    if (!server.shared_secret) {
        return {server.username, server.secret};
    }
    const auto expiry = std::chrono::system_clock::now() + kTurnCredentialLifetime;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expiry.time_since_epoch()).count();
    const std::string username = std::to_string(seconds) + ":" + user;
    unsigned char digest[20];
    gsize size = sizeof digest;
    GHmac* hmac = g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(server.secret.data()),
                             server.secret.size());
    g_hmac_update(hmac, reinterpret_cast<const guchar*>(username.data()),
                  static_cast<gssize>(username.size()));
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    const GCharPtr password(g_base64_encode(digest, size));
    return {username, password.get()};
}

media::TurnServer::Transport transport_of(ops::TurnTransport transport) {
    using Transport = media::TurnServer::Transport;
    return transport == ops::TurnTransport::tls   ? Transport::tls
           : transport == ops::TurnTransport::tcp ? Transport::tcp
                                                  : Transport::udp;
}

}  // namespace

media::AdvertisedAddresses advertised_addresses(const ops::MediaConfig& config) {
    media::AdvertisedAddresses advertised;
    for (const std::string& address : config.advertised_addresses) {
        (address_bytes(address).size() == 16 ? advertised.ipv6 : advertised.ipv4) = address;
    }
    for (const std::string& network : config.local_networks) {
        advertised.local_networks.push_back(parse_cidr(network).value());
    }
    return advertised;
}

media::IceParams ice_params(const ops::MediaConfig& config) {
    media::IceParams ice;
    ice.local_addresses = config.addresses;
    ice.port_min = config.port_min;
    ice.port_max = config.port_max;
    if (!config.stun.empty()) {
        ice.stun_address = config.stun.front().address;
        ice.stun_port = config.stun.front().port;
    }
    for (const ops::TurnServer& server : config.turn) {
        media::TurnServer turn;
        turn.address = server.server.address;
        turn.port = server.server.port;
        const TurnCredential credential = turn_credential(server, "vmrd");
        turn.username = credential.username;
        turn.password = credential.password;
        turn.transport = transport_of(server.transport);
        ice.turn_servers.push_back(turn);
    }
    return ice;
}

nlohmann::json browser_ice_servers(const ops::MediaConfig& config, const std::string& participant) {
    nlohmann::json servers = nlohmann::json::array();
    for (const ops::Endpoint& stun : config.stun) {
        servers.push_back({{"urls", {"stun:" + stun.text()}}});
    }
    for (const ops::TurnServer& turn : config.turn) {
        const TurnCredential credential = turn_credential(turn, participant);
        servers.push_back(
            {{"urls", {turn.url}}, {"username", credential.username}, {"credential", credential.password}});
    }
    return servers;
}

}  // namespace vmr
