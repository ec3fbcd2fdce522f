#include "daemon/ops/log.hpp"

#include <glib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <regex>

#include "schemas/time_text.hpp"

namespace vmr::ops {

namespace {

constexpr std::size_t kMaxValue = 1024;       // bytes of one field
constexpr std::string_view kPrefix = "VMR_";  // our fields, among GLib's own

std::atomic<int> g_level{static_cast<int>(LogLevel::info)};
std::atomic<int> g_format{static_cast<int>(LogFormat::logfmt)};

GLogLevelFlags flags_of(LogLevel level) {
    constexpr std::array kFlags = {G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE,
                                   G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG};
    return kFlags[static_cast<std::size_t>(level)];
}

LogLevel level_of(GLogLevelFlags flags) {
    if ((flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0) {
        return LogLevel::error;
    }
    return (flags & G_LOG_LEVEL_WARNING) != 0   ? LogLevel::warning
           : (flags & G_LOG_LEVEL_MESSAGE) != 0 ? LogLevel::notice
           : (flags & G_LOG_LEVEL_INFO) != 0    ? LogLevel::info
                                                : LogLevel::debug;
}

const char* level_text(LogLevel level) {
    constexpr std::array kNames = {"error", "warning", "notice", "info", "debug"};
    return kNames[static_cast<std::size_t>(level)];
}

// One line per entry, whatever a peer put into its name.
std::string logfmt_value(std::string_view value) {
    const bool plain =
        !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos &&
        std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > 0x1f && c != 0x7f; });
    return plain ? std::string(value)
                 : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string field_text(const GLogField& field) {
    const auto* text = static_cast<const char*>(field.value);
    std::string value =
        field.length < 0 ? std::string(text) : std::string(text, static_cast<std::size_t>(field.length));
    value.resize(std::min(value.size(), kMaxValue));
    return value;
}

struct Entry {
    std::string domain;
    std::string event;                                      // as it may be shown
    std::vector<std::pair<std::string, std::string>> ours;  // fields
};

Entry read_entry(const GLogField* fields, gsize count) {
    Entry entry;
    for (gsize i = 0; i < count; ++i) {
        const std::string_view key = fields[i].key;
        if (key == "MESSAGE") {
            entry.event = field_text(fields[i]);
        } else if (key == "GLIB_DOMAIN") {
            entry.domain = field_text(fields[i]);
        } else if (key.starts_with(kPrefix)) {
            std::string name(key.substr(kPrefix.size()));
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return std::tolower(c); });
            entry.ours.emplace_back(name, field_text(fields[i]));
        }
    }
    // Only text of others' making may hold a secret by accident.
    if (entry.domain != "vmr") {
        entry.event = redact_text(entry.event);
    }
    return entry;
}

// With all fields, as GLib sends them; false when there is no journal.
bool write_journal(GLogLevelFlags flags, const GLogField* fields, gsize count, const Entry& entry) {
    std::vector<GLogField> shown(fields, fields + count);
    for (GLogField& field : shown) {
        if (std::string_view(field.key) == "MESSAGE") {
            field.value = entry.event.data();
            field.length = static_cast<gssize>(entry.event.size());
        }
    }
    return g_log_writer_journald(flags, shown.data(), shown.size(), nullptr) == G_LOG_WRITER_HANDLED;
}

GLogWriterOutput on_entry_logged(GLogLevelFlags flags, const GLogField* fields, gsize count, gpointer) {
    const LogLevel level = level_of(flags);
    if (static_cast<int>(level) > g_level.load()) {
        return G_LOG_WRITER_HANDLED;
    }
    const Entry entry = read_entry(fields, count);
    // A leg's elements carry both directions, so its links form a ring on purpose; GstBin tells at each
    // change of state.
    if (entry.domain == "GStreamer" && entry.event.starts_with("loop detected in the graph of bin")) {
        return G_LOG_WRITER_HANDLED;
    }
    const auto format = static_cast<LogFormat>(g_format.load());
    if (format == LogFormat::journal && write_journal(flags, fields, count, entry)) {
        return G_LOG_WRITER_HANDLED;
    }
    const std::string line = format_log_line(format, schema::rfc3339(std::chrono::system_clock::now()),
                                             level_text(level), entry.domain, entry.event, entry.ours) +
                             "\n";
    const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    return written >= 0 ? G_LOG_WRITER_HANDLED : G_LOG_WRITER_UNHANDLED;
}

}  // namespace

void start_log(LogFormat format, LogLevel level) {
    g_format = static_cast<int>(format);
    g_level = static_cast<int>(level);
    g_log_set_writer_func(on_entry_logged, nullptr, nullptr);
}

void set_log_level(LogLevel level) {
    g_level = static_cast<int>(level);
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (static_cast<int>(level) > g_level.load()) {
        return;
    }
    const std::string message(event);
    std::vector<std::string> keys;
    std::vector<GLogField> list = {{"MESSAGE", message.c_str(), -1}, {"GLIB_DOMAIN", "vmr", -1}};
    keys.reserve(fields.size());
    for (const LogField& field : fields) {
        std::string key(kPrefix);
        for (const char c : field.first) {
            key += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        keys.push_back(std::move(key));
        list.push_back({keys.back().c_str(), field.second.c_str(), static_cast<gssize>(field.second.size())});
    }
    g_log_structured_array(flags_of(level), list.data(), list.size());
}

std::string format_log_line(LogFormat format, std::string_view time, std::string_view level,
                            std::string_view domain, std::string_view event,
                            const std::vector<std::pair<std::string, std::string>>& fields) {
    if (format == LogFormat::json) {
        nlohmann::ordered_json line = {
            {"time", time}, {"level", level}, {"domain", domain}, {"event", event}};
        for (const auto& [key, value] : fields) {
            line[key] = value;
        }
        return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }
    std::string line = "time=" + std::string(time) + " level=" + std::string(level);
    if (!domain.empty()) {
        line += " domain=" + logfmt_value(domain);
    }
    line += " event=" + logfmt_value(event);
    for (const auto& [key, value] : fields) {
        line += " " + key + "=" + logfmt_value(value);
    }
    return line;
}

std::string redact(std::string_view secret) {
    return secret.empty() ? "none" : "set";
}

std::string redact_text(std::string_view text) {
    // Bounded: std::regex recurses once a character.
    std::string result(text.substr(0, kMaxValue));
    static const std::regex kSecrets(
        R"(((?:token|pin|password|secret|key|credential)["']?\s*[=:]\s*["']?|[Bb]earer[ .]|inline:)[^\s"',;&|]+)",
        std::regex::icase | std::regex::optimize);
    return std::regex_replace(result, kSecrets, "$1[redacted]");
}

}  // namespace vmr::ops
