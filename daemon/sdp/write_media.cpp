#include "daemon/sdp/write_media.hpp"

#include <algorithm>
#include <stdexcept>

#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

using std::to_string;

void line(std::string& out, const std::string& text) {
    out += text;
    out += "\r\n";
}

std::string address_text(const std::string& address) {
    return (text::is_ip6(address) ? "IN IP6 " : "IN IP4 ") + address;
}

const char* setup_text(Setup setup) {
    switch (setup) {
        case Setup::actpass:
            return "actpass";
        case Setup::active:
            return "active";
        case Setup::holdconn:
            return "holdconn";
        default:
            return "passive";
    }
}

std::string m_line(const MediaText& media) {
    std::string text =
        "m=" + media.kind_name + ' ' + to_string(media.transport->port) + ' ' + media.proto_name;
    for (const auto& codec : *media.codecs) {
        text += ' ' + to_string(codec.receive_pt);
    }
    for (const auto& codec : *media.codecs) {
        if (codec.rtx_receive_pt) {
            text += ' ' + to_string(*codec.rtx_receive_pt);
        }
    }
    if (media.fec) {
        text += ' ' + to_string(media.fec->red_receive_pt);
        text += media.fec->rtx_receive_pt ? ' ' + to_string(*media.fec->rtx_receive_pt) : "";
        text += ' ' + to_string(media.fec->ulpfec_receive_pt);
    }
    for (const auto& dtmf : *media.dtmf) {
        text += ' ' + to_string(dtmf.receive_pt);
    }
    return text;
}

void feedback_lines(std::string& out, const std::string& pt, const RtcpFeedback& feedback) {
    const std::pair<bool, const char*> kinds[] = {
        {feedback.goog_remb, "goog-remb"}, {feedback.transport_cc, "transport-cc"},
        {feedback.ccm_fir, "ccm fir"},     {feedback.ccm_tmmbr, "ccm tmmbr"},
        {feedback.nack, "nack"},           {feedback.nack_pli, "nack pli"}};
    for (const auto& [on, kind] : kinds) {
        if (on) {
            line(out, "a=rtcp-fb:" + pt + ' ' + kind);
        }
    }
}

void rtx_lines(std::string& out, std::uint8_t rtx, std::uint8_t original) {
    line(out, "a=rtpmap:" + to_string(rtx) + " rtx/90000");
    line(out, "a=fmtp:" + to_string(rtx) + " apt=" + to_string(original));
}

void fec_lines(std::string& out, const FecPlan& fec) {
    line(out, "a=rtpmap:" + to_string(fec.red_receive_pt) + " red/90000");
    if (fec.rtx_receive_pt) {
        rtx_lines(out, *fec.rtx_receive_pt, fec.red_receive_pt);
    }
    line(out, "a=rtpmap:" + to_string(fec.ulpfec_receive_pt) + " ulpfec/90000");
}

void codec_lines(std::string& out, const MediaText& media) {
    for (const auto& codec : *media.codecs) {
        const auto pt = to_string(codec.receive_pt);
        auto rtpmap = "a=rtpmap:" + pt + ' ' + to_string(codec.codec) + '/' + to_string(codec.clock_rate);
        line(out, codec.channels > 1 ? rtpmap + '/' + to_string(codec.channels) : rtpmap);
        feedback_lines(out, pt, media.feedback);
        if (!codec.local_fmtp.empty()) {
            line(out, "a=fmtp:" + pt + ' ' + codec.local_fmtp);
        }
        if (codec.rtx_receive_pt) {
            rtx_lines(out, *codec.rtx_receive_pt, codec.receive_pt);
        }
    }
    if (media.fec) {
        fec_lines(out, *media.fec);
    }
    for (const auto& dtmf : *media.dtmf) {
        const auto pt = to_string(dtmf.receive_pt);
        line(out, "a=rtpmap:" + pt + " telephone-event/" + to_string(dtmf.clock_rate));
        line(out, "a=fmtp:" + pt + " 0-15");
    }
}

// "|value:length", the value in decimal (RFC 4568 section 9.1).
std::string mki_text(const std::vector<std::uint8_t>& mki) {
    std::uint64_t value = 0;
    for (const auto byte : mki) {
        value = value << 8 | byte;
    }
    return mki.empty() ? "" : '|' + to_string(value) + ':' + to_string(mki.size());
}

void key_lines(std::string& out, const MediaText& media) {
    for (const auto& crypto : media.cryptos) {
        line(out, "a=crypto:" + to_string(crypto.tag) + ' ' + crypto.suite_name +
                      " inline:" + text::base64_encode(*crypto.key) + (crypto.lifetime ? "|2^31" : "") +
                      mki_text(crypto.mki));
    }
    if (media.setup != Setup::none) {
        for (const auto& fingerprint : media.transport->fingerprints) {
            line(out, "a=fingerprint:" + fingerprint.hash + ' ' + text::hex_encode(fingerprint.digest, ':'));
        }
        line(out, std::string("a=setup:") + setup_text(media.setup));
    }
}

void ice_lines(std::string& out, const MediaText& media, bool lite) {
    if (!media.ice) {
        return;
    }
    const auto& transport = *media.transport;
    line(out, "a=ice-ufrag:" + transport.ice_ufrag);
    line(out, "a=ice-pwd:" + transport.ice_pwd);
    // RFC 8445 section 10: of our own agent, which is lite; libnice follows RFC 5245.
    if (media.trickle || lite) {
        line(out, std::string("a=ice-options:") + (!lite           ? "trickle"
                                                   : media.trickle ? "trickle ice2"
                                                                   : "ice2"));
    }
    if (!media.candidates) {
        return;
    }
    for (const auto& candidate : transport.candidates) {
        line(out, "a=" + to_string(candidate));
    }
    if (transport.end_of_candidates) {
        line(out, "a=end-of-candidates");
    }
}

void extmap_lines(std::string& out, const ExtmapPlan& extmaps) {
    const std::pair<unsigned, const char*> all[] = {{extmaps.audio_level, kUriAudioLevel},
                                                    {extmaps.transport_cc, kUriTransportCc},
                                                    {extmaps.mid, kUriMid}};
    for (const auto& [id, uri] : all) {
        if (id != 0) {
            line(out, "a=extmap:" + to_string(id) + ' ' + uri);
        }
    }
}

void source_lines(std::string& out, const LocalParams& local, std::size_t index, Direction direction) {
    const auto found = std::find_if(local.media.begin(), local.media.end(),
                                    [&](const LocalMedia& media) { return media.index == index; });
    if (found == local.media.end() || !sends(direction)) {
        return;
    }
    if (!found->msid.empty()) {
        line(out, "a=msid:" + found->msid);
    }
    if (found->ssrc == 0) {
        return;
    }
    if (found->rtx_ssrc != 0) {
        line(out, "a=ssrc-group:FID " + to_string(found->ssrc) + ' ' + to_string(found->rtx_ssrc));
    }
    for (const auto ssrc : {found->ssrc, found->rtx_ssrc}) {
        if (ssrc != 0) {
            line(out, "a=ssrc:" + to_string(ssrc) + " cname:" + local.cname);
        }
        if (ssrc != 0 && !found->msid.empty()) {
            line(out, "a=ssrc:" + to_string(ssrc) + " msid:" + found->msid);
        }
    }
}

}  // namespace

const LocalTransport& local_transport(const LocalParams& local, std::size_t id) {
    for (const auto& transport : local.transports) {
        if (transport.id == id) {
            return transport;
        }
    }
    throw std::logic_error("sdp: no local transport " + to_string(id));
}

std::string head_text(const LocalParams& local, const std::string& address, bool ice,
                      const std::vector<std::vector<std::string>>& bundles) {
    std::string out;
    line(out, "v=0");
    line(out, "o=- " + to_string(local.session_id) + ' ' + to_string(local.session_version) + ' ' +
                  address_text(address));
    line(out, "s=" + local.session_name);
    line(out, "c=" + address_text(address));
    line(out, "t=0 0");
    if (ice && local.ice_lite) {
        line(out, "a=ice-lite");
    }
    for (const auto& bundle : bundles) {
        std::string group = "a=group:BUNDLE";
        for (const auto& mid : bundle) {
            group += ' ' + mid;
        }
        if (!bundle.empty()) {
            line(out, group);
        }
    }
    return out;
}

std::string media_text(const MediaText& media, const LocalParams& local, std::size_t index,
                       const std::string& session_address) {
    std::string out;
    const auto& transport = *media.transport;
    line(out, m_line(media));
    if (transport.address != session_address) {
        line(out, "c=" + address_text(transport.address));
    }
    if (media.max_receive_bitrate != 0) {
        // With the headers, which b=AS counts (RFC 3550 section 6.2).
        line(out, "b=AS:" + to_string((std::uint64_t{media.max_receive_bitrate} * 100 / 96 + 999) / 1000));
        line(out, "b=TIAS:" + to_string(media.max_receive_bitrate));
    }
    if (media.rtcp_line) {
        line(out, "a=rtcp:" + to_string(transport.rtcp_port) + ' ' + address_text(transport.address));
    }
    if (!media.mid.empty()) {
        line(out, "a=mid:" + media.mid);
    }
    ice_lines(out, media, local.ice_lite);
    key_lines(out, media);
    extmap_lines(out, media.extmaps);
    line(out, std::string("a=") + to_string(media.direction));
    if (media.rtcp_mux) {
        line(out, "a=rtcp-mux");
    }
    if (media.rtcp_rsize) {
        line(out, "a=rtcp-rsize");
    }
    codec_lines(out, media);
    if (media.kind_name == "audio") {
        line(out, "a=ptime:20");
    }
    if (!media.content.empty()) {
        line(out, "a=content:" + media.content);
    }
    if (!media.label.empty()) {
        line(out, "a=label:" + media.label);
    }
    source_lines(out, local, index, media.direction);
    return out;
}

std::string floor_text(const FloorPlan& floor, const LocalFloor& local) {
    std::string out;
    line(out, "m=application " + to_string(local.port) + (floor.tcp ? " TCP/BFCP *" : " UDP/BFCP *"));
    line(out, "c=" + address_text(local.address));
    if (floor.tcp) {
        line(out, floor.passive ? "a=setup:passive" : "a=setup:active");
        line(out, floor.keeps_connection && local.connected ? "a=connection:existing" : "a=connection:new");
    }
    line(out, "a=floorctrl:s-only");
    line(out, "a=confid:" + to_string(local.conference));
    line(out, "a=userid:" + to_string(local.user));
    line(out, "a=floorid:" + to_string(local.floor) + " mstrm:" + floor.stream);
    return out;
}

std::string refused_text(const std::string& kind_name, const std::string& proto_name,
                         const std::vector<std::string>& format_names, const std::string& mid) {
    std::string text = "m=" + kind_name + " 0 " + proto_name;
    for (const auto& name : format_names) {
        text += ' ' + name;
    }
    std::string out;
    line(out, text);
    if (!mid.empty()) {
        line(out, "a=mid:" + mid);
    }
    line(out, "a=inactive");
    return out;
}

}  // namespace vmr::sdp
