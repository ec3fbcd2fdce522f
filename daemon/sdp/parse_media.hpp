// Between the two halves of the parser: the lines of one m-section, still as views into the text.
#pragma once
#include <string_view>
#include <vector>

#include "daemon/sdp/session.hpp"

namespace vmr::sdp {

struct Attribute {
    std::string_view name, value;  // a=name:value
};

struct Section {
    std::string_view media;  // the value of m=; empty: the session level
    std::string_view connection;
    bool has_connection = false;
    std::vector<std::string_view> bandwidths;
    std::vector<Attribute> attributes;
};

Status read_connection(std::string_view value, Connection& connection);
void read_bandwidth(std::string_view value, Bandwidth& bandwidth);
// Reads one m-section; what it does not say itself is taken from `session`.
Result<Media> read_media(const Section& section, const Section& session);

bool read_crypto(std::string_view value, Crypto& crypto);  // a=crypto; false: no crypto line at all
bool read_fingerprint(std::string_view value, Fingerprint& fingerprint);  // false: weak or malformed

}  // namespace vmr::sdp
