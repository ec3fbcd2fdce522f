// Devices log in by HTTP Basic (RFC 7617) with the name and secret that they register with.
#include "daemon/api/server_impl.hpp"

namespace vmr::api {
namespace {

constexpr std::string_view kBasic = "Basic ";
constexpr std::size_t kMaxCredentials = 1024;  // characters

struct Credentials {
    std::string name, secret;
};

std::optional<Credentials> read(const std::string& header) {
    if (header.size() > kMaxCredentials || header.size() <= kBasic.size() ||
        g_ascii_strncasecmp(header.c_str(), kBasic.data(), kBasic.size()) != 0) {
        return std::nullopt;
    }
    gsize size = 0;
    guchar* bytes = g_base64_decode(header.c_str() + kBasic.size(), &size);
    const std::string text(reinterpret_cast<const char*>(bytes), size);
    g_free(bytes);
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || text.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

std::variant<Caller, Response> Server::Impl::log_in_device(SoupServerMessage* message,
                                                           const ConnectionPtr& connection) {
    SoupMessageHeaders* answer = soup_server_message_get_response_headers(message);
    const bool local = connection->address == "127.0.0.1" || connection->address == "::1";
    if (!connection->secure && !local) {
        return problem(403, "secrets travel by HTTPS alone");
    }
    const auto now = std::chrono::steady_clock::now();
    if (!wrong_logins_.has(connection->source, now)) {
        soup_message_headers_replace(answer, "Retry-After", "10");
        return problem(429, "too many wrong secrets from this address");
    }
    const std::optional<Credentials> given = read(header_of(message, "Authorization"));
    if (given && device_login_ && device_login_(given->name, given->secret)) {
        Caller caller;
        caller.kind = Caller::Kind::device;
        caller.device = given->name;
        return caller;
    }
    if (given) {
        (void)wrong_logins_.take(connection->source, now);
    }
    soup_message_headers_append(answer, "WWW-Authenticate", "Basic realm=\"vmr\", charset=\"UTF-8\"");
    return problem(401);
}

}  // namespace vmr::api
