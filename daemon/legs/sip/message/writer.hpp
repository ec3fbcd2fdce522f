// Responses and Via lines as text. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

inline constexpr const char* kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, SUBSCRIBE, NOTIFY";
inline constexpr const char* kSupported = "100rel, timer, replaces, norefersub, tdialog";
inline constexpr const char* kSupportedUnreliable = "timer, replaces, norefersub, tdialog";

const char* reason_phrase(int status) noexcept;

struct Reply {
    int status = 200;
    std::string reason;  // empty: the usual phrase
    std::string to_tag;  // added when the request's To has none; empty: none is added
    std::vector<Header> headers;
    std::string body;
    std::string content_type = "application/sdp";
};

// Copies Via, From, To, Call-ID, CSeq (and Record-Route into 101-299 of a dialog-forming
// request), completes the top Via with received and rport (RFC 3261 18.2.1, RFC 3581).
std::string write_response(const Message& request, const Reply& reply);

std::string write_via(const Flow& flow, std::string_view branch);
// A request of ours for another way: its one Via says how the answer comes back.
std::string with_via(std::string_view request, const Flow& flow, std::string_view branch);

inline constexpr std::size_t kMaxSoftware = 64;  // characters
// A message with its last header saying what made it: Server in a response, User-Agent in a request.
std::string with_software(std::string_view message, std::string_view software);

// Appends body headers, the empty line and the body.
void append_body(std::string& text, std::string_view content_type, std::string_view body);

}  // namespace vmr::sip
