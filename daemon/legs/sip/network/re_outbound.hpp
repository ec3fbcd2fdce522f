// Ways that we open: name look-up, and connections with the far side's certificate checked. Everything runs
// on the sip thread.
#pragma once
#include "base/libre.hpp"

#include <string>

#include "daemon/legs/sip/network/re_dns.hpp"
#include "daemon/legs/sip/network/re_streams.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

class Outbound {
public:
    // `streams` outlives this.
    Outbound(const StackConfig& config, Streams& streams);
    ~Outbound();
    Outbound(const Outbound&) = delete;
    Outbound& operator=(const Outbound&) = delete;

    // Reads the files for TLS: what is wrong with them is found at the start, not by the first call.
    Status prepare();
    void resolve(const Destination& wanted, DnsResolver::Done done);
    void open(const Target& target, const std::string& host, Streams::OnOpened on_opened);
    // Certificates are read again for the next connection.
    void forget_certificates();

private:
    const StackConfig& config_;
    Streams& streams_;
    DnsResolver resolver_;
    struct tls* tls_ = nullptr;  // made when first needed
};

}  // namespace vmr::sip
