#include "daemon/legs/sip/message/writer.hpp"

#include <algorithm>
#include <utility>

namespace vmr::sip {
namespace {

constexpr std::pair<int, const char*> kReasons[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {183, "Session Progress"},
    {200, "OK"},
    {202, "Accepted"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {413, "Request Entity Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {417, "Unknown Resource-Priority"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {422, "Session Interval Too Small"},
    {423, "Interval Too Brief"},
    {439, "First Hop Lacks Outbound Support"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"},
    {491, "Request Pending"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
};

// Cuts the first value off a comma-separated Via line.
std::pair<std::string_view, std::string_view> first_via(std::string_view line) {
    bool quoted = false;
    for (std::size_t index = 0; index < line.size(); ++index) {
        quoted = quoted != (line[index] == '"');
        if (line[index] == ',' && !quoted) {
            return {trim(line.substr(0, index)), trim(line.substr(index + 1))};
        }
    }
    return {line, {}};
}

std::string completed_via(std::string_view via, const Address& source) {
    const std::size_t semicolon = std::min(via.find(';'), via.size());
    std::string result(via.substr(0, semicolon));
    std::string_view params = via.substr(semicolon);
    while (!params.empty()) {
        const std::size_t end = std::min(params.find(';', 1), params.size());
        const std::string_view piece = params.substr(0, end);
        params = params.substr(end);
        const std::string_view name = trim(piece.substr(1, piece.substr(1).find('=')));
        if (equal_nocase(name, "rport")) {
            result += ";rport=" + std::to_string(source.port);
        } else if (!equal_nocase(name, "received")) {
            result += piece;
        }
    }
    return result + ";received=" + source.ip;
}

void append(std::string& text, std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
}

void append_vias(std::string& text, const Message& request) {
    bool top = true;
    for (const Header& header : request.headers) {
        if (header.name != "via") {
            continue;
        }
        if (!top) {
            append(text, "Via", header.value);
            continue;
        }
        top = false;
        const auto [first, rest] = first_via(header.value);
        append(text, "Via", completed_via(first, request.flow.remote));
        if (!rest.empty()) {
            append(text, "Via", rest);
        }
    }
}

}  // namespace

const char* reason_phrase(int status) noexcept {
    for (const auto& [code, phrase] : kReasons) {
        if (code == status) {
            return phrase;
        }
    }
    return status < 300 ? "OK" : "Refused";
}

std::string write_response(const Message& request, const Reply& reply) {
    std::string text = "SIP/2.0 " + std::to_string(reply.status) + " " +
                       (reply.reason.empty() ? reason_phrase(reply.status) : reply.reason) + "\r\n";
    append_vias(text, request);
    for (const Header& header : request.headers) {
        if (header.name == "from") {
            append(text, "From", header.value);
        } else if (header.name == "to") {
            const bool tag = request.to.tag.empty() && !reply.to_tag.empty();
            append(text, "To", tag ? header.value + ";tag=" + reply.to_tag : header.value);
        } else if (header.name == "call-id") {
            append(text, "Call-ID", header.value);
        } else if (header.name == "cseq") {
            append(text, "CSeq", header.value);
        } else if (header.name == "record-route" &&
                   (request.method == "INVITE" || request.method == "SUBSCRIBE") && reply.status > 100 &&
                   reply.status < 300) {
            append(text, "Record-Route", header.value);
        } else if (header.name == "timestamp" && reply.status == 100) {
            append(text, "Timestamp", header.value);  // RFC 3261 section 8.2.6.1
        }
    }
    for (const Header& header : reply.headers) {
        append(text, header.name, header.value);
    }
    append_body(text, reply.content_type, reply.body);
    return text;
}

std::string write_via(const Flow& flow, std::string_view branch) {
    return "Via: SIP/2.0/" + std::string(via_name(flow.transport)) + " " + flow.local.text() +
           ";branch=" + std::string(branch) + ";rport\r\n";
}

std::string with_via(std::string_view request, const Flow& flow, std::string_view branch) {
    constexpr std::string_view kVia = "\r\nVia: ";
    const std::size_t start = request.find(kVia);
    const std::size_t end =
        start == std::string_view::npos ? start : request.find("\r\n", start + kVia.size());
    if (end == std::string_view::npos) {
        return std::string(request);
    }
    return std::string(request.substr(0, start + 2)) + write_via(flow, branch) +
           std::string(request.substr(end + 2));
}

std::string with_software(std::string_view message, std::string_view software) {
    std::string text(message);
    if (const std::size_t end = text.find("\r\n\r\n"); !software.empty() && end != std::string::npos) {
        std::string header;
        append(header, text.starts_with("SIP/2.0 ") ? "Server" : "User-Agent", software);
        text.insert(end + 2, header);
    }
    return text;
}

void append_body(std::string& text, std::string_view content_type, std::string_view body) {
    if (!body.empty()) {
        append(text, "Content-Type", content_type);
    }
    append(text, "Content-Length", std::to_string(body.size()));
    text.append("\r\n").append(body);
}

}  // namespace vmr::sip
