// Splits a description into sections (RFC 8866) within the bounds of session.hpp. Our own rather than GstSDP:
// see docs/decisions/0002-offer-answer.md.
#include "daemon/sdp/parse_media.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

struct Document {
    std::string_view origin, name;
    Section session;
    std::vector<Section> media;
};

Error at_line(std::size_t number, const char* problem) {
    return Error{"line " + std::to_string(number) + ": " + problem};
}

// Files one line; the returned text says what was wrong with it.
const char* file_line(Document& document, char type, std::string_view value) {
    auto& section = document.media.empty() ? document.session : document.media.back();
    switch (type) {
        case 'm':
            if (document.media.size() == kMaxMedia) {
                return "too many m-lines";
            }
            document.media.emplace_back().media = value;
            return value.empty() ? "empty m=" : nullptr;
        case 'o':
            document.origin = value;
            return nullptr;
        case 's':
            document.name = value;
            return nullptr;
        case 'c':
            if (!section.has_connection) {  // more than one is a multicast matter
                section.connection = value;
                section.has_connection = true;
            }
            return nullptr;
        case 'b':
            section.bandwidths.push_back(value);
            return section.bandwidths.size() > kMaxAttributes ? "too many b= lines" : nullptr;
        case 'a':
            if (section.attributes.size() == kMaxAttributes) {
                return "too many attributes";
            }
            {
                const auto name = text::trimmed(text::take(value, ':'));
                section.attributes.push_back({name, text::trimmed(value)});
            }
            return nullptr;
        default:
            return nullptr;  // i, u, e, p, t, r, z, k: nothing we use
    }
}

Result<Document> split(std::string_view rest) {
    constexpr std::size_t max_lines = 10000;
    Document document;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        if (number > max_lines) {
            return at_line(number, "too many lines");
        }
        auto line = text::take(rest, '\n');
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.empty() && rest.find_first_not_of("\r\n") == rest.npos && number > 1) {
            break;  // some add an empty line at the end
        }
        if (line.size() > kMaxLine) {
            return at_line(number, "too long");
        }
        if (line.size() < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z') {
            return at_line(number, "not <type>=<value>");
        }
        if (line.find('\r') != line.npos) {
            return at_line(number, "carriage return inside");
        }
        if (number == 1 ? line != "v=0" : line[0] == 'v') {
            return at_line(number, "v=0 must be the first line, once");
        }
        if (const char* problem = file_line(document, line[0], line.substr(2))) {
            return at_line(number, problem);
        }
    }
    return document;
}

// o=<username> <sess-id> <sess-version> <nettype> <addrtype> <address>. Identities over 64 bits or that are
// no numbers at all occur; nothing depends on them, so they read as 0.
bool read_origin(std::string_view value, Session& session) {
    session.origin_username = text::take_word(value);
    const auto id = text::take_word(value);
    const auto version = text::take_word(value);
    session.origin_id = text::number(id, UINT64_MAX).value_or(0);
    session.origin_version = text::number(version, UINT64_MAX).value_or(0);
    return !session.origin_username.empty() && !version.empty();
}

void read_groups(const Section& section, Session& session) {
    for (const auto& [name, value] : section.attributes) {
        if (name == "ice-lite") {
            session.ice_lite = true;
        } else if (name == "extmap-allow-mixed") {
            session.extmap_allow_mixed = true;
        } else if (name == "group" && session.bundle_groups.size() < kMaxMedia) {
            auto rest = value;
            if (!text::equals_ignore_case(text::take_word(rest), "BUNDLE")) {
                continue;
            }
            auto& group = session.bundle_groups.emplace_back();
            for (auto mid = text::take_word(rest); !mid.empty() && group.size() < kMaxMedia;
                 mid = text::take_word(rest)) {
                group.emplace_back(mid);
            }
        }
    }
}

bool mids_are_unique(const Session& session) {
    for (std::size_t i = 0; i < session.media.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (!session.media[i].mid.empty() && session.media[i].mid == session.media[k].mid) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

Result<Session> parse(std::string_view text) {
    if (text.empty() || text.size() > kMaxSize) {
        return Error{"empty, or over 64 KiB"};
    }
    if (text.find('\0') != text.npos) {
        return Error{"NUL byte"};
    }
    auto document = split(text);
    if (!document) {
        return Error{document.error()};
    }
    Session session;
    if (!read_origin(document->origin, session)) {
        return Error{"missing or malformed o="};
    }
    session.name = document->name;
    if (document->session.has_connection) {
        if (auto read = read_connection(document->session.connection, session.connection); !read) {
            return Error{read.error()};
        }
    }
    for (const auto value : document->session.bandwidths) {
        read_bandwidth(value, session.bandwidth);
    }
    read_groups(document->session, session);
    for (std::size_t i = 0; i < document->media.size(); ++i) {
        auto media = read_media(document->media[i], document->session);
        if (!media) {
            return Error{"m-line " + std::to_string(i) + ": " + media.error()};
        }
        media->ice.lite |= session.ice_lite;
        session.media.push_back(std::move(*media));
    }
    if (!mids_are_unique(session)) {
        return Error{"two m-lines with one mid"};
    }
    return session;
}

}  // namespace vmr::sdp
