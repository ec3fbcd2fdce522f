// Each gst-launch-1.0 example of docs/elements/ and of the elements' own documentation runs to its end.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace fs = std::filesystem;
using namespace vmr;

namespace {

struct Example {
    std::string file;
    std::string pipeline;
};

void read_examples(const fs::path& path, std::vector<Example>& examples) {
    constexpr std::string_view kCommand = "gst-launch-1.0 ";
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t at = line.find_first_not_of(" *$");
        if (at == std::string::npos || line.compare(at, kCommand.size(), kCommand) != 0) {
            continue;
        }
        std::string command = line.substr(at + kCommand.size());
        while (!command.empty() && command.back() == '\\' && std::getline(file, line)) {
            command.back() = ' ';
            const std::size_t text = line.find_first_not_of(" *");
            command += text == std::string::npos ? "" : line.substr(text);
        }
        while (command.starts_with("-")) {  // options of gst-launch
            command.erase(0, std::min(command.find(' '), command.size() - 1) + 1);
        }
        // Nothing to look at or listen with here.
        for (const std::string_view device : {"autovideosink", "autoaudiosink"}) {
            for (std::size_t found = 0; (found = command.find(device)) != std::string::npos;) {
                command.replace(found, device.size(), "fakesink sync=true");
            }
        }
        examples.push_back({path.string(), command});
    }
}

std::vector<Example> all_examples() {
    const fs::path root = g_getenv("VMR_SOURCE_ROOT");
    std::vector<Example> examples;
    for (const auto& [folder, extension] :
         {std::pair{"docs/elements", ".md"}, std::pair{"plugins", ".cpp"}}) {
        if (!fs::exists(root / folder)) {
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            // A mixer plays until it is stopped: vmr_mixer/run_example.py runs its examples.
            const bool ends = entry.path().string().find("vmr-mixer") == std::string::npos;
            if (ends && entry.path().extension() == extension) {
                read_examples(entry.path(), examples);
            }
        }
    }
    return examples;
}

void run(const Example& example) {
    SCOPED_TRACE(example.file + ": " + example.pipeline);
    GError* error = nullptr;
    const ElementPtr pipeline = ElementPtr::adopt(gst_parse_launch(example.pipeline.c_str(), &error));
    if (error != nullptr) {
        ADD_FAILURE() << error->message;
        g_clear_error(&error);
    }
    ASSERT_TRUE(pipeline);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const GPtr<GstBus> bus = GPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
    const auto message = GPtr<GstMessage>::adopt(gst_bus_timed_pop_filtered(
        bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    ASSERT_TRUE(message) << "did not end within 30 s";
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message.get(), &error, nullptr);
        ADD_FAILURE() << error->message;
        g_clear_error(&error);
    }
}

}  // namespace

TEST(DocExamples, RunToTheirEnd) {
    gst_init(nullptr, nullptr);
    const auto examples = all_examples();
    EXPECT_FALSE(examples.empty());
    for (const Example& example : examples) {
        run(example);
    }
}
