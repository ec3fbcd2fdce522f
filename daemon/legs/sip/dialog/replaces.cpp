#include "daemon/legs/sip/dialog/replaces.hpp"

#include <algorithm>

#include "daemon/legs/sip/message/head.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxLength = 1024;

// word [ "@" word ] of RFC 3261 section 25.1, without quotes and backslashes: the value is also written.
bool is_call_id(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return c > 0x20 && c < 0x7f &&
               std::string_view(";,\"\\").find(static_cast<char>(c)) == std::string_view::npos;
    });
}

}  // namespace

std::string Replaces::text() const {
    return call_id + ";to-tag=" + to_tag + ";from-tag=" + from_tag + (early_only ? ";early-only" : "");
}

std::optional<Replaces> parse_replaces(std::string_view value) {
    const std::size_t semicolon = std::min(value.find(';'), value.size());
    const std::string_view params = value.substr(semicolon);
    Replaces replaces;
    replaces.call_id = trim(value.substr(0, semicolon));
    replaces.to_tag = parameter(params, "to-tag");
    replaces.from_tag = parameter(params, "from-tag");
    (void)parameter(params, "early-only", &replaces.early_only);
    if (value.size() > kMaxLength || !is_call_id(replaces.call_id) || !is_token(replaces.to_tag) ||
        !is_token(replaces.from_tag)) {
        return std::nullopt;
    }
    return replaces;
}

ReplacesHeader read_replaces(const Message& invite) {
    ReplacesHeader read;
    const auto named = [&invite](const char* name) {
        return std::ranges::count(invite.headers, name, &Header::name);
    };
    const auto count = named("replaces");
    if (count == 0) {
        return read;
    }
    read.value = parse_replaces(*invite.header("replaces"));
    // Section 3: one, and nothing that says otherwise (Join, RFC 3911).
    read.malformed = count > 1 || named("join") > 0 || !read.value;
    return read;
}

}  // namespace vmr::sip
