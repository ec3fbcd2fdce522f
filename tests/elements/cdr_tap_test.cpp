#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/elements/bench.hpp"

using namespace vmr;
using namespace vmr::test;

namespace {

constexpr const char* kRtpCaps = "application/x-rtp,media=audio,clock-rate=8000,encoding-name=PCMA,payload=8";

class CdrTapTest : public testing::Test {
protected:
    Bench bench_{"cdr-tap"};
    Outlet& out_ = bench_.outlet("src");

    static BufferPtr rtp(std::uint16_t sequence, GstClockTime pts) {
        const std::uint32_t timestamp = sequence * 160U;
        std::vector<std::uint8_t> packet(172, 0xd5);
        const std::uint8_t header[] = {0x80,
                                       8,
                                       static_cast<std::uint8_t>(sequence >> 8),
                                       static_cast<std::uint8_t>(sequence),
                                       static_cast<std::uint8_t>(timestamp >> 24),
                                       static_cast<std::uint8_t>(timestamp >> 16),
                                       static_cast<std::uint8_t>(timestamp >> 8),
                                       static_cast<std::uint8_t>(timestamp),
                                       0,
                                       0,
                                       0,
                                       42};
        std::copy(std::begin(header), std::end(header), packet.begin());
        BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_memdup(packet.data(), packet.size()));
        GST_BUFFER_PTS(buffer.get()) = pts;
        return buffer;
    }
    std::uint64_t number(const GstStructure* structure, const char* field) {
        const GValue* value = gst_structure_get_value(structure, field);
        if (value == nullptr) {
            return 999'999;
        }
        return G_VALUE_HOLDS_INT64(value)  ? static_cast<std::uint64_t>(g_value_get_int64(value))
               : G_VALUE_HOLDS_UINT(value) ? g_value_get_uint(value)
                                           : g_value_get_uint64(value);
    }
    StructurePtr stats() {
        GstStructure* structure = nullptr;
        g_object_get(bench_.element(), "stats", &structure, nullptr);
        return StructurePtr(structure);
    }
};

}  // namespace

TEST_F(CdrTapTest, CountsRtpAndPassesTheSameBuffers) {
    bench_.play();
    bench_.inlet("sink", kRtpCaps);
    std::vector<GstBuffer*> sent;
    GstClockTime pts = 0;
    for (const std::uint16_t sequence : {1, 2, 4, 6, 5, 5, 7}) {
        BufferPtr buffer = rtp(sequence, pts);
        sent.push_back(buffer.get());
        bench_.push("sink", std::move(buffer));
        pts += kTick;
    }
    const auto received = out_.take();
    ASSERT_EQ(received.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(received[i].get(), sent[i]);
    }
    const auto counted = stats();
    EXPECT_EQ(number(counted.get(), "packets"), 7U);
    EXPECT_EQ(number(counted.get(), "lost"), 1U);
    EXPECT_EQ(number(counted.get(), "reordered"), 1U);
    EXPECT_EQ(number(counted.get(), "duplicates"), 1U);
    EXPECT_EQ(number(counted.get(), "ssrc"), 42U);
    EXPECT_STREQ(gst_structure_get_string(counted.get(), "codec"), "PCMA");
}

TEST_F(CdrTapTest, CountsGapsOfAnythingElse) {
    bench_.play();
    const std::vector<std::int16_t> silence(kTickSamples);
    GstClockTime pts = bench_.push_all("sink", std::vector<std::int16_t>(kTickSamples * 3), 0);
    bench_.push_audio("sink", silence, pts + GST_SECOND);
    gst_pad_push_event(bench_.inlet("sink", kAudioCaps), gst_event_new_gap(2 * GST_SECOND, kTick));
    const auto counted = stats();
    EXPECT_EQ(number(counted.get(), "buffers"), 4U);
    EXPECT_EQ(number(counted.get(), "bytes"), 4U * kTickSamples * 2);
    EXPECT_EQ(number(counted.get(), "gaps"), 2U);
    EXPECT_FALSE(gst_structure_has_field(counted.get(), "packets"));
}

TEST_F(CdrTapTest, GarbageIsCountedAndPasses) {
    bench_.play();
    bench_.inlet("sink", kRtpCaps);
    for (gsize size = 0; size < 40; ++size) {
        BufferPtr buffer = BufferPtr::adopt(gst_buffer_new_allocate(nullptr, size, nullptr));
        gst_buffer_memset(buffer.get(), 0, 0x9f, size);
        bench_.push("sink", std::move(buffer));
    }
    EXPECT_EQ(out_.count(), 40U);
    EXPECT_EQ(number(stats().get(), "packets"), 0U);
}

TEST_F(CdrTapTest, ReportsAtEachIntervalAndOnceAtTheEndInAFileToo) {
    const std::string path = testing::TempDir() + "vmr-cdr-" + std::to_string(::getpid()) + ".jsonl";
    std::filesystem::remove(path);
    g_object_set(bench_.element(), "interval", GST_SECOND, "location", path.c_str(), nullptr);
    bench_.play();
    bench_.inlet("sink", kRtpCaps);
    bench_.push("sink", rtp(1, 0));
    bench_.crank(GST_SECOND);
    auto message = bench_.message("vmr-cdr");
    ASSERT_TRUE(message);
    gboolean final = TRUE;
    EXPECT_TRUE(gst_structure_get_boolean(gst_message_get_structure(message.get()), "final", &final));
    EXPECT_FALSE(final);
    gst_pad_push_event(bench_.inlet("sink", kRtpCaps), gst_event_new_eos());
    message = bench_.message("vmr-cdr");
    ASSERT_TRUE(message);
    EXPECT_TRUE(gst_structure_get_boolean(gst_message_get_structure(message.get()), "final", &final));
    EXPECT_TRUE(final);
    gst_element_set_state(bench_.element(), GST_STATE_READY);
    EXPECT_FALSE(bench_.has_message("vmr-cdr"));

    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_NE(lines[1].find("\"final\":true"), std::string::npos);
    EXPECT_NE(lines[1].find("\"packets\":1"), std::string::npos);
    const auto mode = std::filesystem::status(path).permissions();
    EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none);
    std::filesystem::remove(path);
}

TEST_F(CdrTapTest, AFileThatCannotBeWrittenFailsTheStart) {
    g_object_set(bench_.element(), "location", "/nonexistent/folder/cdr.jsonl", nullptr);
    EXPECT_EQ(gst_element_set_state(bench_.element(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
}
