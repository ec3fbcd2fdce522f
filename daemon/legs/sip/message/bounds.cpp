#include "daemon/legs/sip/message/bounds.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxRefusedHead = 4096;  // what is read for a refusal

struct HeaderCounts {
    std::size_t lines = 0;
    std::size_t value = 0;       // bytes of the current header, folds included
    std::size_t parameters = 0;  // of the current value: lists have many
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
    for (const char c : line) {
        counts.parameters = c == ',' ? 0 : counts.parameters + (c == ';' ? 1 : 0);
        if (counts.parameters > kMaxParameters) {
            return false;
        }
    }
    return counts.lines <= kMaxHeaders && counts.value <= kMaxHeaderValue;
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

constexpr std::size_t kMaxMethod = 64;

// Plausible from its first bytes on, so that garbage on a stream is cut at once.
bool plausible_start(std::string_view bytes) {
    const std::string_view first = bytes.substr(0, kMaxMethod);
    for (std::size_t index = 0; index < first.size(); ++index) {
        const char c = first[index];
        if (c == ' ' || c == '/') {
            return index != 0;
        }
        if (!is_token(first.substr(index, 1))) {
            return false;
        }
    }
    return first.size() < kMaxMethod;
}

// 505 for another version of SIP (RFC 3261 section 21.5.7), 400 for what looks like a request, else nothing.
int refusal_status(std::string_view start) {
    const std::size_t space = start.find(' ');
    const std::size_t version = start.rfind(" SIP/");
    if (space == std::string_view::npos || !is_token(start.substr(0, space)) ||
        start.substr(0, space) == "ACK" || version == std::string_view::npos || !is_clean(start)) {
        return 0;
    }
    const std::string_view number = trim(start.substr(version + 5));
    const bool other = number.size() == 3 && number[1] == '.' &&
                       number.find_first_not_of("0123456789.") == std::string_view::npos;
    return other && number != "2.0" ? 505 : 400;
}

}  // namespace

Inspection inspect(std::string_view bytes, bool stream) {
    if (bytes.starts_with("\r\n") || bytes == "\r") {
        const std::size_t length = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
        if (!stream || length < bytes.size() || bytes.back() != '\r') {
            return {Frame::keep_alive, length};
        }
        // The LF of the last CR is on its way.
        return length == 1 ? Inspection{Frame::incomplete, 2} : Inspection{Frame::keep_alive, length - 1};
    }
    if (!plausible_start(bytes)) {
        return {Frame::malformed, bytes.size()};
    }
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() > kMaxMessage) {
            return {Frame::too_large, bytes.size()};
        }
        return {stream ? Frame::incomplete : Frame::malformed, 0};
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
    if (stream && !body) {
        return {Frame::malformed, bytes.size()};
    }
    const std::size_t total = head + body.value_or(bytes.size() - head);
    if (total > bytes.size()) {
        return {stream ? Frame::incomplete : Frame::malformed, total};
    }
    return {Frame::complete, total};
}

std::string stateless_refusal(std::string_view bytes, const Address& source, int status) {
    const std::string_view head = bytes.substr(0, std::min(bytes.find("\r\n\r\n"), kMaxRefusedHead));
    const std::size_t first = std::min(head.find("\r\n"), head.size());
    const int fault = refusal_status(head.substr(0, first));
    std::string vias;
    std::array<std::pair<std::string_view, std::string>, 4> copied{
        {{"From", ""}, {"To", ""}, {"Call-ID", ""}, {"CSeq", ""}}};
    (void)each_header(
        head.substr(std::min(first + 2, head.size())), [&](std::string_view name, std::string_view value) {
            if (!is_clean(value)) {
                return true;
            }
            const std::string canonical = canonical_header_name(name);
            if (canonical == "via") {
                vias += "Via: " + unfold(value) + (vias.empty() ? ";received=" + source.ip : "") + "\r\n";
            }
            for (auto& [wanted, text] : copied) {
                if (equal_nocase(canonical, wanted) && text.empty()) {
                    text = unfold(value);
                }
            }
            return true;
        });
    if (fault == 0 || vias.empty()) {
        return {};
    }
    status = status == 0 ? fault : status;
    std::string answer = "SIP/2.0 " + std::to_string(status) + " " + reason_phrase(status) + "\r\n" + vias;
    for (const auto& [name, text] : copied) {
        if (!text.empty()) {
            answer.append(name).append(": ").append(text);
            answer += name == "To" && text.find("tag=") == std::string::npos ? ";tag=0\r\n" : "\r\n";
        }
    }
    return answer + (status == 503 ? "Retry-After: 10\r\n" : "") + "Content-Length: 0\r\n\r\n";
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
