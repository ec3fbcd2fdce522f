#include "daemon/bridge/seat.hpp"

#include <algorithm>

namespace vmr::bridge {
namespace {

using media::to_string;

double number_field(const GstStructure* structure, const char* field) {
    double number = 0;
    guint64 count = 0;
    if (structure == nullptr) {
        return 0;
    }
    if (gst_structure_get_double(structure, field, &number)) {
        return number;
    }
    return gst_structure_get_uint64(structure, field, &count) ? static_cast<double>(count) : 0;
}

std::uint64_t count_field(const GstStructure* structure, const char* field) {
    return static_cast<std::uint64_t>(number_field(structure, field));
}

store::StreamRecord received(const media::SessionStats& stats) {
    store::StreamRecord stream;
    stream.kind = to_string(stats.slot);
    stream.direction = "in";
    stream.codec = stats.taps.receive_codec;
    stream.packets = stats.rtp.received_packets;
    stream.bytes = stats.rtp.received_bytes;
    stream.jitter_ms = stats.rtp.jitter_ms;
    const GstStructure* tap = stats.taps.received.get();
    stream.reordered = count_field(tap, "reordered");
    stream.duplicates = count_field(tap, "duplicates");
    // Only duplicates make the loss negative (RFC 3550 section 6.4.1); rtpbin also counts the first packet,
    // which it held back on probation, as one more than expected.
    stream.lost = std::max(stats.rtp.lost_packets, -static_cast<std::int64_t>(stream.duplicates));
    stream.ssrc_changes = count_field(tap, "ssrc-changes");
    stream.bitrate_bps = number_field(tap, "bitrate");
    return stream;
}

store::StreamRecord sent(const media::SessionStats& stats) {
    store::StreamRecord stream;
    stream.kind = to_string(stats.slot);
    stream.direction = "out";
    stream.codec = stats.taps.send_codec;
    stream.packets = stats.rtp.sent_packets;
    stream.bytes = stats.rtp.sent_bytes;
    stream.bitrate_bps = number_field(stats.taps.sent.get(), "bitrate");
    stream.round_trip_ms = stats.rtp.round_trip_ms;
    stream.remote_lost = stats.rtp.remote_lost_packets;
    stream.remote_jitter_ms = stats.rtp.remote_jitter_ms;
    return stream;
}

}  // namespace

std::string without_port(const std::string& address) {
    if (address.starts_with('[')) {
        return address.substr(1, address.find(']') - 1);
    }
    const bool has_port = std::ranges::count(address, ':') == 1;
    return has_port ? address.substr(0, address.find(':')) : address;
}

void set_up_prompts(media::LegBin& bin, const PromptFiles& files, LegKind kind) {
    if (!files.folder.empty()) {
        g_object_set(bin.ivr(), "prompts", files.folder.c_str(), nullptr);
    }
    g_object_set(bin.ivr(), "inband", kind == LegKind::phone, nullptr);
    bin.set_language(files.language);
}

room::LegKind room_kind(LegKind kind) {
    switch (kind) {
        case LegKind::webrtc:
            return room::LegKind::webrtc;
        case LegKind::phone:
            return room::LegKind::phone;
        case LegKind::h323:
            return room::LegKind::h323;
        case LegKind::sip:
            break;
    }
    return room::LegKind::sip;
}

room::Cause room_cause(EndCause cause) {
    switch (cause) {
        case EndCause::hangup:
        case EndCause::cancelled:
        case EndCause::replaced:
        case EndCause::transferred:
            return room::Cause::normal;
        case EndCause::media_timeout:
            return room::Cause::no_media;
        case EndCause::media_failed:
        case EndCause::signalling_timeout:
        case EndCause::signalling_lost:
            return room::Cause::network;
        case EndCause::encryption_required:
            return room::Cause::encryption_required;
        case EndCause::max_duration:
            return room::Cause::max_duration;
        case EndCause::spend_limit:
            return room::Cause::spend_limit;
        case EndCause::shutdown:
            return room::Cause::shutdown;
        case EndCause::preempted:
            return room::Cause::preempted;
        case EndCause::busy:
        case EndCause::overload:
            return room::Cause::room_full;
        default:
            return room::Cause::error;
    }
}

EndCause leg_cause(room::Cause cause) {
    using room::Cause;
    switch (cause) {
        case Cause::normal:
        case Cause::empty:
            return EndCause::hangup;
        case Cause::network:
        case Cause::reconnect_timeout:
            return EndCause::signalling_lost;
        case Cause::no_media:
            return EndCause::media_timeout;
        case Cause::removed:
            return EndCause::removed;
        case Cause::refused:
            return EndCause::forbidden;
        case Cause::ended_by_host:
        case Cause::ended_by_admin:
        case Cause::host_absent:
        case Cause::max_duration:
            return EndCause::room_ended;
        case Cause::lobby_timeout:
            return EndCause::lobby_timeout;
        case Cause::lone_timeout:
            return EndCause::lone_timeout;
        case Cause::pin_wrong:
        case Cause::throttled:
            return EndCause::wrong_pin;
        case Cause::pin_timeout:
            return EndCause::pin_timeout;
        case Cause::encryption_required:
            return EndCause::encryption_required;
        case Cause::room_full:
            return EndCause::busy;
        case Cause::shutdown:
            return EndCause::shutdown;
        case Cause::not_answered:
            return EndCause::no_answer;
        case Cause::preempted:
            return EndCause::preempted;
        case Cause::spend_limit:
            return EndCause::spend_limit;
        case Cause::error:
            break;
    }
    return EndCause::internal_error;
}

room::CryptoReceipt room_receipt(const CryptoReceipt& receipt) {
    const auto or_empty = [](const std::string& text) { return text == "none" ? std::string() : text; };
    return {or_empty(receipt.signalling), or_empty(receipt.key_exchange), or_empty(receipt.suite),
            static_cast<unsigned>(std::max(receipt.key_bits, 0))};
}

std::string shown_name(const Arrival& arrival) {
    return !arrival.display_name.empty() ? arrival.display_name
           : arrival.withheld            ? "Anonymous"
                                         : arrival.caller;
}

store::CallRecord opened_record(const Arrival& arrival, const room::RoomConfig& room,
                                const std::string& version) {
    store::CallRecord record;
    record.id = store::CallRecords::new_id();
    record.room = room.id;
    record.room_title = room.title;
    record.participant = arrival.leg;
    record.name = arrival.display_name;
    record.leg = vmr::to_string(arrival.kind);
    record.from = arrival.caller.empty() ? arrival.display_name : arrival.caller;
    record.to = arrival.alias;
    record.remote_address = arrival.remote_address;
    record.trunk = arrival.trunk;
    record.verification = arrival.verification;
    record.identity = arrival.identity;
    record.user_agent = arrival.user_agent;
    record.server_version = version;
    record.started_at = std::chrono::system_clock::now();
    return record;
}

store::CallRecord refused_record(const Arrival& arrival, const room::RoomConfig& room, EndCause cause,
                                 const std::string& version) {
    store::CallRecord record = opened_record(arrival, room, version);
    record.ended_at = record.started_at;
    record.end_cause = vmr::to_string(cause);
    record.crypto.signalling = arrival.signalling;
    return record;
}

void complete_record(store::CallRecord& record, const room::RecordDraft& draft) {
    record.participant = draft.participant;
    record.name = draft.name;
    record.role =
        draft.admitted || draft.pin_attempts > draft.pin_wrong ? room::to_string(draft.role) : "none";
    record.started_at = draft.start;
    record.ended_at = draft.stop;
    if (draft.joined_at) {
        record.admitted_at = *draft.joined_at;
    }
    record.admitted = draft.admitted;
    record.lobby_seconds = std::chrono::duration<double>(draft.lobby_time).count();
    record.pin_attempts = static_cast<int>(draft.pin_attempts);
    record.end_cause = room::to_string(draft.cause);
    const auto or_none = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
    record.crypto.signalling = or_none(draft.crypto.signalling);
    record.crypto.media =
        draft.crypto.suite.empty() ? "none" : draft.crypto.key_exchange + " " + draft.crypto.suite;
    record.crypto.key_bits = static_cast<int>(draft.crypto.key_bits);
    record.crypto.encrypted = draft.encrypted;
}

void add_streams(store::CallRecord& record, const media::Session& session) {
    for (const media::SessionStats& stats : session.stats()) {
        record.streams.push_back(received(stats));
        record.streams.push_back(sent(stats));
    }
}

}  // namespace vmr::bridge
