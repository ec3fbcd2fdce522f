// The whole of an ICE lite agent (RFC 8445 section 2.5): answers the peer's connectivity checks on a socket
// whose address is in the description. Pure.
#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace vmr::media {

class StunResponder {
public:
    StunResponder();  // with credentials of its own; throws without random numbers
    StunResponder(std::string ufrag, std::string password)
        : ufrag_(std::move(ufrag)), password_(std::move(password)) {}

    const std::string& ufrag() const { return ufrag_; }
    const std::string& password() const { return password_; }

    struct Answer {
        std::vector<std::uint8_t> bytes;  // to go back to where the check came from
        bool valid = false;               // a success: the source is the peer's
        bool nominated = false;           // USE-CANDIDATE
        std::uint32_t priority = 0;       // of the candidate that the check came from
    };
    // Empty: there is nothing to answer. What is not the peer's is not answered at all: neither it nor whose
    // address it claims learns anything. `peer_ufrag`: empty while the peer's description is unknown.
    std::optional<Answer> answer(Bytes datagram, const std::string& peer_ufrag,
                                 const sockaddr_storage& from) const;

    static bool is_stun(Bytes datagram);  // RFC 8489 section 6.3

private:
    std::string ufrag_, password_;
};

}  // namespace vmr::media
