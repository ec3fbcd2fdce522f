// Ways that we open: name look-up, and connections with the far side's certificate checked. Everything runs
// on the sip thread.
#pragma once
#include "base/libre.hpp"

#include <string>
#include <utility>

#include "daemon/legs/sip/network/re_dns.hpp"
#include "daemon/legs/sip/network/re_streams.hpp"
#include "daemon/legs/sip/network/re_tls.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

class Outbound {
public:
    // `streams` outlives this.
    Outbound(const StackConfig& config, Streams& streams);
    Outbound(const Outbound&) = delete;
    Outbound& operator=(const Outbound&) = delete;

    // Reads the files for TLS: what is wrong with them is found at the start, not by the first call.
    Status prepare();
    void resolve(const Destination& wanted, DnsResolver::Done done);
    void open(const Target& target, const std::string& host, Streams::OnOpened on_opened);
    // For the next connections.
    void use(TlsPtr tls) { tls_ = std::move(tls); }

private:
    const StackConfig& config_;
    Streams& streams_;
    DnsResolver resolver_;
    TlsPtr tls_;  // made when first needed
};

}  // namespace vmr::sip
