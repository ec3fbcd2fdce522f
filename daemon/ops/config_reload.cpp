#include "daemon/ops/config_reload.hpp"

#include <utility>

namespace vmr::ops {
namespace {

class Fixed {
public:
    template <typename T>
    void keep(const char* key, const T& running, T& wanted) {
        if (!(running == wanted)) {
            wanted = running;
            keys_.emplace_back(key);
        }
    }
    std::vector<std::string> take_keys() { return std::move(keys_); }

private:
    std::vector<std::string> keys_;
};

void keep_http(Fixed& fixed, const HttpConfig& running, HttpConfig& wanted) {
    fixed.keep("http.listen", running.listen, wanted.listen);
    fixed.keep("http.tls_listen", running.tls_listen, wanted.tls_listen);
    fixed.keep("http.certificate", running.tls.certificate, wanted.tls.certificate);
    fixed.keep("http.key", running.tls.key, wanted.tls.key);
    fixed.keep("http.allowed_origins", running.allowed_origins, wanted.allowed_origins);
    fixed.keep("http.admin_token", running.admin_token, wanted.admin_token);
}

void keep_sip(Fixed& fixed, const SipConfig& running, SipConfig& wanted) {
    fixed.keep("sip.udp", running.udp, wanted.udp);
    fixed.keep("sip.tcp", running.tcp, wanted.tcp);
    fixed.keep("sip.tls", running.tls, wanted.tls);
    fixed.keep("sip.certificate", running.certificate.certificate, wanted.certificate.certificate);
    fixed.keep("sip.key", running.certificate.key, wanted.certificate.key);
    fixed.keep("sip.certificates", running.certificates, wanted.certificates);
    fixed.keep("sip.client_ca", running.client_ca, wanted.client_ca);
    fixed.keep("sip.mutual_tls", running.mutual_tls, wanted.mutual_tls);
    fixed.keep("sip.ice", running.ice, wanted.ice);
    fixed.keep("sip.ice_offers", running.ice_offers, wanted.ice_offers);
    fixed.keep("sip.max_video_bitrate", running.max_video_bitrate, wanted.max_video_bitrate);
    fixed.keep("sip.far_end_camera", running.far_end_camera, wanted.far_end_camera);
    fixed.keep("sip.domain", running.domain, wanted.domain);
    fixed.keep("sip.advertised_host", running.advertised_host, wanted.advertised_host);
    fixed.keep("sip.software", running.software, wanted.software);
}

void keep_media(Fixed& fixed, const MediaConfig& running, MediaConfig& wanted) {
    fixed.keep("media.port_min", running.port_min, wanted.port_min);
    fixed.keep("media.port_max", running.port_max, wanted.port_max);
    fixed.keep("media.addresses", running.addresses, wanted.addresses);
    fixed.keep("media.advertised_addresses", running.advertised_addresses, wanted.advertised_addresses);
    fixed.keep("media.local_networks", running.local_networks, wanted.local_networks);
    fixed.keep("media.stun", running.stun, wanted.stun);
    fixed.keep("media.turn", running.turn, wanted.turn);
    fixed.keep("media.audio_dscp", running.audio_dscp, wanted.audio_dscp);
    fixed.keep("media.video_dscp", running.video_dscp, wanted.video_dscp);
    fixed.keep("media.io_threads", running.io_threads, wanted.io_threads);
    fixed.keep("media.video_width", running.video_width, wanted.video_width);
    fixed.keep("media.video_height", running.video_height, wanted.video_height);
    fixed.keep("media.video_framerate", running.video_framerate, wanted.video_framerate);
    fixed.keep("media.video_bitrate", running.video_bitrate, wanted.video_bitrate);
}

}  // namespace

Reload reload_config(const Config& running, Config wanted) {
    Fixed fixed;
    keep_http(fixed, running.http, wanted.http);
    keep_sip(fixed, running.sip, wanted.sip);
    keep_media(fixed, running.media, wanted.media);
    fixed.keep("dial_out.ca", running.dial_out.ca, wanted.dial_out.ca);
    fixed.keep("dial_out.name_servers", running.dial_out.name_servers, wanted.dial_out.name_servers);
    fixed.keep("registrar.devices_file", running.registrar.devices_file, wanted.registrar.devices_file);
    if (running.registrar.enabled != wanted.registrar.enabled) {
        wanted.devices = running.devices;  // they belong to a registrar that is on
        const bool enabled = wanted.registrar.enabled;
        wanted.registrar = running.registrar;
        wanted.registrar.enabled = enabled;
    }
    fixed.keep("registrar.enabled", running.registrar.enabled, wanted.registrar.enabled);
    fixed.keep("records.path", running.records_path, wanted.records_path);
    fixed.keep("log.format", running.log_format, wanted.log_format);
    fixed.keep("prompts.path", running.prompts_path, wanted.prompts_path);
    fixed.keep("prompts.language", running.prompts_language, wanted.prompts_language);
    return {std::move(wanted), fixed.take_keys()};
}

}  // namespace vmr::ops
