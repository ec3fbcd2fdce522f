#include "daemon/legs/sip/network/re_outbound.hpp"

#include <algorithm>

namespace vmr::sip {
namespace {

std::uint32_t random_below(std::uint32_t limit) {
    return limit == 0 ? 0 : rand_u32() % limit;
}

}  // namespace

Outbound::Outbound(const StackConfig& config, Streams& streams)
    : config_(config), streams_(streams), resolver_(config.outbound.name_servers) {}

Status Outbound::prepare() {
    if (!tls_) {
        Result<TlsPtr> made = make_client_tls(config_.tls, config_.outbound.ca_file);
        if (!made) {
            return Error{made.error()};
        }
        tls_ = std::move(*made);
    }
    return Ok{};
}

void Outbound::resolve(const Destination& wanted, DnsResolver::Done done) {
    // Datagrams leave from the sockets that we listen on; streams need none.
    ResolverMeans means;
    means.udp = means.ipv4 = means.ipv6 = false;
    means.random = random_below;
    for (const ListenAddress& listener : config_.listen) {
        means.udp = means.udp || listener.transport == Transport::udp;
        const bool v6 = listener.address.ip.find(':') != std::string::npos;
        (v6 ? means.ipv6 : means.ipv4) = true;
    }
    resolver_.resolve(wanted, std::move(means), std::move(done));
}

void Outbound::open(const Target& target, const std::string& host, Streams::OnOpened on_opened) {
    if (target.transport != Transport::tls) {
        streams_.open(target, {}, nullptr, std::move(on_opened));
        return;
    }
    if (const Status ready = prepare(); !ready) {
        on_opened(Error{ready.error()});
        return;
    }
    streams_.open(target, host, tls_.get(), std::move(on_opened));
}

}  // namespace vmr::sip
