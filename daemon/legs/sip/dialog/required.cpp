#include "daemon/legs/sip/dialog/required.hpp"

#include <algorithm>
#include <array>

namespace vmr::sip {

std::optional<Reply> refusal_of_required(const Message& request, bool precedence) {
    if (request.method == "ACK" || request.method == "CANCEL") {
        return std::nullopt;
    }
    constexpr std::array<std::string_view, 5> kKnown{"100rel", "timer", "replaces", "norefersub", "tdialog"};
    std::string unsupported;
    for (const std::string& option : request.values("require")) {
        if (std::ranges::none_of(kKnown, [&](auto known) { return equal_nocase(option, known); }) &&
            !(precedence && equal_nocase(option, kResourcePriority))) {
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        }
    }
    return unsupported.empty()
               ? std::nullopt
               : std::optional(Reply{.status = 420, .headers = {{"Unsupported", unsupported}}});
}

}  // namespace vmr::sip
