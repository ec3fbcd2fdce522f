#include "daemon/sdp/plan_parts.hpp"

#include <algorithm>

#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

constexpr std::uint32_t kLeastPicture = 64'000;                   // bit/s: what has less for it is no picture
constexpr std::uint32_t kSoundHeaders = 50 * 40 * 8;              // bit/s, of 50 packets a second
constexpr std::uint32_t kLeastOpus = 6'000, kMostOpus = 510'000;  // bit/s; RFC 7587 section 6.1
constexpr std::uint16_t kDiscardPort = 9;  // a trickling peer's placeholder (RFC 8840 section 4.1.1)

// What of a limit is for payload. b=AS counts what IP, UDP and RTP add (RFC 3550 section 6.2), b=TIAS does
// not (RFC 3890): about 40 bytes with each 1100 of a picture.
std::uint32_t payload_limit(const Bandwidth& bandwidth) {
    return bandwidth.tias_bps != 0
               ? bandwidth.tias_bps
               : static_cast<std::uint32_t>(std::uint64_t{bandwidth.as_kbps} * 1000 * 96 / 100);
}

// Of what we send, with headers; bit/s.
std::uint32_t sound_rate(Codec codec) {
    return (codec == Codec::opus ? 48000 : 64000) + kSoundHeaders;
}

std::uint32_t smaller_limit(std::uint32_t a, std::uint32_t b) {  // 0: no limit
    return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

// Of the payload; 0: none. Opus alone can do with less than it would take.
std::uint32_t sound_limit(const Bandwidth& bandwidth, const CodecPlan& codec) {
    if (codec.codec != Codec::opus) {
        return 0;
    }
    std::uint32_t limit = bandwidth.tias_bps;
    if (limit == 0 && bandwidth.as_kbps != 0) {
        const auto all = std::uint64_t{bandwidth.as_kbps} * 1000;
        limit = static_cast<std::uint32_t>(std::max(all, std::uint64_t{kSoundHeaders} + 1) - kSoundHeaders);
    }
    if (const auto* average = find(codec.remote_fmtp, "maxaveragebitrate")) {
        limit =
            smaller_limit(limit, static_cast<std::uint32_t>(text::number(*average, kMostOpus).value_or(0)));
    }
    return limit == 0 ? 0 : std::max(limit, kLeastOpus);
}

void fill_ssrcs(MediaPlan& plan, const Media& media) {
    plan.remote_ssrcs = media.ssrcs;
    for (const auto& group : media.ssrc_groups) {
        if (group.semantics == "FID" && group.ids.size() == 2) {
            plan.remote_rtx.emplace_back(group.ids[0], group.ids[1]);
        }
    }
    plan.remote_msid = media.msid;
    if (plan.remote_msid.empty() && !media.ssrcs.empty()) {
        plan.remote_msid = media.ssrcs.front().msid;
    }
}

const TransportPlan* transport_of(const Negotiated& session, std::size_t index) {
    for (const auto& transport : session.transports) {
        if (std::find(transport.media.begin(), transport.media.end(), index) != transport.media.end()) {
            return &transport;
        }
    }
    return nullptr;
}

bool same_keys(const TransportPlan& a, const TransportPlan& b) {
    const auto same_prints = [](const auto& x, const auto& y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](const Fingerprint& p, const Fingerprint& q) {
                              return p.hash == q.hash && p.digest == q.digest;
                          });
    };
    return a.sdes.suite == b.sdes.suite && a.sdes.remote.key == b.sdes.remote.key &&
           a.sdes.remote.mki == b.sdes.remote.mki && a.sdes.local_mki == b.sdes.local_mki &&
           same_prints(a.dtls.remote_fingerprints, b.dtls.remote_fingerprints) &&
           (a.keying != KeyManagement::dtls || a.dtls.local_setup == b.dtls.local_setup);
}

// Another fingerprint, role or tls-id is another DTLS association (RFC 8842 section 5.5), on a transport of
// its own.
bool same_association(const TransportPlan& before, const TransportPlan& now) {
    const bool other_id =
        !before.dtls.tls_id.empty() && !now.dtls.tls_id.empty() && before.dtls.tls_id != now.dtls.tls_id;
    return before.keying == now.keying && before.ice.has_value() == now.ice.has_value() &&
           (before.keying != KeyManagement::dtls || (same_keys(before, now) && !other_id));
}

// Whether the sockets that were opened for `before` do for `now`, too; with ICE its checks tell.
bool same_sockets(const TransportPlan& before, const TransportPlan& now) {
    const bool same_family = before.ipv6 == now.ipv6 || is_unspecified(now.remote_address);
    return now.ice || (same_family && (!before.rtcp_mux || now.rtcp_mux));
}

}  // namespace

void fill_from_remote(MediaPlan& plan, const Media& media, const Policy& policy, Direction may) {
    const bool hold_by_address = media.connection.unspecified() && !media.ice.present();
    const bool peer_receives = receives(media.direction) && !hold_by_address;
    plan.direction = make_direction(sends(may) && peer_receives, receives(may) && sends(media.direction));
    plan.held = !peer_receives;
    const auto own = plan.kind == MediaKind::video ? policy.max_bitrate : 0;
    const auto decoder = plan.codecs.empty() ? 0 : plan.codecs.front().limit.bitrate;
    plan.max_send_bitrate = plan.kind == MediaKind::audio && !plan.codecs.empty()
                                ? sound_limit(media.bandwidth, plan.codecs.front())
                                : smaller_limit(smaller_limit(own, decoder), payload_limit(media.bandwidth));
    plan.max_receive_bitrate = own;
    plan.rtcp_rsize = media.rtcp_rsize;
    fill_ssrcs(plan, media);
}

void share_bandwidth(Negotiated& now, const Session& remote) {
    const auto total = payload_limit(remote.bandwidth);
    std::uint32_t sound = 0, pictures = 0;
    for (const auto& plan : now.media) {
        if (plan.accepted && sends(plan.direction)) {
            sound += plan.kind == MediaKind::audio ? sound_rate(plan.codecs.front().codec) : 0;
            pictures += plan.kind == MediaKind::video ? 1 : 0;
        }
    }
    if (total == 0 || pictures == 0) {
        return;
    }
    const auto each = std::max(total > sound ? (total - sound) / pictures : 0, kLeastPicture);
    for (auto& plan : now.media) {
        if (plan.accepted && plan.kind == MediaKind::video) {
            plan.max_send_bitrate = smaller_limit(plan.max_send_bitrate, each);
        }
    }
}

bool uses_ice(const Media& media, const Policy& policy) {
    if (!media.ice.present() || (policy.kind == LegKind::sip && !policy.ice) || media.ice.mismatch) {
        return false;
    }
    // A full agent of ours has one component.
    if (policy.kind == LegKind::sip && !policy.ice_lite && !media.rtcp_mux) {
        return false;
    }
    const bool placeholder = media.connection.unspecified() || media.port == kDiscardPort;
    if (policy.kind == LegKind::webrtc || placeholder || media.ice.candidates.empty()) {
        return true;
    }
    return std::any_of(media.ice.candidates.begin(), media.ice.candidates.end(), [&](const Candidate& c) {
        return c.component == 1 && c.port == media.port &&
               text::equals_ignore_case(c.address, media.connection.address);
    });
}

TransportPlan make_transport(const Media& source, const Keying& keying, bool ice, bool rtcp_mux) {
    TransportPlan plan;
    plan.remote_address = source.connection.address;
    plan.remote_port = source.port;
    plan.ipv6 = source.connection.ipv6;
    plan.rtcp_mux = rtcp_mux;
    plan.remote_rtcp_address = plan.remote_address;
    plan.remote_rtcp_port = source.port;
    if (!rtcp_mux) {
        const auto next = static_cast<std::uint16_t>(source.port == 65535 ? 0 : source.port + 1);
        plan.remote_rtcp_port = source.rtcp_port != 0 ? source.rtcp_port : next;
        if (!source.rtcp_address.empty()) {
            plan.remote_rtcp_address = source.rtcp_address;
        }
    }
    plan.keying = keying.kind;
    plan.sdes = keying.sdes;
    plan.dtls = keying.dtls;
    plan.counts_as_encrypted = keying.counts_as_encrypted;
    if (ice) {
        auto& remote = plan.ice.emplace().remote;
        remote = source.ice;
        std::erase_if(remote.candidates, [&](const Candidate& c) {
            return !text::is_unicast(c.address) || c.component > 2 || (rtcp_mux && c.component != 1);
        });
    }
    return plan;
}

std::optional<Setup> kept_dtls_role(const Negotiated* previous, std::size_t index) {
    const auto* before = previous == nullptr ? nullptr : transport_of(*previous, index);
    if (before == nullptr || before->keying != KeyManagement::dtls) {
        return std::nullopt;
    }
    return before->dtls.local_setup;
}

void relate_to_previous(Negotiated& now, const Negotiated* previous, bool ids_are_given) {
    now.next_transport = previous == nullptr ? 0 : previous->next_transport;
    std::vector<std::size_t> taken;
    for (auto& transport : now.transports) {
        const TransportPlan* before = nullptr;
        for (const auto index : transport.media) {
            before = before == nullptr && previous != nullptr ? transport_of(*previous, index) : before;
        }
        const bool lives_on =
            before != nullptr && same_association(*before, transport) &&
            // What our offer said of sockets holds: an answer cannot ask for others.
            (ids_are_given ? before->id == transport.id
                           : same_sockets(*before, transport) &&
                                 std::find(taken.begin(), taken.end(), before->id) == taken.end());
        transport.is_new = !lives_on;
        if (!ids_are_given) {
            transport.id = lives_on ? before->id : now.next_transport;
        }
        now.next_transport = std::max(now.next_transport, transport.id + 1);
        taken.push_back(transport.id);
        if (lives_on) {
            transport.rekeyed = !same_keys(*before, transport);
            transport.ipv6 = before->ipv6;
            if (transport.dtls.tls_id.empty()) {
                transport.dtls.tls_id = before->dtls.tls_id;
            }
            if (transport.ice) {
                transport.ice_restarted = transport.ice->remote.ufrag != before->ice->remote.ufrag ||
                                          transport.ice->remote.pwd != before->ice->remote.pwd;
                // Roles change with a restart alone (RFC 8445 section 6.1.1).
                if (!transport.ice_restarted) {
                    transport.ice->controlling = before->ice->controlling;
                }
            }
        }
    }
}

std::optional<FloorPlan> floor_of(const Media& media) {
    FloorPlan floor;
    floor.tcp = text::equals_ignore_case(media.proto_name, "TCP/BFCP");
    const bool bfcp = floor.tcp || text::equals_ignore_case(media.proto_name, "UDP/BFCP");
    // Port 9 is that of a TCP client, which connects itself (RFC 8856 section 8).
    if (media.kind_name != "application" || !bfcp || media.disabled() || media.connection.address.empty()) {
        return std::nullopt;
    }
    floor.passive = media.setup != Setup::passive;
    floor.keeps_connection = media.floor.keeps_connection;
    floor.remote_address = media.connection.address;
    floor.remote_port = media.port;
    return floor;
}

void conclude(Negotiated& now) {
    now.counts_as_encrypted = !now.transports.empty();
    now.trickle = false;
    for (const auto& transport : now.transports) {
        now.counts_as_encrypted = now.counts_as_encrypted && transport.counts_as_encrypted;
        now.trickle = now.trickle || (transport.ice && transport.ice->remote.trickle);
    }
}

}  // namespace vmr::sdp
