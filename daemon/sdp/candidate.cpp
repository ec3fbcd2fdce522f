// a=candidate (RFC 8839 section 5.1, RFC 6544 for tcptype).
#include "daemon/sdp/session.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

bool strip(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

// An address or a domain name; never anything that could end the line or the word.
bool is_host(std::string_view text) {
    if (text.empty() || text.size() > kMaxToken) {
        return false;
    }
    return text::is_ip6(text) || text::is_token(text);
}

// Name and value pairs after the fixed part. Unknown extensions are skipped (RFC 8839 section 5.1).
bool read_extensions(std::string_view rest, Candidate& candidate) {
    for (auto name = text::take_word(rest); !name.empty(); name = text::take_word(rest)) {
        const auto value = text::take_word(rest);
        if (name == "raddr") {
            if (!is_host(value)) {
                return false;
            }
            candidate.related_address = value;
        } else if (name == "rport") {
            const auto port = text::number(value, 65535);
            if (!port) {
                return false;
            }
            candidate.related_port = static_cast<std::uint16_t>(*port);
        } else if (name == "tcptype") {
            if (value != "active" && value != "passive" && value != "so") {
                return false;
            }
            candidate.tcptype = value;
        }
    }
    return true;
}

}  // namespace

Result<Candidate> parse_candidate(std::string_view text) {
    text = text::trimmed(text);
    if (text.size() > kMaxLine || text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos) {
        return Error{"candidate: not one line"};
    }
    strip(text, "a=");
    strip(text, "candidate:");
    Candidate candidate;
    candidate.foundation = text::take_word(text);
    const auto component = text::number(text::take_word(text), 256);
    candidate.transport = text::lower(text::take_word(text));
    const auto priority = text::number(text::take_word(text), 0xffffffff);
    candidate.address = text::take_word(text);
    const auto port = text::number(text::take_word(text), 65535);
    const auto typ = text::take_word(text);
    candidate.type = text::take_word(text);
    if (candidate.foundation.size() > 32 || !text::is_token(candidate.foundation) || !component ||
        *component == 0 || !priority || !port || typ != "typ" || !is_host(candidate.address)) {
        return Error{"candidate: malformed"};
    }
    if (candidate.transport != "udp" && candidate.transport != "tcp") {
        return Error{"candidate: unknown transport"};
    }
    if (candidate.type != "host" && candidate.type != "srflx" && candidate.type != "prflx" &&
        candidate.type != "relay") {
        return Error{"candidate: unknown type"};
    }
    candidate.component = static_cast<unsigned>(*component);
    candidate.priority = static_cast<std::uint32_t>(*priority);
    candidate.port = static_cast<std::uint16_t>(*port);
    if (!read_extensions(text, candidate)) {
        return Error{"candidate: malformed extension"};
    }
    return candidate;
}

std::string to_string(const Candidate& candidate) {
    std::string line = "candidate:" + candidate.foundation + ' ' + std::to_string(candidate.component) + ' ' +
                       candidate.transport + ' ' + std::to_string(candidate.priority) + ' ' +
                       candidate.address + ' ' + std::to_string(candidate.port) + " typ " + candidate.type;
    if (!candidate.related_address.empty()) {
        line += " raddr " + candidate.related_address + " rport " + std::to_string(candidate.related_port);
    }
    if (!candidate.tcptype.empty()) {
        line += " tcptype " + candidate.tcptype;
    }
    return line;
}

}  // namespace vmr::sdp
