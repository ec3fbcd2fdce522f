#include "daemon/config_check.hpp"

#include "daemon/trunk_setup.hpp"

namespace vmr {
namespace {

void report(const std::vector<sip::ConfigFault>& faults, const std::string& list,
            ops::ConfigDocument& document) {
    for (const sip::ConfigFault& fault : faults) {
        const std::string at = list + "/" + std::to_string(fault.index);
        document.fault(fault.key.empty() ? at : at + "/" + fault.key, fault.text);
    }
}

}  // namespace

void check_config(const ops::Config& config, ops::ConfigDocument& document) {
    if (config.records_path.empty()) {
        document.fault("/records/path", "a file for the call records is needed");
    }
    const auto faults = trunk_faults(config);
    report(faults, "/trunks", document);
    if (faults.empty()) {
        report(sip::faults_of(sip_trunks(config).value()), "/trunks", document);
    }
    report(sip::faults_of(dial_config(config).rules), "/dial_out/rules", document);
}

}  // namespace vmr
