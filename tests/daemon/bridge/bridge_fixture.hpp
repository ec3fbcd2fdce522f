// A bridge with all that it needs, and nobody in it yet; what it is called by is the test's.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/bridge/bridge.hpp"
#include "tests/support/main_loop.hpp"

namespace vmr::bridge {

class FakeLeg final : public Leg {
public:
    explicit FakeLeg(std::string id) : id_(std::move(id)) {}
    const std::string& id() const override { return id_; }
    LegKind kind() const override { return LegKind::sip; }
    void accept() override { accepted = true; }
    void refuse(EndCause cause) override { ended = cause; }
    void end(EndCause cause) override { ended = cause; }
    void blame() override { ++blamed; }
    void notify_state(std::string_view state, std::string_view details) override {
        told[std::string(state)] = nlohmann::json::parse(details);
    }

    std::map<std::string, nlohmann::json> told;  // by state: as it was told last
    bool accepted = false;
    std::optional<EndCause> ended;
    int blamed = 0;

private:
    std::string id_;
};

class BridgeFixture : public testing::Test {
protected:
    static constexpr std::size_t kMaxHashing = 20'000;
    BridgeFixture() : BridgeFixture(kMaxHashing) {}
    // `max_hashing`: how many rooms' PINs may wait to be hashed.
    explicit BridgeFixture(std::size_t max_hashing)
        : hasher_(ops::PinHasher::Costs(), 1000, max_hashing) {}  // at its real costs
    void SetUp() override {
        gst_init(nullptr, nullptr);
        char name[] = "/tmp/vmr-bridge-XXXXXX";
        folder_ = mkdtemp(name);
        auto loaded = media::Pipelines::load(std::string(std::getenv("VMR_SOURCE_ROOT")) + "/pipelines");
        ASSERT_TRUE(loaded) << (loaded ? "" : loaded.error());
        pipelines_ = std::make_unique<media::Pipelines>(std::move(*loaded));
        environment_.pipelines = pipelines_.get();
        environment_.io = std::make_shared<media::MediaIoPool>(1);
        environment_.ice = [] { return media::IceParams{}; };
        environment_.certificate = *media::DtlsCertificate::generate();
        store::CallRecordsOptions options;
        options.path = folder_ + "/calls.jsonl";
        auto records = store::CallRecords::open(std::move(options));
        ASSERT_TRUE(records);
        records_ = std::move(*records);
        services_ = std::make_unique<Services>(Services{
            *pipelines_,
            {},
            {},
            *records_,
            events_,
            tokens_,
            hasher_,
            std::make_shared<room::PinThrottle>(),
            [](const std::string&) { return nlohmann::json::array(); },
            "test",
        });
        bridge_ = std::make_unique<Bridge>(*services_, environment_);
    }
    void TearDown() override {
        bridge_.reset();
        records_.reset();
        std::filesystem::remove_all(folder_);
    }
    static bool run_until(const std::function<bool()>& done) {
        return test::run_until(done, std::chrono::seconds(30));
    }

    std::string folder_;
    std::unique_ptr<media::Pipelines> pipelines_;
    media::MediaEnvironment environment_;
    api::TokenStore tokens_;
    api::EventHub events_;
    ops::PinHasher hasher_;
    std::unique_ptr<store::CallRecords> records_;
    std::unique_ptr<Services> services_;
    std::unique_ptr<Bridge> bridge_;
};

}  // namespace vmr::bridge
