// What a trunk asks of the dialogs with it; as here where there is none.
#pragma once
#include <cstdint>

namespace vmr::sip {

enum class Reliable { off, offered, required };  // provisional responses (RFC 3262)

struct DialogTerms {
    Reliable reliable = Reliable::offered;
    std::uint32_t session_expires = 1800;  // seconds (RFC 4028)
    std::uint32_t min_se = 90;
    bool precedence = false;  // Resource-Priority is known there (RFC 4412)
};

}  // namespace vmr::sip
