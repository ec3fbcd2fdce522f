// A SIP message as plain data: what the stack hands up, and nothing of its types.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::sip {

enum class Transport { udp, tcp, tls };
const char* via_name(Transport transport) noexcept;   // "UDP"
const char* uri_param(Transport transport) noexcept;  // "udp"

struct Address {
    std::string ip;  // numeric, without brackets
    std::uint16_t port = 0;
    std::string text() const;  // "192.0.2.7:5060", "[2001:db8::1]:5060"
    bool operator==(const Address&) const = default;
};

// The way a message came, and the way back. Replies and our own requests go here and
// nowhere else: no name in a message is ever resolved (maddr, sent-by, Contact).
struct Flow {
    Transport transport = Transport::udp;
    Address remote;
    Address local;
    std::uint64_t connection = 0;     // TCP and TLS; 0 = datagram
    std::string protection = "none";  // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    bool opened_by_us = false;        // a connection of ours: its certificate is that of whom we called
    std::string peer_certificate;     // subject of a verified certificate, or empty
    // What that certificate says whose it is: SIP domains (RFC 5922 section 7.1) and addresses, lower case.
    std::vector<std::string> peer_domains;
    int dscp = -1;  // marking of what goes along it; -1: as the socket is
};
// What counts as one source where something is limited per source. Datagrams may be forged: they use up
// nothing of what the same address has on its connections.
std::string source_of(const Flow& flow);

struct Uri {
    std::string scheme;  // lower case
    std::string user;    // unescaped, but for control characters
    std::string host;    // lower case, no brackets
    std::uint16_t port = 0;
    std::string params;   // raw, ";transport=tls;lr"
    std::string headers;  // raw, "?Route=…": never used
    std::string text;     // as received
    bool has_param(std::string_view name) const;
};

struct NameAddr {
    std::string display;
    Uri uri;
    std::string params;  // raw header parameters, ";tag=abc"
    std::string tag;
};

struct Header {
    std::string name;  // full form, lower case
    std::string value;
};

struct Message {
    bool request = true;
    std::string method;  // of a response: CSeq's method
    Uri uri;             // Request-URI
    int status = 0;
    std::string reason;
    std::vector<Header> headers;  // in order, as received
    std::string body;
    std::string content_type;  // "application/sdp", lower case, without parameters

    std::string call_id;
    std::uint32_t cseq = 0;
    NameAddr from, to;
    std::vector<NameAddr> contacts;      // of a response the first kMaxListed
    std::vector<NameAddr> record_route;  // at most kMaxRoutes are accepted
    std::string branch;                  // of the top Via
    std::string sent_by;                 // of the top Via, lower case
    bool rport = false;                  // is in the top Via (RFC 3581)
    Flow flow;

    // Of a request: along the connection that it came by; datagrams to the port that the top Via asks for.
    Flow response_flow() const;

    // The branch names the transaction; it does not with the clients of RFC 2543 (section 17.2.3).
    bool has_unique_branch() const { return branch.size() > 7 && branch.starts_with("z9hG4bK"); }
    const std::string* header(std::string_view name) const;               // first value, or null
    std::vector<std::string> values(std::string_view name) const;         // split at commas, trimmed
    bool has_token(std::string_view name, std::string_view token) const;  // e.g. Supported: 100rel
};

inline constexpr std::size_t kMaxMessage = 65536;     // bytes
inline constexpr std::size_t kMaxHeaders = 128;       // lines
inline constexpr std::size_t kMaxParameters = 64;     // ';' in one value of a header
inline constexpr std::size_t kMaxHeaderValue = 8192;  // bytes, unfolded
inline constexpr std::size_t kMaxRoutes = 16;
inline constexpr std::size_t kMaxContacts = 4;  // of a request: it is refused
// Of a response: an account's bindings, where a call is redirected.
inline constexpr std::size_t kMaxListed = 64;

// Value of a parameter in ";a=b;c" text (case-insensitive name, quotes removed);
// `found` tells a parameter without value from an absent one.
std::string parameter(std::string_view params, std::string_view name, bool* found = nullptr);
bool equal_nocase(std::string_view left, std::string_view right) noexcept;
std::string lower(std::string_view text);
std::string_view trim(std::string_view text) noexcept;

}  // namespace vmr::sip
