#include "daemon/daemon.hpp"

#include <gio/gio.h>

#include "daemon/device_setup.hpp"
#include "daemon/media_setup.hpp"
#include "daemon/ops/config_reload.hpp"
#include "daemon/ops/log.hpp"
#include "daemon/store/call_costs.hpp"
#include "daemon/trunk_setup.hpp"

namespace vmr {
namespace {

constexpr std::chrono::hours kAdminLinkLifetime{24};

sip::ListenAddress sip_listener(sip::Transport transport, const ops::Endpoint& endpoint) {
    return {transport, {endpoint.address, endpoint.port}};
}

bridge::Bridge::DialLimits dial_limits(const ops::DialOutConfig& config) {
    return {static_cast<std::size_t>(config.max_calls),
            static_cast<std::size_t>(config.max_calls_per_room),
            config.refer == ops::Referrals::participants,
            {config.max_spend_per_day, config.max_spend_per_room_per_day}};
}

Result<sip::SipConfig> sip_config(const ops::Config& config) {
    sip::SipConfig sip;
    for (const auto& endpoint : config.sip.udp) {
        sip.stack.listen.push_back(sip_listener(sip::Transport::udp, endpoint));
    }
    for (const auto& endpoint : config.sip.tcp) {
        sip.stack.listen.push_back(sip_listener(sip::Transport::tcp, endpoint));
    }
    for (const auto& endpoint : config.sip.tls) {
        sip.stack.listen.push_back(sip_listener(sip::Transport::tls, endpoint));
    }
    for (const ops::MutualTlsListener& listener : config.sip.mutual_tls) {
        sip.stack.listen.push_back(sip_listener(sip::Transport::tls, listener.listen));
        sip.stack.listen.back().required_client_ca_file = listener.client_ca;
    }
    sip.stack.tls = {config.sip.certificate.certificate, config.sip.certificate.key, config.sip.client_ca};
    for (const ops::TlsFiles& files : config.sip.certificates) {
        sip.stack.tls.more.push_back({files.certificate, files.key});
    }
    sip.contact_host = config.sip.advertised_host;
    sip.stack.software = config.sip.software;
    for (const std::string& host : {config.sip.advertised_host, config.sip.domain}) {
        sip.realm = host.empty() ? sip.realm : host;
    }
    auto trunks = sip_trunks(config);
    if (!trunks) {
        return Error{trunks.error()};
    }
    sip.trunks = std::move(*trunks);
    sip.dial = dial_config(config);
    sip.registrar = registrar_config(config);
    sip.devices = configured_devices(config);
    make_room_for_devices(config, sip.stack);
    sip.stack.outbound.ca_file = config.dial_out.ca;
    for (const ops::Endpoint& server : config.dial_out.name_servers) {
        sip.stack.outbound.name_servers.push_back({server.address, server.port});
    }
    return sip;
}

// A restart gives no new money.
void restore_spend(const std::string& records, bridge::Spend& spend) {
    const auto now = std::chrono::system_clock::now();
    for (const store::CallCost& call : store::call_costs(records, now - bridge::Spend::kWindow)) {
        spend.restore(call.room, call.cost,
                      std::max(now - call.ended_at, std::chrono::system_clock::duration(0)));
    }
}

std::vector<std::string> certificate_files(const ops::Config& config) {
    std::vector<std::string> files{config.http.tls.certificate, config.sip.certificate.certificate};
    for (const ops::TlsFiles& more : config.sip.certificates) {
        files.push_back(more.certificate);
    }
    return files;
}

// PINs that we made up ourselves are shown to the administrator; those of a configuration are known to who
// wrote it.
nlohmann::json self_made_pins(const ops::Config& config) {
    nlohmann::json pins = nlohmann::json::object();
    for (const ops::RoomConfig& room : config.rooms) {
        if (config.self_contained && !room.host_pin.empty()) {
            pins[room.id] = {{"host", room.host_pin}, {"guest", room.guest_pin}};
        }
    }
    return pins;
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(const ops::Config& config, const std::string& pipelines) {
    auto loaded = media::Pipelines::load(pipelines);
    if (!loaded) {
        return Error{loaded.error()};
    }
    std::unique_ptr<Daemon> daemon(new Daemon(std::move(*loaded)));
    if (const Status started = daemon->start(config); !started) {
        return Error{started.error()};
    }
    return daemon;
}

Daemon::~Daemon() {
    if (server_) {
        server_->stop();
    }
    if (sip_) {
        bridge_->set_dialler(nullptr);
        bridge_->set_devices(nullptr);
        sip_->stop();
    }
}

Status Daemon::start(const ops::Config& config) {
    config_ = config;
    for (const auto step : {&Daemon::start_records, &Daemon::start_media, &Daemon::start_sip,
                            &Daemon::start_devices, &Daemon::start_api}) {
        if (const Status done = (this->*step)(config); !done) {
            return done;
        }
    }
    publish_status(config);
    return Ok{};
}

Status Daemon::start_records(const ops::Config& config) {
    store::CallRecordsOptions options;
    if (config.records_path.empty()) {
        return Error{"records.path: a file for the call records is needed"};
    }
    options.path = config.records_path;
    options.server_version = VMR_VERSION;
    options.on_trouble = [](const std::string& trouble) {
        trouble.empty() ? g_message("call records are written again")
                        : g_critical("call records: %s", trouble.c_str());
    };
    auto records = store::CallRecords::open(std::move(options));
    if (!records) {
        return Error{records.error()};
    }
    records_ = std::move(*records);
    return Ok{};
}

Status Daemon::start_media(const ops::Config& config) {
    auto certificate = media::DtlsCertificate::generate();
    if (!certificate) {
        return Error{certificate.error()};
    }
    environment_.pipelines = &pipelines_;
    environment_.io = std::make_shared<media::MediaIoPool>(config.media.io_threads);
    environment_.certificate = *certificate;
    environment_.advertised = advertised_addresses(config.media);
    environment_.udp.port_min = config.media.port_min;
    environment_.udp.port_max = config.media.port_max;
    environment_.audio_dscp = static_cast<std::uint8_t>(config.media.audio_dscp);
    environment_.video_dscp = static_cast<std::uint8_t>(config.media.video_dscp);
    environment_.ice = [media = config.media] { return ice_params(media); };
    services_ = std::make_unique<bridge::Services>(bridge::Services{
        pipelines_,
        {config.media.video_width, config.media.video_height, config.media.video_framerate,
         config.media.video_bitrate},
        {config.prompts_path, config.prompts_language},
        *records_,
        events_,
        tokens_,
        hasher_,
        std::make_shared<room::PinThrottle>(),
        [media = config.media](const std::string& participant) {
            return browser_ice_servers(media, participant);
        },
        VMR_VERSION,
    });
    services_->sip_media = {config.sip.ice != ops::SipIce::off, config.sip.ice == ops::SipIce::lite,
                            config.sip.ice_offers, config.sip.max_video_bitrate, config.sip.far_end_camera};
    restore_spend(config.records_path, services_->spend);
    bridge_ = std::make_unique<bridge::Bridge>(*services_, environment_);
    bridge_->start_rooms(config.rooms);
    events_.set_snapshot_provider([this](const std::string& room) { return bridge_->snapshot(room); });
    webrtc_ = std::make_unique<webrtc::WebRtcLegs>(*bridge_);
    return Ok{};
}

Status Daemon::start_sip(const ops::Config& config) {
    auto settings = sip_config(config);
    if (!settings) {
        return Error{"SIP: " + settings.error()};
    }
    settings->on_trunk_changed = [this](const sip::LineStatus& line) { tell_of_trunk(line); };
    sip_ = std::make_unique<sip::SipLegs>(std::move(*settings), *bridge_);
    auto listening = sip_->start();
    if (!listening) {
        return Error{"SIP: " + listening.error()};
    }
    bridge_->set_dialler(sip_.get());
    bridge_->set_dial_limits(dial_limits(config.dial_out));
    for (const sip::ListenAddress& listener : *listening) {
        sip_addresses_.push_back(std::string("sip:") + listener.address.text() +
                                 ";transport=" + sip::uri_param(listener.transport));
    }
    return Ok{};
}

Status Daemon::start_devices(const ops::Config& config) {
    Devices* devices = sip_->devices();
    if (devices == nullptr) {
        return Ok{};
    }
    devices_ = std::make_unique<bridge::DeviceOperations>(*devices, events_, config.registrar.devices_file);
    devices_->set_profile(device_profile(config));
    bridge_->set_devices(devices_.get());
    return devices_->load();
}

Status Daemon::start_api(const ops::Config& config) {
    api::ServerOptions options;
    for (const auto& endpoint : config.http.listen) {
        options.listen.push_back({endpoint.address, endpoint.port, false});
    }
    for (const auto& endpoint : config.http.tls_listen) {
        options.listen.push_back({endpoint.address, endpoint.port, true});
    }
    options.certificate_file = config.http.tls.certificate;
    options.key_file = config.http.tls.key;
    options.allowed_origins = config.http.allowed_origins;
    if (!config.http.admin_token.empty()) {
        tokens_.set_admin_bearer(config.http.admin_token);
    }
    server_ = std::make_unique<api::Server>(std::move(options), *bridge_, tokens_, events_, webrtc_.get());
    server_->set_metrics_provider([this] {
        return bridge_->metrics() + certificates_.metrics() + trunk_metrics(sip_->trunk_lines()) +
               (devices_ ? devices_->metrics() : std::string());
    });
    if (Devices* devices = sip_->devices(); devices != nullptr) {
        server_->set_device_login([devices](const std::string& name, const std::string& secret) {
            return devices->authenticate(name, secret);
        });
    }
    certificates_.watch(certificate_files(config), config.certificate_alarm_days);
    return server_->start();
}

void Daemon::publish_status(const ops::Config& config) {
    std::vector<std::pair<std::string, std::string>> dial_in;
    for (const ops::TrunkConfig& trunk : config.trunks) {
        dial_in.insert(dial_in.end(), trunk.numbers.begin(), trunk.numbers.end());
    }
    bridge_->set_dial_in(std::move(dial_in));
    nlohmann::json addresses = nlohmann::json::object();
    for (const std::string& address : sip_addresses_) {
        addresses[address.substr(address.rfind('=') + 1)] = address;
    }
    bridge_->set_reception(config.sip.reception, config.sip.unknown_to_reception);
    bridge_->set_status({{"sip", addresses}, {"pins", self_made_pins(config)}});
}

void Daemon::reload(const ops::Config& wanted) {
    auto [config, unchanged] = ops::reload_config(config_, wanted);
    for (const std::string& key : unchanged) {
        ops::log(ops::LogLevel::warning, "a change needs a restart", {{"key", key}});
    }
    bridge_->reload_rooms(config.rooms);
    publish_status(config);
    auto trunks = sip_trunks(config);
    if (const Status set = trunks ? sip_->set_trunks(std::move(*trunks)) : Status(Error{trunks.error()});
        !set) {
        g_warning("the trunks in use stay: %s", set.error().c_str());
    }
    if (const Status set = sip_->set_dial_rules(dial_config(config)); !set) {
        g_warning("the dial rules in use stay: %s", set.error().c_str());
    }
    bridge_->set_dial_limits(dial_limits(config.dial_out));
    if (const Status set = sip_->set_registrar(registrar_config(config), configured_devices(config)); !set) {
        g_warning("devices that register: %s", set.error().c_str());
    }
    if (devices_) {
        devices_->set_profile(device_profile(config));
    }
    certificates_.watch(certificate_files(config), config.certificate_alarm_days);
    for (const Status& reloaded : {sip_->reload_certificate(), server_->reload_certificate()}) {
        if (!reloaded) {
            g_warning("the certificate in use stays: %s", reloaded.error().c_str());
        }
    }
    config_ = std::move(config);
}

void Daemon::tell_of_certificate(const ops::CertificateWatch::Alarm& alarm) {
    GDateTime* expires = g_date_time_new_from_unix_utc(std::chrono::system_clock::to_time_t(alarm.expires));
    const GCharPtr when(g_date_time_format_iso8601(expires));
    g_date_time_unref(expires);
    g_warning("certificate %s: %s %s", alarm.file.c_str(), alarm.days_left < 0 ? "expired" : "expires",
              when.get());
    (void)events_.publish("", "vmr.certificate.expiring",
                          {{"file", alarm.file},
                           {"subject", alarm.subject},
                           {"expires", when.get()},
                           {"days_left", alarm.days_left}});
}

void Daemon::tell_of_trunk(const sip::LineStatus& line) {
    g_message("trunk %s, proxy %s: %s%s%s", line.trunk.c_str(), line.proxy.c_str(), line.up ? "up" : "down",
              line.why.empty() ? "" : ", ", line.why.c_str());
    (void)events_.publish("", line.up ? "vmr.trunk.up" : "vmr.trunk.down", to_json(line));
}

void Daemon::drain() {
    server_->set_draining(true);
    sip_->refuse_new_calls();
    bridge_->drain();
}

std::string Daemon::one_time_admin_token() {
    const auto issued = tokens_.issue_one_time_admin(kAdminLinkLifetime);
    return issued ? issued->token : "";
}

}  // namespace vmr
