// Structured logs: everything that goes through GLib (ours, GStreamer's glue, libsoup) is written
// as one line of logfmt or JSON, or to the journal with its fields. No secret may be a field.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/ops/config.hpp"

namespace vmr::ops {

// Installs the writer, for the whole process: call once, first thing in main().
void start_log(LogFormat format, LogLevel level);
// For SIGHUP; safe from any thread.
void set_log_level(LogLevel level);

using LogField = std::pair<std::string_view, std::string>;
// `event` is a fixed phrase ("room created"); what varies is in fields: {{"room", id}}.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// A line as the writer makes it (also what tests look at).
std::string format_log_line(LogFormat format, std::string_view time, std::string_view level,
                            std::string_view domain, std::string_view event,
                            const std::vector<std::pair<std::string, std::string>>& fields);

// What may be logged of a secret: whether there is one.
std::string redact(std::string_view secret);
// Text from outside with what looks like a token, PIN or key replaced ("token=…", "Bearer …", a=crypto
// inline).
std::string redact_text(std::string_view text);

}  // namespace vmr::ops
