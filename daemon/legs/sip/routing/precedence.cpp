#include "daemon/legs/sip/routing/precedence.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace vmr::sip {
namespace {

// RFC 4412 section 12.6, lowest first.
constexpr std::array<std::string_view, 6> kWords{"routine", "priority",       "immediate",
                                                 "flash",   "flash-override", "flash-override-override"};
constexpr std::array<std::string_view, 5> kFalling{"4", "3", "2", "1", "0"};

std::span<const std::string_view> values_of(std::string_view name) {
    if (equal_nocase(name, "dsn")) {
        return std::span(kWords).first(5);
    }
    if (equal_nocase(name, "drsn")) {
        return kWords;
    }
    if (equal_nocase(name, "q735") || equal_nocase(name, "ets") || equal_nocase(name, "wps")) {
        return kFalling;
    }
    return {};
}

std::string_view namespace_of(std::string_view value) {
    return value.substr(0, value.find('.'));
}

bool is_known(std::string_view value, const TrunkSettings& settings) {
    return std::ranges::any_of(settings.namespaces, [value](const std::string& known) {
        return equal_nocase(known, namespace_of(value));
    });
}

// All that we know, for who asked for something else.
std::string accepted(const TrunkSettings& settings) {
    std::string list;
    const auto add = [&list](const std::string& name, std::string_view value) {
        list += (list.empty() ? "" : ", ") + name + "." + std::string(value);
    };
    for (const std::string& name : settings.namespaces) {
        const auto values = values_of(name);
        for (const std::string_view value : values) {
            add(name, value);
        }
        for (int number = 0; values.empty() && number < 10; number += 2) {
            add(name, std::to_string(number));
        }
    }
    return list;
}

}  // namespace

std::optional<int> rank_of(std::string_view value) {
    const std::string_view name = namespace_of(value);
    const std::string_view priority = value.substr(std::min(name.size() + 1, value.size()));
    if (const auto words = values_of(name); !words.empty()) {
        const auto found = std::ranges::find_if(
            words, [priority](std::string_view word) { return equal_nocase(word, priority); });
        return found != words.end() ? std::optional(static_cast<int>(found - words.begin())) : std::nullopt;
    }
    // AS-SIP and its like: 0 routine, 2 priority, 4 immediate, 6 flash, 8 flash-override; odd ones lie
    // between.
    int number = 0;
    const char* end = priority.data() + priority.size();
    const auto [last, error] = std::from_chars(priority.data(), end, number);
    const bool fine = error == std::errc() && last == end && number >= 0 && number < 10;
    return fine ? std::optional(number / 2) : std::nullopt;
}

int precedence_of(const Message& request, const TrunkSettings& settings) {
    int highest = 0;
    for (const std::string& value : request.values("resource-priority")) {
        if (is_known(value, settings)) {
            highest = std::max(highest, rank_of(value).value_or(0));
        }
    }
    return highest;
}

std::optional<Reply> precedence_refusal(const Message& request, const TrunkSettings* settings) {
    if (!request.has_token("require", kResourcePriority)) {
        return std::nullopt;
    }
    if (settings == nullptr || settings->namespaces.empty()) {
        return Reply{.status = 420, .headers = {{"Unsupported", kResourcePriority}}};
    }
    const std::vector<std::string> values = request.values("resource-priority");
    const bool understood = std::ranges::any_of(values, [settings](const std::string& value) {
        return is_known(value, *settings) && rank_of(value);
    });
    if (understood) {
        return std::nullopt;
    }
    return Reply{.status = 417, .headers = {{"Accept-Resource-Priority", accepted(*settings)}}};
}

int marking(const std::vector<std::int64_t>& list, int rank) {
    return list.empty() ? -1
                        : static_cast<int>(list.at(
                              std::min(static_cast<std::size_t>(std::max(rank, 0)), list.size() - 1)));
}

Admission admit(const std::vector<StandingCall>& standing, std::size_t limit, int rank, bool preempts) {
    if (limit == 0 || standing.size() < limit) {
        return {true, {}};
    }
    const StandingCall* lowest = nullptr;
    for (const StandingCall& call : standing) {
        if (call.may_end && call.rank < rank &&
            (lowest == nullptr || call.rank < lowest->rank ||
             (call.rank == lowest->rank && call.order > lowest->order))) {
            lowest = &call;
        }
    }
    return preempts && lowest != nullptr ? Admission{true, lowest->key} : Admission{};
}

}  // namespace vmr::sip
