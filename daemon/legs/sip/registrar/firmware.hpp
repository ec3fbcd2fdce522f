// The oldest firmware of a model that may register, by what User-Agent says. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::sip {

struct FirmwareRule {
    std::string model;    // how User-Agent begins: "Cisco-CP8865", in any case
    std::string minimum;  // dotted: "12.5.1"
};

// The first dotted number ("12.5.1", of "CP8865/v12.5.1-b7") behind `prefix` bytes; a number without dots
// where there is none. Empty: no number.
std::string version_in(std::string_view user_agent, std::size_t prefix);
// By number: 2.10 is newer than 2.9; what is missing is 0.
bool is_older(std::string_view version, std::string_view than);
bool is_version(std::string_view text);

// Why this device may not register, for people; the longest model that fits decides. A version that cannot be
// found counts as too old.
std::optional<std::string> firmware_refusal(const std::vector<FirmwareRule>& rules,
                                            std::string_view user_agent);

}  // namespace vmr::sip
