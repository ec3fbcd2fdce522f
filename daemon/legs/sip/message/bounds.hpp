// What is checked on raw bytes before any parser sees them: size, framing, counts. Pure.
#pragma once
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

enum class Frame {
    complete,
    incomplete,  // a stream must deliver more
    keep_alive,  // CRLF or CRLFCRLF (RFC 5626 section 3.5.1)
    malformed,   // not SIP, no or bad Content-Length on a stream
    too_large,   // over a bound
};

struct Inspection {
    Frame frame = Frame::malformed;
    // Bytes this message (or keep-alive) takes; for an incomplete one, the bytes that are
    // needed before it is worth another look (0: not known, the header end is missing).
    std::size_t length = 0;
};

// `stream`: more messages may follow and Content-Length is required; a datagram is one
// message, and bytes behind Content-Length are not part of it (RFC 3261 section 18.3).
Inspection inspect(std::string_view bytes, bool stream);

// The 400 or 505 to a request that cannot be read, or `status` to one that could be, without any state: what
// of it can be copied, Via at least (RFC 4475 section 3.3.1). Empty when it must not be answered: a response,
// an ACK, no Via.
std::string stateless_refusal(std::string_view bytes, const Address& source, int status = 0);

// "t" -> "to", "TO" -> "to" (RFC 3261 section 7.3.3)
std::string canonical_header_name(std::string_view name);

}  // namespace vmr::sip
