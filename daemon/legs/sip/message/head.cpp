#include "daemon/legs/sip/message/head.hpp"

namespace vmr::sip {

bool is_clean(std::string_view value) noexcept {
    for (std::size_t index = 0; index < value.size(); ++index) {
        const auto c = static_cast<unsigned char>(value[index]);
        const bool fold = c == '\r' && index + 2 < value.size() && value[index + 1] == '\n' &&
                          (value[index + 2] == ' ' || value[index + 2] == '\t');
        if (fold) {
            ++index;
            continue;
        }
        const bool pair = index > 0 && value[index - 1] == '\\' && c != '\r' && c != '\n';
        if ((c < 0x20 || c == 0x7f) && c != '\t' && !pair) {
            return false;
        }
    }
    return true;
}

std::string unfold(std::string_view value) {
    std::string result;
    result.reserve(value.size());
    for (const char c : trim(value)) {
        if (c != '\r' && c != '\n') {
            result += c == '\t' ? ' ' : c;
        }
    }
    return result;
}

}  // namespace vmr::sip
