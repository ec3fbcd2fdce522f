// Two rooms, each with a pipeline of its own, whose legs call each other over real sockets.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/media/room_pipeline.hpp"
#include "daemon/media/session.hpp"
#include "tests/support/main_loop.hpp"

namespace vmr::media {

struct Listener : RoomPipelineObserver {
    void on_talking_changed(const std::vector<std::string>& legs) override {
        talkers = legs;
        talked.insert(talked.end(), legs.begin(), legs.end());
    }
    void on_digits_entered(const std::string&, const std::string&) override {}
    void on_key_pressed(const std::string&, char) override {}
    void on_pin_timed_out(const std::string&) override {}
    void on_leg_failed(const std::string& leg, const std::string& text) override {
        problems.push_back(leg + ": " + text);
    }
    void on_room_failed(const std::string& text) override { problems.push_back(text); }
    bool heard(const std::string& leg) const { return std::ranges::find(talked, leg) != talked.end(); }
    std::vector<std::string> problems, talkers, talked;
};

using vmr::test::run_until;

class TwoRooms : public testing::Test {
protected:
    static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
    void SetUp() override {
        auto loaded = Pipelines::load(std::string(std::getenv("VMR_SOURCE_ROOT")) + "/pipelines");
        ASSERT_TRUE(loaded.ok()) << loaded.error();
        pipelines_ = std::make_unique<Pipelines>(std::move(*loaded));
        environment_.pipelines = pipelines_.get();
        environment_.io = std::make_shared<MediaIoPool>();
        environment_.ice = [] { return IceParams{}; };
        environment_.certificate = *DtlsCertificate::generate();
        near_room_ = std::move(RoomPipeline::create(*pipelines_, "near", {}, listener_).value());
        far_room_ = std::move(RoomPipeline::create(*pipelines_, "far", {}, far_listener_).value());
    }
    void TearDown() override {
        near_room_.reset();
        far_room_.reset();
        EXPECT_EQ(listener_.problems, std::vector<std::string>());
        EXPECT_EQ(far_listener_.problems, std::vector<std::string>());
    }
    void attach(Session& near, Session& far) {
        near_room_->attach("near-leg", near.bin(), "Near");
        far_room_->attach("far-leg", far.bin(), "Far");
        near.set_on_changed([this] { near_room_->refresh("near-leg"); });
        far.set_on_changed([this] { far_room_->refresh("far-leg"); });
    }
    void detach() {
        near_room_->detach("near-leg");
        far_room_->detach("far-leg");
    }

    std::unique_ptr<Pipelines> pipelines_;
    MediaEnvironment environment_;
    Listener listener_, far_listener_;
    std::unique_ptr<RoomPipeline> near_room_, far_room_;
};

}  // namespace vmr::media
