// The descriptions that the daemon runs on are parsed and held to their contract.
#include "daemon/media/pipelines.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vmr::media {
namespace {

namespace fs = std::filesystem;

fs::path source_folder() {
    return fs::path(std::getenv("VMR_SOURCE_ROOT")) / "pipelines";
}

class PipelinesTest : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("vmr-pipelines-" + std::to_string(getpid()));
        fs::remove_all(folder_);
        fs::copy(source_folder(), folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    void replace(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

    fs::path folder_;
};

TEST_F(PipelinesTest, OursFitTheirContracts) {
    const auto pipelines = Pipelines::load(source_folder());
    ASSERT_TRUE(pipelines.ok()) << pipelines.error();
    for (const char* codec : {"opus", "pcmu", "pcma", "g722", "vp8", "h264"}) {
        for (const char* part : {"receive-", "encode-", "pay-"}) {
            const ElementPtr chain = pipelines->make_bin(std::string(part) + codec);
            EXPECT_TRUE(PadPtr::adopt(gst_element_get_static_pad(chain.get(), "sink")));
            EXPECT_TRUE(PadPtr::adopt(gst_element_get_static_pad(chain.get(), "src")));
        }
    }
    EXPECT_FALSE(pipelines->has("receive-l16"));
}

TEST_F(PipelinesTest, AMissingNameIsSaid) {
    replace("pay-opus.launch", "rtpopuspay name=other");
    const auto pipelines = Pipelines::load(folder_);
    ASSERT_FALSE(pipelines.ok());
    EXPECT_NE(pipelines.error().find("pay-opus.launch: has no element named"), std::string::npos)
        << pipelines.error();
}

TEST_F(PipelinesTest, NonsenseAndMissingFilesAreSaid) {
    replace("pay-opus.launch", "no-such-element name=pay");
    EXPECT_NE(Pipelines::load(folder_).error().find("pay-opus.launch"), std::string::npos);
    fs::remove(folder_ / "pay-opus.launch");
    EXPECT_NE(Pipelines::load(folder_).error().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace vmr::media
