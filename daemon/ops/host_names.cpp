#include "daemon/ops/host_names.hpp"

#include <arpa/inet.h>
#include <glib.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <regex>

namespace vmr::ops {
namespace {

constexpr std::size_t kMaxName = 253;

}  // namespace

std::vector<std::string> host_names(bool network) {
    std::vector<std::string> names{"localhost", "127.0.0.1"};
    ifaddrs* interfaces = nullptr;
    if (!network || getifaddrs(&interfaces) != 0) {
        return names;
    }
    names.emplace_back(g_get_host_name());
    for (const ifaddrs* entry = interfaces; entry != nullptr; entry = entry->ifa_next) {
        const bool usable = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET &&
                            (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
        if (usable) {
            char text[INET_ADDRSTRLEN];
            const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
            names.emplace_back(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
        }
    }
    freeifaddrs(interfaces);
    return names;
}

bool is_address(const std::string& text) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool is_host(const std::string& text) {
    // Labels of RFC 1123; the last one is not a number, or it were an address that is none (RFC 3696 section
    // 2).
    static const std::regex kName(
        "(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*"
        "(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.?",
        std::regex::optimize);
    return is_address(text) || (text.size() <= kMaxName && std::regex_match(text, kName));
}

}  // namespace vmr::ops
