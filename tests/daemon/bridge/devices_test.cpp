// Operations on devices: what the API promises, what is kept on disk, what is told.
#include <glib.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/bridge/device_operations.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/registered_devices.hpp"
#include "schemas/validator.hpp"

namespace vmr::bridge {
namespace {

using nlohmann::json;

// Whether a value is one of the OpenAPI document's `type`.
std::string misfit(const char* type, const json& value) {
    const json document = schema::embedded("api/openapi.json");
    const json wanted = {{"$ref", std::string("#/components/schemas/") + type}};
    const auto findings = schema::Validator(schema::resolve(wanted, document)).check(value);
    return findings.empty() ? "" : findings[0].pointer + " " + findings[0].message;
}

class Follower : public api::EventHub::Sink {
public:
    bool may_follow() const override { return true; }
    std::uint64_t hidden_until() const override { return 0; }
    bool deliver(const std::string& text) override {
        events.push_back(json::parse(text));
        return true;
    }
    void on_dropped(api::EventHub::Dropped) override {}
    std::vector<json> events;
};

class DevicesTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/vmr-devices-XXXXXX";
        folder_ = mkdtemp(name);
        start();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void start(const std::string& realm = "vmr.test") {
        operations_.reset();
        digest_ = std::make_unique<sip::Digest>(realm, "key");
        sip::RegistrarConfig config;
        config.domains = {realm};
        config.allow_clear = true;
        config.firmware = {{"Acme", "2.0"}};
        devices_ =
            std::make_unique<sip::RegisteredDevices>(config, *digest_, [] { return std::int64_t(5000); });
        sip::ConfiguredDevice kitchen;
        kitchen.account.name = "kitchen";
        kitchen.secret = "of the file";
        ASSERT_TRUE(devices_->configure({kitchen}));
        operations_ = std::make_unique<DeviceOperations>(*devices_, events_, folder_ + "/devices.json");
        operations_->set_profile({realm, "sip:" + realm + ";transport=tls", ""});
        events_.set_snapshot_provider([this](const std::string&) { return operations_->snapshot(); });
    }
    api::Response perform(const char* operation, json params = json::object()) {
        std::optional<api::Response> answer;
        EXPECT_TRUE(operations_->perform(
            {}, operation, params, [&answer](api::Response response) { answer = std::move(response); }));
        while (!answer) {
            g_main_context_iteration(nullptr, TRUE);
        }
        return *answer;
    }
    // REGISTER with right credentials; the status.
    int send_register(const std::string& name, const std::string& secret, const std::string& headers) {
        sip::Flow flow;
        flow.remote = {"192.0.2.7", 5060};
        flow.local = {"192.0.2.1", 5060};
        const std::string challenge =
            digest_->challenge(sip::DigestAlgorithms::sha256, flow.remote.ip, false, 5000)[0];
        const std::string nonce = sip::parameter(sip::digest_parameters(challenge.substr(7)), "nonce");
        const std::string ha1 = sip::digest_ha1(sip::DigestAlgorithms::sha256, name, "vmr.test", secret);
        const std::string response = sip::hash_hex(
            "SHA-256", ha1 + ":" + nonce + ":1:c:auth:" + sip::hash_hex("SHA-256", "REGISTER:sip:vmr.test"));
        const auto message = sip::parse_message(
            "REGISTER sip:vmr.test SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:" + name +
                "@vmr.test>;tag=f\r\nTo: <sip:" + name +
                "@vmr.test>\r\nCall-ID: c\r\nCSeq: " + std::to_string(++cseq_) + " REGISTER\r\n" + headers +
                "Authorization: Digest username=" + name + ", realm=vmr.test, nonce=" + nonce +
                ", uri=\"sip:vmr.test\", response=" + response +
                ", algorithm=SHA-256, cnonce=c, qop=auth, nc=1\r\n\r\n",
            flow);
        EXPECT_TRUE(message) << message.error();
        return devices_->registrar().answer(*message, 5000).reply.status;
    }

    std::string folder_;
    api::EventHub events_;
    std::unique_ptr<sip::Digest> digest_;
    std::unique_ptr<sip::RegisteredDevices> devices_;
    std::unique_ptr<DeviceOperations> operations_;
    int cseq_ = 0;
};

TEST_F(DevicesTest, AreMadeChangedListedAndDeleted) {
    EXPECT_EQ(perform("putDevice", {{"device", "Hall"}}).status, 422) << "no secret";
    const api::Response made =
        perform("putDevice",
                {{"device", "Hall"}, {"secret", "s3cret-s3cret"}, {"aliases", {"1002"}}, {"model", "VC9"}});
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(misfit("Device", made.body), "");
    EXPECT_EQ(made.body["name"], "hall");
    EXPECT_EQ(made.body["state"], "new");
    EXPECT_EQ(made.body.dump().find("s3cret"), std::string::npos);
    EXPECT_EQ(perform("putDevice", {{"device", "hall"}, {"display_name", "Hall"}}).status, 200);
    EXPECT_TRUE(devices_->authenticate("hall", "s3cret-s3cret")) << "it keeps its secret";
    EXPECT_EQ(
        perform("putDevice", {{"device", "x"}, {"secret", "s3cret-s3cret"}, {"aliases", {"hall"}}}).status,
        409);
    EXPECT_EQ(perform("putDevice", {{"device", "kitchen"}, {"secret", "s3cret-s3cret"}}).status, 409);
    const json list = perform("listDevices").body;
    EXPECT_EQ(misfit("DeviceList", list), "");
    EXPECT_EQ(list["devices"].size(), 2U);
    const json settings = perform("getDeviceSettings", {{"device", "HALL"}}).body;
    EXPECT_EQ(misfit("DeviceSettings", settings), "");
    EXPECT_EQ(settings["sip_uri"], "sip:hall@vmr.test");
    EXPECT_EQ(settings["phone_book"], nullptr);
    EXPECT_EQ(perform("deleteDevice", {{"device", "kitchen"}}).status, 409);
    EXPECT_EQ(perform("deleteDevice", {{"device", "hall"}}).status, 204);
    EXPECT_EQ(perform("getDevice", {{"device", "hall"}}).status, 404);
}

TEST_F(DevicesTest, OutliveTheProcessAsHashes) {
    ASSERT_EQ(
        perform("putDevice", {{"device", "hall"}, {"secret", "s3cret-s3cret"}, {"digest", "md5"}}).status,
        201);
    std::ifstream file(folder_ + "/devices.json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text.find("s3cret"), std::string::npos);
    EXPECT_EQ(text.find("kitchen"), std::string::npos) << "that one is of the configuration";
    const auto mode = std::filesystem::status(folder_ + "/devices.json").permissions();
    EXPECT_EQ(mode & std::filesystem::perms::group_all, std::filesystem::perms::none);
    EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none);
    start();
    ASSERT_TRUE(operations_->load());
    EXPECT_TRUE(devices_->authenticate("hall", "s3cret-s3cret"));
    EXPECT_EQ(perform("getDevice", {{"device", "hall"}}).body["digest"], "md5");
    start("other.test");
    EXPECT_FALSE(operations_->load()) << "hashes of another realm";
    std::ofstream(folder_ + "/devices.json") << "[]";
    EXPECT_FALSE(operations_->load());
    std::ofstream(folder_ + "/devices.json") << R"({"devices":[{"name":1},{"name":"ok","ha1_md5":"00"},7]})";
    EXPECT_TRUE(operations_->load()) << "what cannot be read is left out";
    EXPECT_TRUE(devices_->find("ok"));
}

TEST_F(DevicesTest, AFileThatCannotBeWrittenIsSaid) {
    std::filesystem::remove_all(folder_);
    EXPECT_EQ(perform("putDevice", {{"device", "hall"}, {"secret", "s3cret-s3cret"}}).status, 500);
}

TEST_F(DevicesTest, WhatHappensToThemIsToldToWhoFollows) {
    ASSERT_EQ(perform("putDevice", {{"device", "hall"}, {"secret", "s3cret-s3cret"}}).status, 201);
    const auto follower = std::make_shared<Follower>();
    ASSERT_EQ(events_.subscribe("", std::nullopt, follower), api::EventHub::Subscribed::ok);
    EXPECT_EQ(misfit("DeviceList", follower->events.at(0)["data"]), "");
    EXPECT_EQ(
        send_register("hall", "s3cret-s3cret", "User-Agent: Acme/2.1\r\nContact: <sip:h@192.0.2.7>\r\n"),
        200);
    EXPECT_EQ(
        send_register("hall", "s3cret-s3cret", "User-Agent: Acme/2.1\r\nContact: <sip:h@192.0.2.7>\r\n"),
        200);
    EXPECT_EQ(
        send_register("hall", "s3cret-s3cret", "User-Agent: Acme/1.9\r\nContact: <sip:h@192.0.2.7>\r\n"),
        403);
    const json device = perform("getDevice", {{"device", "hall"}}).body;
    EXPECT_EQ(misfit("Device", device), "");
    EXPECT_EQ(device["state"], "registered");
    EXPECT_EQ(device["contacts"][0]["remote_address"], "192.0.2.7:5060");
    EXPECT_EQ(perform("deleteDevice", {{"device", "hall"}}).status, 204);
    std::vector<std::string> types;
    for (const json& event : follower->events) {
        types.push_back(event["type"]);
        EXPECT_EQ(misfit("Event", event), "");
        EXPECT_TRUE(schema::Validator(schema::embedded("event.json")).check(event).empty()) << event;
        if (event["type"] != "vmr.snapshot") {
            EXPECT_EQ(misfit("DeviceEvent", event["data"]), "");
            EXPECT_EQ(event["subject"], "hall");
        }
    }
    EXPECT_EQ(types, (std::vector<std::string>{"vmr.snapshot", "vmr.device.registered", "vmr.device.refused",
                                               "vmr.device.unregistered"}));
    EXPECT_NE(operations_->metrics().find("vmr_devices_refused_total 1"), std::string::npos);
}

}  // namespace
}  // namespace vmr::bridge
