#include "daemon/trunk_setup.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/text.hpp"

namespace vmr {
namespace {

sip::DigestAlgorithms digest_algorithms(ops::TrunkDigest digest) {
    switch (digest) {
        case ops::TrunkDigest::both:
            return sip::DigestAlgorithms::both;
        case ops::TrunkDigest::md5:
            return sip::DigestAlgorithms::md5;
        case ops::TrunkDigest::sha256:
            return sip::DigestAlgorithms::sha256;
    }
    return sip::DigestAlgorithms::both;
}

bool certificate_names(const std::string& file, const std::string& host) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> input(BIO_new_file(file.c_str(), "r"), BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        input ? PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
    return certificate && X509_check_host(certificate.get(), host.c_str(), host.size(), 0, nullptr) == 1;
}

}  // namespace

std::vector<sip::ConfigFault> trunk_faults(const ops::Config& config) {
    std::vector<sip::ConfigFault> faults;
    for (std::size_t i = 0; i < config.trunks.size(); ++i) {
        const ops::TrunkConfig& trunk = config.trunks[i];
        for (const auto& setting : trunk.settings) {
            if (!sip::trunk_settings(trunk.profile, {setting})) {
                faults.push_back({i, setting.first, "not a value of this setting"});
            }
        }
        const auto settings = sip::trunk_settings(trunk.profile, trunk.settings);
        if (settings && settings->contact_certified &&
            !certificate_names(config.sip.certificate.certificate, settings->contact_host)) {
            faults.push_back({i, "contact_host",
                              "\"" + settings->contact_host + "\" is no name of the certificate of [sip]"});
        }
    }
    return faults;
}

Result<std::vector<sip::TrunkConfig>> sip_trunks(const ops::Config& config) {
    if (const auto faults = trunk_faults(config); !faults.empty()) {
        const sip::ConfigFault& first = faults.front();
        return Error{"trunk " + config.trunks[first.index].name + ": " + first.key + ": " + first.text};
    }
    std::vector<sip::TrunkConfig> trunks;
    for (const ops::TrunkConfig& trunk : config.trunks) {
        Result<sip::TrunkSettings> settings = sip::trunk_settings(trunk.profile, trunk.settings);
        if (!settings) {
            return Error{"trunk " + trunk.name + ": " + settings.error()};
        }
        sip::TrunkConfig mapped{trunk.name, trunk.addresses, trunk.username, trunk.secret};
        mapped.settings = std::move(*settings);
        mapped.account = {trunk.account, trunk.password};
        mapped.algorithms = digest_algorithms(trunk.digest);
        for (const auto& [number, target] : trunk.numbers) {
            mapped.numbers[number] = target == "reception" ? "" : target;
        }
        trunks.push_back(std::move(mapped));
    }
    return trunks;
}

sip::DialConfig dial_config(const ops::Config& config) {
    sip::DialConfig dial;
    dial.from_host = config.sip.domain.empty() ? config.sip.advertised_host : config.sip.domain;
    dial.ring_timeout = config.dial_out.ring_timeout;
    dial.referrals = config.dial_out.refer != ops::Referrals::off;
    for (const ops::DialRuleConfig& rule : config.dial_out.rules) {
        dial.rules.push_back({rule.name,
                              rule.domains,
                              rule.prefixes,
                              rule.trunk,
                              rule.gateway,
                              rule.caller,
                              {rule.username, rule.secret},
                              rule.late_offer,
                              rule.max_duration,
                              rule.price.value_or(0)});
    }
    return dial;
}

nlohmann::json to_json(const sip::LineStatus& line) {
    return {{"trunk", line.trunk}, {"proxy", line.proxy}, {"why", line.why}};
}

std::string trunk_metrics(const std::vector<sip::LineStatus>& lines) {
    std::string up = "# TYPE vmr_trunk_up gauge\n";
    std::string registered = "# TYPE vmr_trunk_registered gauge\n";
    for (const sip::LineStatus& line : lines) {
        const std::string labels =
            "{trunk=\"" + label_value(line.trunk) + "\",proxy=\"" + label_value(line.proxy) + "\"} ";
        up += "vmr_trunk_up" + labels + (line.up ? "1\n" : "0\n");
        registered += "vmr_trunk_registered" + labels + (line.registered ? "1\n" : "0\n");
    }
    return lines.empty() ? std::string() : up + registered;
}

}  // namespace vmr
