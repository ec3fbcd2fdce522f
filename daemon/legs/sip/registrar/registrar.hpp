// REGISTER (RFC 3261 section 10) with digest, RFC 5626 outbound, minimum firmware. One owner for each
// address-of-record: the device whose credentials were shown. Pure: time is an argument (milliseconds).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/source_limiter.hpp"
#include "daemon/legs/devices.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/registrar/accounts.hpp"
#include "daemon/legs/sip/registrar/firmware.hpp"
#include "daemon/legs/sip/registrar/gruu.hpp"
#include "daemon/legs/sip/registrar/locations.hpp"

namespace vmr::sip {

struct RegistrarConfig {
    bool enabled = false;
    std::vector<std::string> domains;  // ours, besides the addresses that we are called at; lower case
    bool allow_clear = false;          // over UDP and TCP too
    std::chrono::seconds min_expires{60};
    std::chrono::seconds max_expires{3600};
    std::chrono::seconds keep_alive{120};       // what RFC 5626 flows are told (Flow-Timer)
    std::chrono::seconds keep_alive_grace{15};  // until a silent one is closed
    std::size_t max_devices = 10000;
    std::size_t max_contacts = 4;  // of one device: a further one takes the place of the oldest
    std::size_t max_registrations = 10000;
    std::size_t max_registrations_per_source = 500;
    double requests_per_second = 50;  // of one source
    std::vector<FirmwareRule> firmware;
};

class Registrar {
public:
    // `accounts` and `digest` outlive this.
    Registrar(RegistrarConfig config, const Accounts& accounts, Digest& digest);

    using OnEvent = std::function<void(const DeviceEvent&)>;
    void set_on_event(OnEvent on_event) { on_event_ = std::move(on_event); }

    // True: the source sends too many; for a refusal without a transaction.
    bool is_over_limit(const Message& request, std::int64_t now);
    struct Outcome {
        Reply reply;
        bool wrong_digest = false;
        bool outbound = false;  // whoever it is keeps the flow alive, and it is dead when they do not
    };
    Outcome answer(const Message& request, std::int64_t now);

    void tick(std::int64_t now);
    void connection_closed(std::uint64_t connection);
    std::optional<std::int64_t> next_deadline() const { return locations_.next_deadline(); }
    // The device is gone.
    void forget(const std::string& device);

    // Best first; empty: not registered.
    std::vector<Contact> lookup(const std::string& device) const { return locations_.lookup(device); }
    // Whom the user part of a temporary GRUU names.
    std::optional<Locations::Owned> owner_of(std::string_view user) const;
    // The device that a request comes from: by the connection that it registered by, and its From. Not behind
    // a proxy, whose connection is others' too.
    const DeviceAccount* sender_of(const Message& request) const;
    bool is_own_domain(const std::string& host, const Flow& flow) const;
    // When it last registered, or tried with right credentials but a firmware too old.
    struct Seen {
        std::int64_t at = 0;
        std::string user_agent;
    };
    const Seen* seen(const std::string& device) const;
    std::size_t registrations() const { return locations_.size(); }
    const RegistrarConfig& config() const { return config_; }
    // For what comes from now on.
    void reconfigure(RegistrarConfig config);

private:
    struct Wanted {  // what a REGISTER asks of one contact
        Contact contact;
        std::int64_t expires = 0;  // seconds
    };
    std::optional<Reply> early_refusal(const Message& request) const;
    const DeviceAccount* authenticate(const Message& request, std::int64_t now, Outcome& outcome);
    Reply apply(const DeviceAccount& device, const Message& request, std::int64_t now);
    Reply remove_all(const DeviceAccount& device, const Message& request, std::int64_t now);
    std::optional<Reply> read(const Message& request, std::int64_t now, std::vector<Wanted>& wanted) const;
    std::optional<Reply> check(const std::string& device, const Message& request,
                               const std::vector<Wanted>& wanted) const;
    void store(const std::string& device, Wanted wanted);
    Reply bindings(const DeviceAccount& device, const Message& request, std::int64_t now);
    std::string gruus(const DeviceAccount& device, const Contact& contact, const Message& request);
    bool keeps_alive(const DeviceAccount& device, const Message& request) const;
    bool wants_outbound(const Message& request) const;
    void tell(DeviceEvent::Kind kind, const std::string& device, const Contact& contact,
              const std::string& reason) const;

    RegistrarConfig config_;
    const Accounts& accounts_;
    Digest& digest_;
    Locations locations_;
    TempGruus temp_gruus_;
    SourceLimiter requests_;
    std::unordered_map<std::string, Seen> seen_;  // by device: as many as there are accounts
    OnEvent on_event_;
};

}  // namespace vmr::sip
