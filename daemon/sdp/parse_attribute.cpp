#include "daemon/sdp/parse_attribute.hpp"

#include <algorithm>
#include <array>

#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

// Readers return what was wrong, or null. What only costs a feature (an odd fmtp, a bad candidate) is
// skipped; what decides identity, addresses or security is an error.
using Reader = const char* (*)(std::string_view value, Media& media);

Format* format_of(Media& media, std::string_view pt_text) {
    const auto pt = text::number(pt_text, 127);
    const auto found = std::find_if(media.formats.begin(), media.formats.end(),
                                    [&](const Format& format) { return pt && format.pt == *pt; });
    return found == media.formats.end() ? nullptr : &*found;
}

// <pt> <encoding>/<clock rate>[/<channels>]. Old ones leave out the rate ("31 LPC", RFC 4475): then a static
// type keeps its own, and any other has none, which is no codec of ours.
const char* read_rtpmap(std::string_view value, Media& media) {
    Format* format = format_of(media, text::take_word(value));
    auto rest = text::trimmed(value);
    const bool rated = rest.find('/') != rest.npos;
    const auto encoding = text::take(rest, '/');
    const auto clock_rate = text::number(text::take(rest, '/'), 1'000'000);
    const auto channels = rest.empty() ? 1 : text::number(rest, 255);
    if (format == nullptr) {
        return nullptr;
    }
    if (!rated && text::is_token(encoding)) {
        format->encoding = text::lower(encoding);
        return nullptr;
    }
    if (!clock_rate || *clock_rate == 0 || !channels || *channels == 0 || !text::is_token(encoding)) {
        return "malformed a=rtpmap";
    }
    format->encoding = text::lower(encoding);
    format->clock_rate = static_cast<std::uint32_t>(*clock_rate);
    format->channels = static_cast<unsigned>(*channels);
    return nullptr;
}

const char* read_fmtp(std::string_view value, Media& media) {
    Format* format = format_of(media, text::take_word(value));
    if (format == nullptr || !format->fmtp_text.empty()) {
        return nullptr;
    }
    auto rest = text::trimmed(value);
    format->fmtp_text = rest;
    while (!rest.empty() && format->fmtp.size() < 64) {
        auto parameter = text::trimmed(text::take(rest, ';'));
        const auto name = text::trimmed(text::take(parameter, '='));
        if (!name.empty()) {
            format->fmtp.emplace_back(text::lower(name), text::trimmed(parameter));
        }
    }
    return nullptr;
}

const char* read_rtcp_fb(std::string_view value, Media& media) {
    const auto pt = text::take_word(value);
    std::string kind(text::take_word(value));
    if (const auto parameter = text::take_word(value); !parameter.empty()) {
        kind += ' ';
        kind += parameter;
    }
    for (auto& format : media.formats) {
        if (pt != "*" && &format != format_of(media, pt)) {
            continue;
        }
        format.feedback.nack |= kind == "nack";
        format.feedback.nack_pli |= kind == "nack pli";
        format.feedback.ccm_fir |= kind == "ccm fir";
        format.feedback.transport_cc |= kind == "transport-cc";
        format.feedback.goog_remb |= kind == "goog-remb";
        format.feedback.ccm_tmmbr |= kind == "ccm tmmbr";
    }
    return nullptr;
}

template <Direction kDirection>
const char* read_direction(std::string_view, Media& media) {
    media.direction = kDirection;
    return nullptr;
}

template <bool Media::*kFlag>
const char* read_flag(std::string_view, Media& media) {
    media.*kFlag = true;
    return nullptr;
}

template <std::string Media::*kField>
const char* read_text(std::string_view value, Media& media) {
    if (value.size() <= kMaxToken) {
        media.*kField = text::trimmed(value);
    }
    return nullptr;
}

const char* read_mid(std::string_view value, Media& media) {
    if (!text::is_token(value) || value.size() > kMaxToken || !media.mid.empty()) {
        return "malformed a=mid";
    }
    media.mid = value;
    return nullptr;
}

const char* read_content(std::string_view value, Media& media) {
    // A list is allowed (RFC 4796 section 5); the first we know decides.
    auto rest = value;
    while (!rest.empty() && media.content.empty()) {
        const auto word = text::lower(text::trimmed(text::take(rest, ',')));
        if (word == "slides" || word == "main" || word == "alt" || word == "speaker" || word == "sl") {
            media.content = word;
        }
    }
    return nullptr;
}

template <unsigned Media::*kField>
const char* read_milliseconds(std::string_view value, Media& media) {
    auto whole = text::trimmed(value);  // "20.0" occurs
    media.*kField = static_cast<unsigned>(text::number(text::take(whole, '.'), 1000).value_or(0));
    return nullptr;
}

// <port> [IN IP4|IP6 <address>] (RFC 3605)
const char* read_rtcp(std::string_view value, Media& media) {
    const auto port = text::number(text::take_word(value), 65535);
    if (!port) {
        return "malformed a=rtcp";
    }
    media.rtcp_port = static_cast<std::uint16_t>(*port);
    if (!text::trimmed(value).empty()) {
        Connection connection;
        if (!read_connection(value, connection)) {
            return "malformed a=rtcp";
        }
        media.rtcp_address = connection.address;
    }
    return nullptr;
}

const char* read_crypto_line(std::string_view value, Media& media) {
    Crypto crypto;
    if (media.cryptos.size() < kMaxCryptos && read_crypto(value, crypto)) {
        media.cryptos.push_back(std::move(crypto));
    }
    return nullptr;
}

const char* read_fingerprint_line(std::string_view value, Media& media) {
    Fingerprint fingerprint;
    if (media.fingerprints.size() < 8 && read_fingerprint(value, fingerprint)) {
        media.fingerprints.push_back(std::move(fingerprint));
    }
    return nullptr;
}

const char* read_setup(std::string_view value, Media& media) {
    media.setup = value == "actpass"    ? Setup::actpass
                  : value == "active"   ? Setup::active
                  : value == "passive"  ? Setup::passive
                  : value == "holdconn" ? Setup::holdconn
                                        : Setup::none;
    return media.setup == Setup::none ? "malformed a=setup" : nullptr;
}

bool is_ice_text(std::string_view text, std::size_t min) {
    return text.size() >= min && text.size() <= kMaxToken &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/' || c == '-' || c == '_' ||
                      c == '=';  // the last three: not by RFC 8839, but seen
           });
}

const char* read_ice_ufrag(std::string_view value, Media& media) {
    media.ice.ufrag = value;
    return is_ice_text(value, 4) ? nullptr : "malformed a=ice-ufrag";
}

const char* read_ice_pwd(std::string_view value, Media& media) {
    media.ice.pwd = value;
    return is_ice_text(value, 22) ? nullptr : "malformed a=ice-pwd";
}

const char* read_ice_options(std::string_view value, Media& media) {
    for (auto word = text::take_word(value); !word.empty(); word = text::take_word(value)) {
        media.ice.trickle |= word == "trickle";
    }
    return nullptr;
}

const char* read_end_of_candidates(std::string_view, Media& media) {
    media.ice.end_of_candidates = true;
    return nullptr;
}

const char* read_ice_mismatch(std::string_view, Media& media) {
    media.ice.mismatch = true;
    return nullptr;
}

const char* read_candidate(std::string_view value, Media& media) {
    if (media.ice.candidates.size() < kMaxCandidates) {
        if (auto candidate = parse_candidate(value)) {
            media.ice.candidates.push_back(std::move(*candidate));
        }
    }
    return nullptr;
}

// <id>["/"<direction>] <uri> …
const char* read_extmap(std::string_view value, Media& media) {
    auto id_and_direction = text::take_word(value);
    const auto id = text::number(text::take(id_and_direction, '/'), 65535);
    const auto uri = text::take_word(value);
    if (!id || *id == 0 || uri.empty() || uri.size() > kMaxToken || media.extmaps.size() >= 64) {
        return nullptr;
    }
    auto& extmap = media.extmaps.emplace_back();
    extmap.id = static_cast<unsigned>(*id);
    extmap.uri = uri;
    for (const auto direction :
         {Direction::inactive, Direction::sendonly, Direction::recvonly, Direction::sendrecv}) {
        if (id_and_direction == to_string(direction)) {
            extmap.direction = direction;
        }
    }
    return nullptr;
}

// <ssrc> <attribute>[:<value>] (RFC 5576)
const char* read_ssrc(std::string_view value, Media& media) {
    const auto id = text::number(text::take_word(value), 0xffffffff);
    auto rest = text::trimmed(value);
    const auto name = text::take(rest, ':');
    if (!id || rest.size() > kMaxToken) {
        return nullptr;
    }
    auto found =
        std::find_if(media.ssrcs.begin(), media.ssrcs.end(), [&](const Ssrc& s) { return s.id == *id; });
    if (found == media.ssrcs.end()) {
        if (media.ssrcs.size() == kMaxSsrcs) {
            return nullptr;
        }
        media.ssrcs.push_back({static_cast<std::uint32_t>(*id), {}, {}});
        found = media.ssrcs.end() - 1;
    }
    if (name == "cname") {
        found->cname = rest;
    } else if (name == "msid") {
        found->msid = rest;
    }
    return nullptr;
}

const char* read_ssrc_group(std::string_view value, Media& media) {
    if (media.ssrc_groups.size() == kMaxSsrcs) {
        return nullptr;
    }
    SsrcGroup group{std::string(text::take_word(value)), {}};
    for (auto word = text::take_word(value); !word.empty() && group.ids.size() < kMaxSsrcs;
         word = text::take_word(value)) {
        const auto id = text::number(word, 0xffffffff);
        if (!id) {
            return nullptr;
        }
        group.ids.push_back(static_cast<std::uint32_t>(*id));
    }
    media.ssrc_groups.push_back(std::move(group));
    return nullptr;
}

// c-only, s-only, c-s; several words are alternatives (RFC 8856 section 5.1).
const char* read_floorctrl(std::string_view value, Media& media) {
    media.floor.client = media.floor.server = false;
    for (auto word = text::take_word(value); !word.empty(); word = text::take_word(value)) {
        media.floor.client |= word == "c-only" || word == "c-s";
        media.floor.server |= word == "s-only" || word == "c-s";
    }
    return nullptr;
}

const char* read_kept_connection(std::string_view value, Media& media) {
    media.floor.keeps_connection = value == "existing";
    return nullptr;
}

const char* read_confid(std::string_view value, Media& media) {
    media.floor.conference =
        static_cast<std::uint32_t>(text::number(text::trimmed(value), 0xffffffff).value_or(0));
    return nullptr;
}

const char* read_userid(std::string_view value, Media& media) {
    media.floor.user = static_cast<std::uint16_t>(text::number(text::trimmed(value), 0xffff).value_or(0));
    return nullptr;
}

// <floor> mstrm:<label> …; drafts wrote m-stream.
const char* read_floorid(std::string_view value, Media& media) {
    const auto floor = text::number(text::take_word(value), 0xffff);
    auto streams = text::take_word(value);
    const auto name = text::take(streams, ':');
    const bool named = (name == "mstrm" || name == "m-stream") && streams.size() <= kMaxToken;
    if (floor && media.floor.floor == 0) {
        media.floor.floor = static_cast<std::uint16_t>(*floor);
        media.floor.stream = named ? streams : std::string_view();
    }
    return nullptr;
}

struct Entry {
    std::string_view name;
    Reader read;
};
constexpr std::array kReaders = std::to_array<Entry>({
    {"rtpmap", read_rtpmap},
    {"fmtp", read_fmtp},
    {"rtcp-fb", read_rtcp_fb},
    {"sendrecv", read_direction<Direction::sendrecv>},
    {"sendonly", read_direction<Direction::sendonly>},
    {"recvonly", read_direction<Direction::recvonly>},
    {"inactive", read_direction<Direction::inactive>},
    {"rtcp-mux", read_flag<&Media::rtcp_mux>},
    {"rtcp-mux-only", read_flag<&Media::rtcp_mux_only>},
    {"rtcp-rsize", read_flag<&Media::rtcp_rsize>},
    {"bundle-only", read_flag<&Media::bundle_only>},
    {"mid", read_mid},
    {"label", read_text<&Media::label>},
    {"msid", read_text<&Media::msid>},
    {"tls-id", read_text<&Media::tls_id>},
    {"content", read_content},
    {"ptime", read_milliseconds<&Media::ptime>},
    {"maxptime", read_milliseconds<&Media::max_ptime>},
    {"rtcp", read_rtcp},
    {"crypto", read_crypto_line},
    {"fingerprint", read_fingerprint_line},
    {"setup", read_setup},
    {"ice-ufrag", read_ice_ufrag},
    {"ice-pwd", read_ice_pwd},
    {"ice-options", read_ice_options},
    {"ice-mismatch", read_ice_mismatch},
    {"end-of-candidates", read_end_of_candidates},
    {"candidate", read_candidate},
    {"extmap", read_extmap},
    {"ssrc", read_ssrc},
    {"ssrc-group", read_ssrc_group},
    {"floorctrl", read_floorctrl},
    {"connection", read_kept_connection},
    {"confid", read_confid},
    {"userid", read_userid},
    {"floorid", read_floorid},
});

}  // namespace

const char* read_attribute(const Attribute& attribute, Media& media) {
    const auto entry = std::find_if(kReaders.begin(), kReaders.end(),
                                    [&](const Entry& e) { return e.name == attribute.name; });
    return entry == kReaders.end() ? nullptr : entry->read(attribute.value, media);
}

}  // namespace vmr::sdp
