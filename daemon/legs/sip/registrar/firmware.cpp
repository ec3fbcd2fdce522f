#include "daemon/legs/sip/registrar/firmware.hpp"

#include <algorithm>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxVersion = 40;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The digits of the next number of a dotted version, without leading zeros: some are dates with a time, and
// longer than any integer. What is no number counts as 0.
std::string_view take_part(std::string_view& text) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    std::string_view part = text.substr(0, dot);
    text = text.substr(std::min(dot + 1, text.size()));
    part = part.substr(0, std::min(part.find_first_not_of("0123456789"), part.size()));
    return part.substr(std::min(part.find_first_not_of('0'), part.size()));
}

}  // namespace

std::string version_in(std::string_view user_agent, std::size_t prefix) {
    std::string_view rest = user_agent.substr(std::min(prefix, user_agent.size()));
    std::string plain;
    for (std::size_t at = 0; at < rest.size();) {
        if (!is_digit(rest[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < rest.size() && (is_digit(rest[end]) || (rest[end] == '.' && end + 1 < rest.size() &&
                                                             is_digit(rest[end + 1])))) {
            ++end;
        }
        const std::string_view number = rest.substr(at, std::min(end - at, kMaxVersion));
        if (number.find('.') != std::string_view::npos) {
            return std::string(number);
        }
        plain = plain.empty() ? std::string(number) : plain;
        at = end;
    }
    return plain;
}

bool is_older(std::string_view version, std::string_view than) {
    while (!version.empty() || !than.empty()) {
        const std::string_view ours = take_part(version);
        const std::string_view wanted = take_part(than);
        if (ours != wanted) {
            return ours.size() != wanted.size() ? ours.size() < wanted.size() : ours < wanted;
        }
    }
    return false;
}

bool is_version(std::string_view text) {
    return !text.empty() && text.size() <= kMaxVersion && is_digit(text.front()) && is_digit(text.back()) &&
           text.find("..") == std::string_view::npos &&
           std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

std::optional<std::string> firmware_refusal(const std::vector<FirmwareRule>& rules,
                                            std::string_view user_agent) {
    const FirmwareRule* best = nullptr;
    for (const FirmwareRule& rule : rules) {
        if (equal_nocase(user_agent.substr(0, rule.model.size()), rule.model) &&
            (best == nullptr || rule.model.size() > best->model.size())) {
            best = &rule;
        }
    }
    if (best == nullptr) {
        return std::nullopt;
    }
    const std::string version = version_in(user_agent, best->model.size());
    if (!version.empty() && !is_older(version, best->minimum)) {
        return std::nullopt;
    }
    return "firmware " + (version.empty() ? "of unknown version" : version) + " is older than " +
           best->minimum;
}

}  // namespace vmr::sip
