// Replaces (RFC 3891): the dialog whose place a call takes. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

struct Replaces {
    std::string call_id;
    std::string to_tag;    // of who gets this
    std::string from_tag;  // of the other
    bool early_only = false;
    std::string key() const { return call_id + "|" + to_tag + "|" + from_tag; }  // as Dialog::key()
    std::string text() const;
};

std::optional<Replaces> parse_replaces(std::string_view value);

// Of an INVITE. `malformed`: 400.
struct ReplacesHeader {
    bool malformed = false;
    std::optional<Replaces> value;
};
ReplacesHeader read_replaces(const Message& invite);

}  // namespace vmr::sip
