#include "daemon/legs/sip/network/stun.hpp"

#include <arpa/inet.h>

namespace vmr::sip {
namespace {

constexpr std::string_view kCookie("\x21\x12\xa4\x42", 4);
constexpr std::size_t kHeader = 20;
constexpr std::size_t kMaxRequest = 548;  // bytes (RFC 5389 section 7.1)

unsigned number(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) << 8U |
           static_cast<unsigned char>(bytes[at + 1]);
}

std::string two_bytes(unsigned value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}

// Whether the attributes are whole, and none of them must be understood (RFC 5389 section 15).
bool only_optional(std::string_view attributes) {
    while (!attributes.empty()) {
        if (attributes.size() < 4 || number(attributes, 0) < 0x8000U) {
            return false;
        }
        const std::size_t padded = 4 + (number(attributes, 2) + 3U) / 4 * 4;
        if (padded > attributes.size()) {
            return false;
        }
        attributes.remove_prefix(padded);
    }
    return true;
}

}  // namespace

bool looks_like_stun(std::string_view bytes) noexcept {
    return bytes.size() >= kHeader && static_cast<unsigned char>(bytes[0]) < 0x40 &&
           bytes.substr(4, 4) == kCookie;
}

std::string stun_answer(std::string_view request, const Address& source) {
    if (!looks_like_stun(request) || request.size() > kMaxRequest || number(request, 0) != 0x0001 ||
        number(request, 2) != request.size() - kHeader || !only_optional(request.substr(kHeader))) {
        return {};
    }
    unsigned char ip[16];
    const bool v6 = inet_pton(AF_INET6, source.ip.c_str(), ip) == 1;
    if (!v6 && inet_pton(AF_INET, source.ip.c_str(), ip) != 1) {
        return {};
    }
    const std::size_t size = v6 ? 16 : 4;
    const std::string_view mask = request.substr(4, 16);  // cookie and transaction id
    std::string answer = two_bytes(0x0101) + two_bytes(static_cast<unsigned>(8 + size));
    answer += mask;
    // XOR-MAPPED-ADDRESS (RFC 5389 section 15.2)
    answer += two_bytes(0x0020) + two_bytes(static_cast<unsigned>(4 + size)) + two_bytes(v6 ? 2 : 1) +
              two_bytes(source.port ^ 0x2112U);
    for (std::size_t index = 0; index < size; ++index) {
        answer += static_cast<char>(ip[index] ^ static_cast<unsigned char>(mask[index]));
    }
    return answer;
}

}  // namespace vmr::sip
