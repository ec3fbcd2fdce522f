// What the log's writer makes of entries: lines, and what the journal gets.
#include "daemon/ops/log.hpp"

#include <glib.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace {

using JournalEntry = std::map<std::string, std::string>;
std::vector<JournalEntry> journal;

}  // namespace

// Stands in for GLib's, which sends to a socket of systemd's.
extern "C" GLogWriterOutput g_log_writer_journald(GLogLevelFlags /*level*/, const GLogField* fields,
                                                  gsize count, gpointer /*data*/) {
    JournalEntry& entry = journal.emplace_back();
    for (gsize i = 0; i < count; ++i) {
        const auto* text = static_cast<const char*>(fields[i].value);
        entry[fields[i].key] = fields[i].length < 0
                                   ? std::string(text)
                                   : std::string(text, static_cast<std::size_t>(fields[i].length));
    }
    return G_LOG_WRITER_HANDLED;
}

namespace vmr::ops {
namespace {

TEST(LogTest, OneLineWhateverTheTextHolds) {
    EXPECT_EQ(format_log_line(LogFormat::logfmt, "T", "info", "vmr", "room created",
                              {{"name", "a\nb=\"c\""}, {"room", "board"}}),
              R"(time=T level=info domain=vmr event="room created" name="a\nb=\"c\"" room=board)");
    EXPECT_EQ(format_log_line(LogFormat::json, "T", "info", "vmr", "x", {{"a", "\xff\n"}}).find('\n'),
              std::string::npos);
}

TEST(LogTest, Redacts) {
    EXPECT_EQ(redact("1234"), "set");
    EXPECT_EQ(redact_text("GET /x?token=abc&y=1 Bearer xyz"),
              "GET /x?token=[redacted]&y=1 Bearer [redacted]");
    EXPECT_EQ(redact_text("a=crypto:1 AES inline:QUJD|2^31"), "a=crypto:1 AES inline:[redacted]|2^31");
    EXPECT_EQ(redact_text("\"pin\": \"4829\""), "\"pin\": \"[redacted]\"");
}

TEST(LogTest, TheJournalGetsWhatALineWouldShow) {
    start_log(LogFormat::journal, LogLevel::info);
    g_log_structured("libsoup", G_LOG_LEVEL_WARNING, "CODE_FUNC", "f", "MESSAGE",
                     "GET /x?token=abc\nBearer xyz");
    g_log_structured("GStreamer", G_LOG_LEVEL_WARNING, "MESSAGE", "loop detected in the graph of bin 'leg'");
    g_log_structured("libsoup", G_LOG_LEVEL_DEBUG, "MESSAGE", "below the level");
    log(LogLevel::notice, "room created", {{"room", "board"}});
    ASSERT_EQ(journal.size(), 2U);
    EXPECT_EQ(journal[0].at("MESSAGE"), "GET /x?token=[redacted]\nBearer [redacted]");
    EXPECT_EQ(journal[0].at("GLIB_DOMAIN"), "libsoup");
    EXPECT_EQ(journal[0].at("CODE_FUNC"), "f");
    EXPECT_EQ(journal[1].at("MESSAGE"), "room created");
    EXPECT_EQ(journal[1].at("VMR_ROOM"), "board");
}

}  // namespace
}  // namespace vmr::ops
