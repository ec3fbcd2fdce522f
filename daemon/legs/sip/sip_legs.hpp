// All SIP and phone legs: from the stack's messages to the bridge's LegObserver.
// Lives on the control context; only the stack has a thread of its own.
#pragma once
#include <glib.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/network/stack.hpp"
#include "daemon/legs/sip/registered_devices.hpp"
#include "daemon/legs/sip/routing/dial_rules.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"
#include "daemon/legs/sip/trunks/line_host.hpp"

namespace vmr::sip {

struct SipConfig {
    StackConfig stack;
    std::string contact_host;  // name or address in our Contact; empty: the address a call came to
    std::string realm = "sip";
    std::vector<TrunkConfig> trunks;
    std::size_t max_calls = 1000;
    // Calls without an ACK yet, each with its media; beyond it who has waited longest gives way.
    std::size_t max_half_open = 300;
    std::size_t max_half_open_per_source = 50;  // per source address; trunk sources are not held to it
    double invites_per_second = 100;            // per source address
    std::size_t max_transactions = 10000;
    std::size_t max_transactions_per_source = 2000;  // trunk sources are not held to it
    // A proxy on this machine speaks for others, so its address is not banned for what they do.
    bool ban_loopback = false;
    DialConfig dial;  // calls that we place: none without rules
    RegistrarConfig registrar;
    std::vector<ConfiguredDevice> devices;
    // A trunk's proxy came up or went down. From the control context.
    std::function<void(const LineStatus&)> on_trunk_changed;
};

class SipLegs : public Dialler {
public:
    // `context` is the control context (null: the default one); `observer` outlives this.
    SipLegs(SipConfig config, LegObserver& observer, GMainContext* context = nullptr);
    ~SipLegs() override;
    SipLegs(const SipLegs&) = delete;
    SipLegs& operator=(const SipLegs&) = delete;

    // Checks the trunks, binds, starts the thread; returns addresses with their real ports.
    Result<std::vector<ListenAddress>> start();
    // Ends every call (BYE or 503) and stops the thread. The legs' ends are reported first.
    void stop(EndCause cause = EndCause::shutdown);
    // From now on new calls get 503; the ones there stay (draining).
    void refuse_new_calls();
    Status reload_certificate();
    // From the next call on; those that came from a trunk that is gone go on. An error: the old ones stay.
    Status set_trunks(std::vector<TrunkConfig> trunks);

    // From the next call on; an error: the old ones stay.
    Status set_dial_rules(DialConfig config);
    Result<DialPlan> plan(const std::string& address) const override;
    std::shared_ptr<Leg> dial(const Placement& placement) override;

    // Null unless the registrar is enabled.
    Devices* devices();
    // From the next registration on. The first device that cannot be set is the error; the others are.
    Status set_registrar(RegistrarConfig config, std::vector<ConfiguredDevice> devices);
    // Where a device is, best first, and the flow to reach it by.
    std::vector<Contact> lookup(const std::string& device) const;
    std::vector<LineStatus> trunk_lines() const;

    std::size_t calls() const;
    std::size_t half_open() const;
    StackStatistics statistics() const;

private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace vmr::sip
