// Reads a message into plain data, as strictly as RFC 3261's grammar where RFC 4475 asks for a refusal.
// Ours rather than libre's: docs/decisions/0004-sip-stack.md. Bytes have passed inspect() first.
#include "daemon/legs/sip/message/parse.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "daemon/legs/sip/message/bounds.hpp"
#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// One space between the parts, none behind them (section 7.1).
Status read_request_line(std::string_view line, Message& message) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return Error{"not a request line"};
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    if (!is_token(method) || !equal_nocase(line.substr(last + 1), "SIP/2.0")) {
        return Error{"not a SIP/2.0 request line"};
    }
    std::optional<Uri> uri =
        target.find_first_of(" \t") == std::string_view::npos ? parse_uri(target) : std::nullopt;
    if (!uri || !uri->headers.empty()) {
        return Error{"unreadable Request-URI"};
    }
    message.method = method;
    message.uri = std::move(*uri);
    return Ok{};
}

Status read_status_line(std::string_view line, Message& message) {
    constexpr std::size_t kReason = 12;  // behind "SIP/2.0 200 "
    const bool framed = line.size() >= kReason - 1 && line[7] == ' ' &&
                        (line.size() == kReason - 1 || line[kReason - 1] == ' ');
    if (!framed || !equal_nocase(line.substr(0, 7), "SIP/2.0") ||
        !read_number(line.substr(8, 3), message.status) || message.status < 100 || message.status > 699) {
        return Error{"not a SIP/2.0 status line"};
    }
    message.request = false;
    message.reason = line.substr(std::min(line.size(), kReason));
    return Ok{};
}

Status read_headers(std::string_view head, Message& message) {
    const bool good = each_header(head, [&message](std::string_view name, std::string_view value) {
        if (!is_token(name) || !is_clean(value)) {
            return false;
        }
        message.headers.push_back({canonical_header_name(name), unfold(value)});
        return message.headers.size() <= kMaxHeaders;
    });
    if (!good) {
        return Error{"not a header line"};
    }
    for (const char* single : {"call-id", "content-type", "cseq", "from", "max-forwards", "to"}) {
        const auto count = std::count_if(message.headers.begin(), message.headers.end(),
                                         [single](const Header& header) { return header.name == single; });
        if (count > 1) {
            return Error{std::string("more than one ") + single};
        }
    }
    return Ok{};
}

Status read_cseq(Message& message) {
    const std::string* value = message.header("cseq");
    const std::string_view text = value != nullptr ? std::string_view(*value) : std::string_view();
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view method = trim(text.substr(space));
    if (!read_number(text.substr(0, space), message.cseq) || message.cseq > 0x7fffffffU ||
        !is_token(method)) {
        return Error{"missing or bad CSeq"};
    }
    if (!message.request) {
        message.method = method;
    }
    return message.method == method ? Status(Ok{}) : Error{"CSeq does not match the method"};
}

struct Via {
    std::string sent_by, branch;
    bool rport = false;
};

// SIP / 2.0 / UDP host:port;params, with white space nearly anywhere.
bool read_via(std::string_view text, Via& via) {
    for (const std::string_view part : {"SIP", "2.0"}) {
        const std::size_t slash = text.find('/');
        if (slash == std::string_view::npos || !equal_nocase(trim(text.substr(0, slash)), part)) {
            return false;
        }
        text = trim(text.substr(slash + 1));
    }
    const std::size_t space = std::min(text.find_first_of(" \t"), text.size());
    if (!is_token(text.substr(0, space))) {
        return false;
    }
    std::size_t piece = 0;
    bool good = true;
    split(text.substr(space), ';', [&](std::string_view part) {
        if (piece++ == 0) {
            std::string host(part);
            std::erase(host, ' ');
            good = is_host_port(host);
            via.sent_by = lower(host);
            return;
        }
        const std::size_t equals = part.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view("-") : trim(part.substr(equals + 1));
        const std::string_view name = trim(part.substr(0, equals));
        good = good && is_token(name) && !value.empty();
        via.rport = via.rport || equal_nocase(name, "rport");
        if (via.branch.empty() && equal_nocase(name, "branch")) {
            via.branch = value;
        }
    });
    return good;
}

Status read_vias(Message& message) {
    bool top = true;
    for (const Header& header : message.headers) {
        if (header.name != "via") {
            continue;
        }
        bool good = true;
        split(header.value, ',', [&](std::string_view value) {
            Via via;
            good = good && read_via(value, via);
            if (std::exchange(top, false)) {
                message.sent_by = std::move(via.sent_by);
                message.branch = std::move(via.branch);
                message.rport = via.rport;
            }
        });
        if (!good) {
            return Error{"unreadable Via"};
        }
    }
    return top ? Status(Error{"no Via"}) : Ok{};
}

enum class Beyond { refused, left };  // more values than the limit

Status read_names(Message& message, const char* header, std::size_t limit, Beyond beyond,
                  std::vector<NameAddr>& into) {
    for (const std::string& value : message.values(header)) {
        if (into.size() >= limit) {
            return beyond == Beyond::left ? Status(Ok{}) : Error{std::string("too many values in ") + header};
        }
        std::optional<NameAddr> name = parse_name_addr(value);
        if (!name && value != "*") {
            return Error{std::string("unreadable ") + header};
        }
        if (name) {
            into.push_back(std::move(*name));
        }
    }
    return Ok{};
}

Status read_parties(Message& message) {
    for (const auto& [header, into] : {std::pair{"from", &message.from}, std::pair{"to", &message.to}}) {
        const std::string* value = message.header(header);
        std::optional<NameAddr> name = value != nullptr ? parse_name_addr(*value) : std::nullopt;
        if (!name) {
            return Error{std::string("missing or unreadable ") + header};
        }
        *into = std::move(*name);
    }
    if (message.from.tag.empty() && message.request && message.has_unique_branch()) {
        return Error{"From without a tag"};
    }
    const Status contacts =
        message.request ? read_names(message, "contact", kMaxContacts, Beyond::refused, message.contacts)
                        : read_names(message, "contact", kMaxListed, Beyond::left, message.contacts);
    return contacts ? read_names(message, "record-route", kMaxRoutes, Beyond::refused, message.record_route)
                    : contacts;
}

Status read_rest(Message& message) {
    const std::string* call_id = message.header("call-id");
    if (call_id == nullptr || call_id->empty() || call_id->find(' ') != std::string::npos) {
        return Error{"missing or bad Call-ID"};
    }
    message.call_id = *call_id;
    std::uint8_t hops = 0;
    if (const std::string* value = message.header("max-forwards");
        value != nullptr && !read_number(std::string_view(*value), hops)) {
        return Error{"bad Max-Forwards"};
    }
    if (const std::string* type = message.header("content-type")) {
        const std::string_view bare = trim(std::string_view(*type).substr(0, type->find(';')));
        const std::size_t slash = bare.find('/');
        if (slash == std::string_view::npos || !is_token(trim(bare.substr(0, slash))) ||
            !is_token(trim(bare.substr(slash + 1)))) {
            return Error{"bad Content-Type"};
        }
        message.content_type = lower(trim(bare.substr(0, slash))) + "/" + lower(trim(bare.substr(slash + 1)));
    }
    return Ok{};
}

}  // namespace

Result<Message> parse_message(std::string_view bytes, const Flow& flow) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return Error{"not a SIP message"};
    }
    const std::string_view head = bytes.substr(0, end);
    const std::size_t first = std::min(head.find("\r\n"), head.size());
    const std::string_view start = head.substr(0, first);
    Message message;
    message.flow = flow;
    if (!is_clean(start) || start.find('\\') != std::string_view::npos) {
        return Error{"not a start line"};
    }
    const Status line =
        start.starts_with("SIP/") ? read_status_line(start, message) : read_request_line(start, message);
    if (!line) {
        return Error{line.error()};
    }
    if (const Status headers = read_headers(head.substr(std::min(first + 2, head.size())), message);
        !headers) {
        return Error{headers.error()};
    }
    for (const auto read : {read_cseq, read_vias, read_parties, read_rest}) {
        if (const Status part = read(message); !part) {
            return Error{part.error()};
        }
    }
    message.body = bytes.substr(end + 4);
    return message;
}

}  // namespace vmr::sip
