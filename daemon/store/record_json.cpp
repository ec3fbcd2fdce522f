#include <cmath>

#include "daemon/store/call_records.hpp"
#include "schemas/time_text.hpp"

namespace vmr::store {

using nlohmann::json;

namespace {

template <typename T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json();
}

template <typename T>
std::optional<T> optional_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? std::nullopt : std::optional<T>(found->get<T>());
}

// Names come from the network: the schema's limits hold for what is stored too.
std::string cut(const std::string& text, std::size_t limit) {
    std::string result = text.substr(0, limit);
    while (result.size() < text.size() && !result.empty() && (text[result.size()] & 0xc0) == 0x80) {
        result.pop_back();  // not inside a UTF-8 sequence
    }
    return result;
}

json stream_json(const StreamRecord& stream) {
    return {{"kind", stream.kind},
            {"direction", stream.direction},
            {"codec", cut(stream.codec, 64)},
            {"packets", stream.packets},
            {"bytes", stream.bytes},
            {"lost", stream.lost},
            {"reordered", stream.reordered},
            {"duplicates", stream.duplicates},
            {"ssrc_changes", stream.ssrc_changes},
            {"jitter_ms", stream.jitter_ms},
            {"bitrate_bps", stream.bitrate_bps},
            {"round_trip_ms", or_null(stream.round_trip_ms)},
            {"remote_lost", or_null(stream.remote_lost)},
            {"remote_jitter_ms", or_null(stream.remote_jitter_ms)}};
}

StreamRecord stream_of(const json& value) {
    StreamRecord stream;
    stream.kind = value.at("kind");
    stream.direction = value.at("direction");
    stream.codec = value.at("codec");
    stream.packets = value.at("packets");
    stream.bytes = value.at("bytes");
    stream.lost = value.at("lost");
    stream.reordered = value.value("reordered", stream.reordered);
    stream.duplicates = value.value("duplicates", stream.duplicates);
    stream.ssrc_changes = value.value("ssrc_changes", stream.ssrc_changes);
    stream.jitter_ms = value.at("jitter_ms");
    stream.bitrate_bps = value.at("bitrate_bps");
    stream.round_trip_ms = optional_of<double>(value, "round_trip_ms");
    stream.remote_lost = optional_of<std::int64_t>(value, "remote_lost");
    stream.remote_jitter_ms = optional_of<double>(value, "remote_jitter_ms");
    return stream;
}

Time time_of(const json& value) {
    return schema::parse_rfc3339(value.get<std::string>()).value_or(Time{});
}

}  // namespace

json to_json(const CallRecord& record) {
    json streams = json::array();
    for (const StreamRecord& stream : record.streams) {
        streams.push_back(stream_json(stream));
    }
    json value{{"id", record.id},
               {"room", cut(record.room, 64)},
               {"room_title", cut(record.room_title, 128)},
               {"participant", cut(record.participant, 64)},
               {"name", cut(record.name, 128)},
               {"role", record.role},
               {"leg", record.leg},
               {"direction", record.direction},
               {"from", cut(record.from, 256)},
               {"to", cut(record.to, 256)},
               {"remote_address", cut(record.remote_address, 64)},
               {"local_address", cut(record.local_address, 64)},
               {"trunk", cut(record.trunk, 64)},
               {"caller_verification", cut(record.verification, 16)},
               {"identity", cut(record.identity, 4096)},
               {"user_agent", cut(record.user_agent, 256)},
               {"server_version", cut(record.server_version, 64)},
               {"started_at", schema::rfc3339(record.started_at)},
               {"admitted_at", record.admitted_at ? json(schema::rfc3339(*record.admitted_at)) : json()},
               {"ended_at", schema::rfc3339(record.ended_at)},
               {"lobby_seconds", record.lobby_seconds},
               {"admitted", record.admitted},
               {"pin_attempts", record.pin_attempts},
               {"end_cause", cut(record.end_cause, 64)},
               {"end_text", cut(record.end_text, 256)},
               {"count", record.count},
               {"crypto",
                {{"signalling", cut(record.crypto.signalling, 128)},
                 {"media", cut(record.crypto.media, 160)},
                 {"key_bits", record.crypto.key_bits},
                 {"encrypted", record.crypto.encrypted}}},
               {"streams", std::move(streams)}};
    if (record.cost > 0) {
        value["cost"] = static_cast<double>(record.cost) / 1e6;
    }
    return value;
}

Result<CallRecord> call_record_from_json(const json& value) {
    try {
        CallRecord record;
        record.id = value.at("id");
        record.room = value.at("room");
        record.room_title = value.value("room_title", "");
        record.participant = value.at("participant");
        record.name = value.value("name", "");
        record.role = value.at("role");
        record.leg = value.at("leg");
        record.direction = value.at("direction");
        record.from = value.at("from");
        record.to = value.at("to");
        record.remote_address = value.at("remote_address");
        record.local_address = value.value("local_address", "");
        record.trunk = value.value("trunk", "");
        record.verification = value.value("caller_verification", "");
        record.identity = value.value("identity", "");
        record.user_agent = value.at("user_agent");
        record.server_version = value.at("server_version");
        record.started_at = time_of(value.at("started_at"));
        if (const auto admitted = optional_of<std::string>(value, "admitted_at")) {
            record.admitted_at = schema::parse_rfc3339(*admitted);
        }
        record.ended_at = time_of(value.at("ended_at"));
        record.lobby_seconds = value.at("lobby_seconds");
        record.admitted = value.at("admitted");
        record.pin_attempts = value.value("pin_attempts", 0);
        record.end_cause = value.at("end_cause");
        record.end_text = value.value("end_text", "");
        record.cost = std::llround(value.value("cost", 0.0) * 1e6);
        record.count = value.value("count", record.count);
        const json& crypto = value.at("crypto");
        record.crypto = {crypto.at("signalling"), crypto.at("media"), crypto.at("key_bits"),
                         crypto.at("encrypted")};
        for (const json& stream : value.at("streams")) {
            record.streams.push_back(stream_of(stream));
        }
        return record;
    } catch (const json::exception& problem) {
        return Error{std::string("not a call record: ") + problem.what()};
    }
}

}  // namespace vmr::store
