#include "daemon/legs/sip/network/stun.hpp"

#include <arpa/inet.h>

#include <optional>

#include "daemon/stun/message.hpp"

namespace vmr::sip {
namespace {

std::optional<sockaddr_storage> numeric(const Address& address) {
    sockaddr_storage made{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(made);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(made);
    if (inet_pton(AF_INET, address.ip.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
    } else if (inet_pton(AF_INET6, address.ip.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
    } else {
        return std::nullopt;
    }
    return made;
}

}  // namespace

bool looks_like_stun(std::string_view bytes) noexcept {
    return stun::has_header(bytes_of(bytes));
}

std::string stun_answer(std::string_view request, const Address& source) {
    const Bytes bytes = bytes_of(request);
    const auto address = numeric(source);
    // Whatever an attribute asks for that must be understood, we do not do.
    if (!address || !stun::is_binding_request(bytes) ||
        !stun::each_attribute(
            bytes, [](const stun::Attribute& attribute) { return attribute.type >= stun::kOptional; })) {
        return {};
    }
    stun::Writer writer(stun::Type::binding_success, bytes);
    writer.add_mapped_address(*address);
    const auto answer = writer.take();
    return {answer.begin(), answer.end()};
}

}  // namespace vmr::sip
