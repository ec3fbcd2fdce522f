// One m-section: the m-, c- and b-lines and how attributes of the session level are inherited.
#include "daemon/sdp/parse_media.hpp"

#include <algorithm>
#include <array>

#include "daemon/sdp/parse_attribute.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

struct StaticFormat {
    unsigned pt;
    const char* encoding;
};
// RFC 3551 table 4: those that we know; all at 8000 Hz (G.722 by the erratum it never lived down).
constexpr std::array<StaticFormat, 4> kStaticFormats = {{{0, "pcmu"}, {8, "pcma"}, {9, "g722"}, {13, "cn"}}};

Proto proto_from(std::string_view name) {
    for (const auto proto : {Proto::rtp_avp, Proto::rtp_avpf, Proto::rtp_savp, Proto::rtp_savpf,
                             Proto::udp_tls_savp, Proto::udp_tls_savpf}) {
        if (text::equals_ignore_case(name, to_string(proto))) {
            return proto;
        }
    }
    return Proto::other;
}

const char* read_formats(std::string_view rest, Media& media) {
    for (auto name = text::take_word(rest); !name.empty(); name = text::take_word(rest)) {
        if (media.format_names.size() == kMaxFormats) {
            return "too many formats";
        }
        media.format_names.emplace_back(name);
        if (media.proto == Proto::other) {
            continue;
        }
        const auto pt = text::number(name, 127);
        if (!pt) {
            return "a payload type is no number of 0 to 127";
        }
        if (media.format(static_cast<unsigned>(*pt)) != nullptr) {
            continue;  // said twice
        }
        auto& format = media.formats.emplace_back();
        format.pt = static_cast<std::uint8_t>(*pt);
        for (const auto& known : kStaticFormats) {
            if (known.pt == *pt) {
                format.encoding = known.encoding;
                format.clock_rate = 8000;
            }
        }
    }
    return media.format_names.empty() ? "no formats" : nullptr;
}

// m=<media> <port>["/"<count>] <proto> <fmt> …
const char* read_media_line(std::string_view rest, Media& media) {
    media.kind_name = text::take_word(rest);
    if (!text::is_token(media.kind_name) || media.kind_name.size() > kMaxToken) {
        return "malformed media type";
    }
    media.kind = media.kind_name == "audio"   ? MediaKind::audio
                 : media.kind_name == "video" ? MediaKind::video
                                              : MediaKind::other;
    auto port_and_count = text::take_word(rest);
    const auto port = text::number(text::take(port_and_count, '/'), 65535);
    if (!port || (!port_and_count.empty() && !text::number(port_and_count, 65535))) {
        return "malformed port";
    }
    media.port = static_cast<std::uint16_t>(*port);
    media.proto_name = text::take_word(rest);
    media.proto = proto_from(media.proto_name);
    return media.proto_name.empty() ? "no proto" : read_formats(rest, media);
}

// What may stand at session level for all m-lines (RFC 8859 categories aside). One bit each; an m-line that
// says any of a group itself inherits none of it.
enum Group : unsigned {
    kDirection = 1,
    kFingerprint = 2,
    kSetup = 4,
    kUfrag = 8,
    kPwd = 16,
    kIceOptions = 32,
    kCrypto = 64,
    kExtmap = 128,
    kTlsId = 256,
};
unsigned inheritable(std::string_view name) {
    struct Entry {
        std::string_view name;
        Group group;
    };
    static constexpr std::array<Entry, 12> table = {{{"sendrecv", kDirection},
                                                     {"sendonly", kDirection},
                                                     {"recvonly", kDirection},
                                                     {"inactive", kDirection},
                                                     {"fingerprint", kFingerprint},
                                                     {"setup", kSetup},
                                                     {"ice-ufrag", kUfrag},
                                                     {"ice-pwd", kPwd},
                                                     {"ice-options", kIceOptions},
                                                     {"crypto", kCrypto},
                                                     {"extmap", kExtmap},
                                                     {"tls-id", kTlsId}}};
    for (const auto& entry : table) {
        if (entry.name == name) {
            return entry.group;
        }
    }
    return 0;
}

const char* read_attributes(const Section& section, const Section& session, Media& media) {
    unsigned own = 0;
    for (const auto& attribute : section.attributes) {
        own |= inheritable(attribute.name);
        if (const char* problem = read_attribute(attribute, media)) {
            return problem;
        }
    }
    for (const auto& attribute : session.attributes) {
        const unsigned group = inheritable(attribute.name);
        const bool ice_end = attribute.name == "end-of-candidates";
        if (ice_end || (group != 0 && (own & group) == 0)) {
            if (const char* problem = read_attribute(attribute, media)) {
                return problem;
            }
        }
    }
    return nullptr;
}

}  // namespace

Status read_connection(std::string_view value, Connection& connection) {
    const auto nettype = text::take_word(value);
    const auto addrtype = text::take_word(value);
    auto rest = text::take_word(value);
    const auto address = text::take(rest, '/');
    const bool ipv6 = addrtype == "IP6";
    if (nettype != "IN" || (!ipv6 && addrtype != "IP4")) {
        return Error{"malformed c="};
    }
    // A name would have us ask DNS on a stranger's word; a group address would have us send to many.
    if (!(ipv6 ? text::is_ip6(address) : text::is_ip4(address)) || !text::is_unicast(address)) {
        return Error{"c= holds no unicast IP address"};
    }
    connection = {std::string(address), ipv6};
    return Ok{};
}

void read_bandwidth(std::string_view value, Bandwidth& bandwidth) {
    const auto type = text::take(value, ':');
    if (type == "AS") {
        bandwidth.as_kbps = static_cast<std::uint32_t>(text::number(value, 4'000'000).value_or(0));
    } else if (type == "TIAS") {
        bandwidth.tias_bps = static_cast<std::uint32_t>(text::number(value, 4'000'000'000).value_or(0));
    }
}

Result<Media> read_media(const Section& section, const Section& session) {
    Media media;
    if (const char* problem = read_media_line(section.media, media)) {
        return Error{problem};
    }
    const auto& source = section.has_connection ? section : session;
    if (source.has_connection) {
        if (auto read = read_connection(source.connection, media.connection); !read) {
            return Error{read.error()};
        }
    }
    for (const auto value : section.bandwidths) {
        read_bandwidth(value, media.bandwidth);
    }
    if (const char* problem = read_attributes(section, session, media)) {
        return Error{problem};
    }
    if (media.kind_name == "application" &&
        std::ranges::any_of(media.formats, [](const Format& format) { return format.encoding == "h224"; })) {
        media.kind = MediaKind::camera;
    }
    if (!media.disabled() && media.kind != MediaKind::other && media.connection.address.empty()) {
        return Error{"no c= line"};
    }
    return media;
}

}  // namespace vmr::sdp
