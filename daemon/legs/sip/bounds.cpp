#include "daemon/legs/sip/bounds.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace vmr::sip {
namespace {

struct HeaderCounts {
    std::size_t lines = 0;
    std::size_t value = 0;       // bytes of the current header, folds included
    std::size_t parameters = 0;  // of the current header
};

// False when a bound is passed.
bool count_line(std::string_view line, HeaderCounts& counts) {
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (!folded) {
        ++counts.lines;
        counts.value = 0;
        counts.parameters = 0;
    }
    counts.value += line.size();
    counts.parameters += static_cast<std::size_t>(std::count(line.begin(), line.end(), ';'));
    return counts.lines <= kMaxHeaders && counts.value <= kMaxHeaderValue &&
           counts.parameters <= kMaxParameters;
}

std::optional<std::size_t> content_length(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos ||
        canonical_header_name(trim(line.substr(0, colon))) != "content-length") {
        return std::nullopt;
    }
    const std::string_view text = trim(line.substr(colon + 1));
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        return kMaxMessage + 1;  // unreadable: treated as over the bound
    }
    return value;
}

// Calls `take` for each line of the header part, without its CRLF, until it returns false.
template <typename Take>
void each_line(std::string_view head, Take&& take) {
    while (!head.empty()) {
        const std::size_t end = std::min(head.find('\n'), head.size());
        std::string_view line = head.substr(0, end);
        if (!line.empty() && line.back() == '\r') {
            line.remove_suffix(1);
        }
        if (!line.empty() && !take(line)) {
            return;
        }
        head = head.substr(std::min(end + 1, head.size()));
    }
}

// Plausible from its first bytes on, so that garbage on a stream is cut at once.
bool plausible_start(std::string_view bytes) {
    const std::string_view first = bytes.substr(0, std::min<std::size_t>(bytes.size(), 32));
    for (std::size_t index = 0; index < first.size(); ++index) {
        const char c = first[index];
        if (c == ' ' || c == '/') {
            return index != 0;
        }
        const bool token = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
        if (!token) {
            return false;
        }
    }
    return first.size() < 32;
}

}  // namespace

Inspection inspect(std::string_view bytes, bool stream) {
    if (bytes.starts_with("\r\n") || bytes == "\r") {
        const std::size_t length = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
        return {Frame::keep_alive, length};
    }
    if (!plausible_start(bytes)) {
        return {Frame::malformed, bytes.size()};
    }
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() > kMaxMessage) {
            return {Frame::too_large, bytes.size()};
        }
        const bool nul = bytes.find('\0') != std::string_view::npos;
        return {nul || !stream ? Frame::malformed : Frame::incomplete, 0};
    }
    const std::size_t head = end + 4;
    HeaderCounts counts;
    bool within = true;
    std::optional<std::size_t> body;
    bool first = true;
    each_line(bytes.substr(0, end), [&](std::string_view line) {
        if (std::exchange(first, false)) {
            within = line.size() <= kMaxHeaderValue;
            return within;
        }
        within = count_line(line, counts);
        if (const auto length = content_length(line)) {
            within = within && (!body || *body == *length);  // two that differ: request smuggling
            body = length;
        }
        return within;
    });
    if (!within || head > kMaxMessage || body.value_or(0) > kMaxMessage - head) {
        return {Frame::too_large, bytes.size()};
    }
    if (bytes.substr(0, head).find('\0') != std::string_view::npos || (stream && !body)) {
        return {Frame::malformed, bytes.size()};
    }
    const std::size_t total = head + body.value_or(bytes.size() - head);
    if (total > bytes.size()) {
        return {stream ? Frame::incomplete : Frame::malformed, total};
    }
    if (bytes.substr(0, total).find('\0') != std::string_view::npos) {
        return {Frame::malformed, bytes.size()};
    }
    return {Frame::complete, total};
}

std::string bad_request_answer(std::string_view bytes, const Address& source) {
    const std::size_t end = std::min(bytes.find("\r\n\r\n"), bytes.size());
    std::string vias;
    std::array<std::pair<std::string_view, std::string>, 4> needed{
        {{"from", ""}, {"to", ""}, {"call-id", ""}, {"cseq", ""}}};
    bool first = true;
    bool request = false;
    each_line(bytes.substr(0, std::min<std::size_t>(end, 4096)), [&](std::string_view line) {
        if (std::exchange(first, false)) {
            request = !line.starts_with("SIP/") && !line.starts_with("ACK ") && line.ends_with(" SIP/2.0");
            return request;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || line.find('\0') != std::string_view::npos) {
            return true;
        }
        const std::string name = canonical_header_name(trim(line.substr(0, colon)));
        const std::string value(trim(line.substr(colon + 1)));
        if (name == "via") {
            vias += "Via: " + value + (vias.empty() ? ";received=" + source.ip : "") + "\r\n";
        }
        for (auto& [wanted, text] : needed) {
            if (name == wanted && text.empty()) {
                text = value;
            }
        }
        return true;
    });
    std::string answer = "SIP/2.0 400 Bad Request\r\n" + vias;
    for (const auto& [name, text] : needed) {
        if (text.empty()) {
            return {};
        }
        answer += std::string(name) + ": " + text;
        answer += (name == "to" && text.find("tag=") == std::string::npos) ? ";tag=0\r\n" : "\r\n";
    }
    return request && !vias.empty() ? answer + "Content-Length: 0\r\n\r\n" : std::string();
}

std::string canonical_header_name(std::string_view name) {
    static constexpr std::array<std::pair<char, std::string_view>, 19> kCompact{{{'a', "accept-contact"},
                                                                                 {'b', "referred-by"},
                                                                                 {'c', "content-type"},
                                                                                 {'e', "content-encoding"},
                                                                                 {'f', "from"},
                                                                                 {'i', "call-id"},
                                                                                 {'j', "reject-contact"},
                                                                                 {'k', "supported"},
                                                                                 {'l', "content-length"},
                                                                                 {'m', "contact"},
                                                                                 {'n', "identity-info"},
                                                                                 {'o', "event"},
                                                                                 {'r', "refer-to"},
                                                                                 {'s', "subject"},
                                                                                 {'t', "to"},
                                                                                 {'u', "allow-events"},
                                                                                 {'v', "via"},
                                                                                 {'x', "session-expires"},
                                                                                 {'y', "identity"}}};
    std::string result = lower(name);
    if (result.size() == 1) {
        for (const auto& [letter, full] : kCompact) {
            if (letter == result.front()) {
                return std::string(full);
            }
        }
    }
    return result;
}

}  // namespace vmr::sip
