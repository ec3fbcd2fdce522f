// Rooms without anybody cost no threads, and what failed is not used again.
#include "daemon/bridge/kept_pipeline.hpp"

#include "bridge_fixture.hpp"

namespace vmr::bridge {
namespace {

class KeptPipelineTest : public BridgeFixture, public media::RoomPipelineObserver {
protected:
    void on_talking_changed(const std::vector<std::string>&) override {}
    void on_digits_entered(const std::string&, const std::string&) override {}
    void on_key_pressed(const std::string&, char) override {}
    void on_pin_timed_out(const std::string&) override {}
    void on_leg_failed(const std::string&, const std::string&) override {}
    void on_room_failed(const std::string&) override {}

    bool ensure(bool others) {
        return kept_.ensure(others, [this] {
            ++made_;
            return new_pipeline(*services_, "kept", *this);
        });
    }
    void wait(int seconds, bool used) {
        for (int second = 0; second < seconds; ++second) {
            kept_.tick(used);
        }
    }
    KeptPipeline kept_;
    int made_ = 0;
};

TEST_F(KeptPipelineTest, GoesSomeTimeAfterTheLastLeg) {
    EXPECT_TRUE(ensure(false));
    wait(1000, true);
    wait(29, false);
    EXPECT_TRUE(ensure(false)) << "who comes back finds it";
    EXPECT_EQ(made_, 1);
    wait(29, false);
    EXPECT_TRUE(kept_);
    wait(1, false);
    EXPECT_FALSE(kept_);
    EXPECT_TRUE(ensure(false));
    EXPECT_EQ(made_, 2);
}

TEST_F(KeptPipelineTest, IsNotUsedAgainOnceItFailed) {
    EXPECT_TRUE(ensure(false));
    kept_.give_up();
    EXPECT_FALSE(ensure(true)) << "there are others, who are being sent away";
    EXPECT_TRUE(ensure(false));
    EXPECT_EQ(made_, 2);
    EXPECT_TRUE(ensure(true));
    kept_.give_up();
    wait(1, true);
    EXPECT_TRUE(kept_);
    wait(1, false);
    EXPECT_FALSE(kept_);
}

}  // namespace
}  // namespace vmr::bridge
