#include "plugins/cdr-tap/report.hpp"

#include <cstdio>
#include <ctime>

namespace vmr::cdr_tap {

namespace {

// Collects "key":value pairs of one JSON object.
class Object {
public:
    void text(const char* key, const std::string& value) { raw(key, "\"" + json_escape(value) + "\""); }
    void number(const char* key, std::uint64_t value) { raw(key, std::to_string(value)); }
    void integer(const char* key, std::int64_t value) { raw(key, std::to_string(value)); }
    void real(const char* key, double value) {
        char buffer[40];
        // Independent of the locale's decimal comma: thousandths as an integer.
        const auto thousandths = static_cast<long long>(value * 1000.0 + (value < 0 ? -0.5 : 0.5));
        const long long magnitude = thousandths < 0 ? -thousandths : thousandths;
        std::snprintf(buffer, sizeof buffer, "%s%lld.%03lld", thousandths < 0 ? "-" : "", magnitude / 1000,
                      magnitude % 1000);
        raw(key, buffer);
    }
    void truth(const char* key, bool value) { raw(key, value ? "true" : "false"); }
    void raw(const char* key, const std::string& value) {
        body_ += (body_.empty() ? "\"" : ",\"") + std::string(key) + "\":" + value;
    }
    std::string str() const { return "{" + body_ + "}"; }

private:
    std::string body_;
};

std::string rfc3339(std::uint64_t time_us) {
    const auto seconds = static_cast<std::time_t>(time_us / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    char whole[48];
    std::snprintf(whole, sizeof whole, "%s.%03uZ", date, static_cast<unsigned>(time_us / 1000 % 1000));
    return whole;
}

std::string stream_json(const StreamSnapshot& stream) {
    Object object;
    object.number("ssrc", stream.ssrc);
    object.number("payload_type", stream.payload_type);
    object.text("codec", stream.format.codec);
    object.number("clock_rate", stream.format.clock_rate);
    object.number("packets", stream.packets);
    object.number("bytes", stream.bytes);
    object.integer("lost", stream.lost);
    object.number("reordered", stream.reordered);
    object.number("duplicates", stream.duplicates);
    object.real("jitter_ms", stream.jitter_ms);
    return object.str();
}

std::string remote_json(const RemoteReport& remote) {
    Object object;
    object.number("ssrc", remote.ssrc);
    object.real("fraction_lost", remote.fraction_lost);
    object.integer("lost", remote.lost);
    object.real("jitter_ms", remote.jitter_ms);
    if (remote.round_trip_ms >= 0) {
        object.real("round_trip_ms", remote.round_trip_ms);
        object.real("round_trip_max_ms", remote.round_trip_max_ms);
    }
    return object.str();
}

}  // namespace

std::string json_escape(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20) {
            char buffer[8];
            std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(byte));
            result += buffer;
        } else {
            result += c;
        }
    }
    return result;
}

std::string to_json(const Report& report) {
    Object object;
    object.text("time", rfc3339(report.time_us));
    object.text("tap", report.tap);
    object.truth("final", report.final);
    object.text("media_type", report.media_type);
    object.real("duration_s", static_cast<double>(report.duration_ns) / 1e9);
    object.number("buffers", report.buffers);
    object.number("bytes", report.bytes);
    object.number("bitrate", report.bitrate);
    object.number("gaps", report.gaps);
    if (report.rtp) {
        const TapSnapshot& packets = report.packets;
        object.number("packets", packets.packets);
        object.integer("lost", packets.lost);
        object.number("reordered", packets.reordered);
        object.number("duplicates", packets.duplicates);
        object.number("malformed", packets.malformed);
        object.number("rtcp_packets", packets.rtcp_packets);
        object.number("ssrc_changes", packets.ssrc_changes);
        std::string streams;
        for (const StreamSnapshot& stream : packets.streams) {
            streams += (streams.empty() ? "" : ",") + stream_json(stream);
        }
        object.raw("streams", "[" + streams + "]");
        if (packets.remote.valid) {
            object.raw("remote", remote_json(packets.remote));
        }
    }
    return object.str();
}

}  // namespace vmr::cdr_tap
