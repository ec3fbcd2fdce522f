#include "daemon/legs/sip/routing/way_back.hpp"

#include "base/cidr.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

bool keeps_tls(const Flow& gone, Transport now) {
    return gone.transport != Transport::tls || now == Transport::tls;
}

bool is_same_ip(const std::string& one, const std::string& other) {
    const std::vector<unsigned char> bytes = address_bytes(one);
    return !bytes.empty() && bytes == address_bytes(other);
}

// The address that the connection went to, at the port where the other side says that it listens. Of a trunk
// a name will do: it is not looked up, the certificate must be its.
std::optional<Opening> at_same_address(const Flow& gone, const std::string& next_hop, bool trunk) {
    const std::optional<Uri> uri = parse_uri(next_hop);
    if (!uri || (uri->scheme != "sip" && uri->scheme != "sips")) {
        return std::nullopt;
    }
    const bool literal = !address_bytes(uri->host).empty();
    if (literal ? !is_same_ip(uri->host, gone.remote.ip) : !trunk) {
        return std::nullopt;
    }
    const std::uint16_t usual = gone.transport == Transport::tls ? 5061 : 5060;
    const std::uint16_t port = uri->port != 0 ? uri->port : usual;
    return Opening{{gone.transport, {gone.remote.ip, port}}, uri->host};
}

}  // namespace

WayBack way_back(const Flow& gone, const std::string& next_hop, const KnownWays& known) {
    if (known.binding && keeps_tls(gone, known.binding->transport)) {
        return *known.binding;
    }
    const bool opened = known.opened && keeps_tls(gone, known.opened->target.transport);
    if (opened && known.opened->target.transport == gone.transport &&
        is_same_ip(known.opened->target.address.ip, gone.remote.ip)) {
        return *known.opened;
    }
    if (const std::optional<Opening> there = at_same_address(gone, next_hop, known.trunk)) {
        return *there;
    }
    // The other side had come by another way, which does not say where it can be called.
    if (opened) {
        return *known.opened;
    }
    return {};
}

}  // namespace vmr::sip
