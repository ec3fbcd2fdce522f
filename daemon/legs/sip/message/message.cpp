#include "daemon/legs/sip/message/message.hpp"

#include <algorithm>
#include <cctype>

#include "base/source_network.hpp"
#include "daemon/legs/sip/message/head.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {

const char* via_name(Transport transport) noexcept {
    switch (transport) {
        case Transport::tcp:
            return "TCP";
        case Transport::tls:
            return "TLS";
        case Transport::udp:
            break;
    }
    return "UDP";
}

const char* uri_param(Transport transport) noexcept {
    switch (transport) {
        case Transport::tcp:
            return "tcp";
        case Transport::tls:
            return "tls";
        case Transport::udp:
            break;
    }
    return "udp";
}

std::string source_of(const Flow& flow) {
    return (flow.transport == Transport::udp ? "udp " : "") + source_network(flow.remote.ip);
}

std::string Address::text() const {
    const bool v6 = ip.find(':') != std::string::npos;
    return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

bool equal_nocase(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string parameter(std::string_view params, std::string_view name, bool* found) {
    std::string result;
    bool present = false;
    split(params, ';', [&](std::string_view piece) {
        if (present) {
            return;
        }
        const std::size_t equals = piece.find('=');
        if (!equal_nocase(trim(piece.substr(0, equals)), name)) {
            return;
        }
        present = true;
        if (equals != std::string_view::npos) {
            std::string_view value = trim(piece.substr(equals + 1));
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            result = value;
        }
    });
    if (found != nullptr) {
        *found = present;
    }
    return result;
}

bool Uri::has_param(std::string_view name) const {
    bool found = false;
    (void)parameter(params, name, &found);
    return found;
}

const std::string* Message::header(std::string_view name) const {
    for (const Header& candidate : headers) {
        if (candidate.name == name) {
            return &candidate.value;
        }
    }
    return nullptr;
}

std::vector<std::string> Message::values(std::string_view name) const {
    std::vector<std::string> result;
    for (const Header& candidate : headers) {
        if (candidate.name != name) {
            continue;
        }
        split(candidate.value, ',', [&](std::string_view piece) {
            if (!piece.empty()) {
                result.emplace_back(piece);
            }
        });
    }
    return result;
}

// RFC 3261 section 18.2.2, as far as the top Via has the very address that the request came from. Else it is
// a name, or an address that was translated on the way, and its port perhaps with it: as if it asked for
// rport.
Flow Message::response_flow() const {
    Flow back = flow;
    const std::optional<Uri> via =
        flow.transport == Transport::udp && !rport ? parse_uri("sip:" + sent_by) : std::nullopt;
    if (via && via->host == flow.remote.ip) {
        back.remote.port = via->port != 0 ? via->port : 5060;
    }
    return back;
}

bool Message::has_token(std::string_view name, std::string_view token) const {
    const std::vector<std::string> all = values(name);
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& value) { return equal_nocase(value, token); });
}

}  // namespace vmr::sip
