#include "daemon/ops/host_names.hpp"

#include <arpa/inet.h>
#include <glib.h>
#include <ifaddrs.h>
#include <net/if.h>

namespace vmr::ops {

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

}  // namespace vmr::ops
