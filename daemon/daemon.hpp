// vmrd put together: configuration in, rooms, legs, API and records at work. Control thread only.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/api/event_hub.hpp"
#include "daemon/api/server.hpp"
#include "daemon/api/token_store.hpp"
#include "daemon/bridge/bridge.hpp"
#include "daemon/bridge/device_operations.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/legs/webrtc/webrtc_legs.hpp"
#include "daemon/media/pipelines.hpp"
#include "daemon/media/session.hpp"
#include "daemon/ops/certificate_watch.hpp"
#include "daemon/ops/config.hpp"
#include "daemon/ops/pins.hpp"
#include "daemon/store/call_records.hpp"

namespace vmr {

class Daemon {
public:
    static Result<std::unique_ptr<Daemon>> create(const ops::Config& config, const std::string& pipelines);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // SIGHUP: what can follow the new configuration does; of what else has changed each key is logged.
    void reload(const ops::Config& wanted);
    // SIGTERM: no new calls, everyone is released; is_idle() when the last has gone.
    void drain();
    bool is_idle() const { return bridge_->is_idle(); }

    std::vector<std::string> http_urls() const { return server_->urls(); }
    std::vector<std::string> sip_addresses() const { return sip_addresses_; }
    // For the start page: works once.
    std::string one_time_admin_token();

private:
    explicit Daemon(media::Pipelines pipelines) : pipelines_(std::move(pipelines)) {}
    Status start(const ops::Config& config);
    Status start_records(const ops::Config& config);
    Status start_media(const ops::Config& config);
    Status start_sip(const ops::Config& config);
    Status start_devices(const ops::Config& config);
    Status start_api(const ops::Config& config);
    void publish_status(const ops::Config& config);
    void tell_of_trunk(const sip::LineStatus& line);
    void tell_of_certificate(const ops::CertificateWatch::Alarm& alarm);

    ops::Config config_;  // what is in use
    media::Pipelines pipelines_;
    media::MediaEnvironment environment_;
    api::TokenStore tokens_;
    api::EventHub events_;
    ops::PinHasher hasher_;
    std::unique_ptr<store::CallRecords> records_;
    std::unique_ptr<bridge::Services> services_;
    std::unique_ptr<bridge::Bridge> bridge_;
    std::unique_ptr<webrtc::WebRtcLegs> webrtc_;
    std::unique_ptr<sip::SipLegs> sip_;
    std::unique_ptr<bridge::DeviceOperations> devices_;  // null: nobody registers
    std::unique_ptr<api::Server> server_;
    ops::CertificateWatch certificates_{
        [this](const ops::CertificateWatch::Alarm& alarm) { tell_of_certificate(alarm); }};
    std::vector<std::string> sip_addresses_;
};

}  // namespace vmr
