// HTTPS, the portal's files, and vmrctl as a process against the fake server.
#include <gtest/gtest.h>

#include <filesystem>

#include "daemon/ops/certificates.hpp"
#include "tests/daemon/api/fake_server.hpp"

extern "C" GResource* vmr_test_portal_get_resource(void);

namespace vmr::test {
namespace {

using nlohmann::json;

TEST(PortalTest, ServesFilesAndItsRoutesAndNothingElse) {
    g_resources_register(vmr_test_portal_get_resource());
    api::ServerOptions options;
    options.portal_prefix = "/vmr/test-portal";
    FakeServer fake(options);
    for (const char* path : {"/", "/index.html", "/join/board", "/join/a.b%40example.org", "/admin/rooms"}) {
        const auto page = http(fake.url(), "GET", path);
        EXPECT_EQ(page.status, 200) << path;
        EXPECT_NE(page.head.find("Content-Type: text/html"), std::string::npos) << page.head;
        EXPECT_NE(page.body.find("<title>"), std::string::npos);
    }
    const auto script = http(fake.url(), "GET", "/assets/app-1a2b.js");
    EXPECT_NE(script.head.find("Content-Type: text/javascript"), std::string::npos);
    EXPECT_NE(script.head.find("immutable"), std::string::npos);
    for (const char* path :
         {"/../schemas/config.json", "/%2e%2e/schemas/config.json", "/..%2fschemas%2fconfig.json",
          "/assets/../../schemas/config.json", "/missing.js", "/a%00b", "/%zz", "//etc/passwd.x"}) {
        EXPECT_GE(http(fake.url(), "GET", path).status, 400) << path;
    }
    EXPECT_EQ(http(fake.url(), "POST", "/", "", "x").status, 405);
    EXPECT_TRUE(http(fake.url(), "HEAD", "/").body.empty());
    EXPECT_EQ(http(fake.url(), "GET", "/").head.find("Strict-Transport"), std::string::npos);
}

class WithTls : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/vmr-tls-XXXXXX";
        folder = mkdtemp(name);
        const auto files = ops::ensure_self_signed(folder, {"127.0.0.1", "localhost"});
        ASSERT_TRUE(files) << files.error();
        options.certificate_file = files->certificate;
        options.key_file = files->key;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    // vmrctl runs beside our main loop, which serves it.
    struct Run {
        int code = -1;
        std::string out, err;
    };
    static Run ctl(std::vector<const char*> arguments) {
        const std::string program = std::string(g_getenv("VMR_BUILD_ROOT")) + "/tools/vmrctl/vmrctl";
        arguments.insert(arguments.begin(), program.c_str());
        arguments.push_back(nullptr);
        GSubprocess* process = g_subprocess_newv(
            arguments.data(),
            GSubprocessFlags(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE), nullptr);
        struct State {
            bool done = false;
            Run run;
        } state;
        g_subprocess_communicate_utf8_async(
            process, nullptr, nullptr,
            [](GObject* source, GAsyncResult* result, gpointer data) {
                auto* s = static_cast<State*>(data);
                char *out = nullptr, *err = nullptr;
                g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &out, &err, nullptr);
                s->run.out = out != nullptr ? out : "";
                s->run.err = err != nullptr ? err : "";
                g_free(out);
                g_free(err);
                s->done = true;
            },
            &state);
        EXPECT_TRUE(run_until([&] { return state.done; }));
        if (g_subprocess_get_if_exited(process)) {
            state.run.code = g_subprocess_get_exit_status(process);
        }
        g_object_unref(process);
        return state.run;
    }
    // vmrctl follows the events of a room, in which `publish` happens again and again meanwhile.
    Run events_of_board(void (*publish)(api::EventHub&)) {
        FakeServer fake(options, true);
        struct Publishing {
            FakeServer& fake;
            void (*publish)(api::EventHub&);
        } publishing{fake, publish};
        const guint tick = g_timeout_add(
            20,
            [](gpointer data) -> gboolean {
                const auto* now = static_cast<Publishing*>(data);
                if (now->fake.events.subscriber_count() > 0) {
                    now->publish(now->fake.events);
                }
                return G_SOURCE_CONTINUE;
            },
            &publishing);
        Run run = ctl({"--url", fake.url().c_str(), "--token", fake.admin().c_str(), "--insecure", "events",
                       "--room", "board"});
        g_source_remove(tick);
        return run;
    }

    std::string folder;
    api::ServerOptions options;
};

TEST_F(WithTls, VmrctlOverHttps) {
    FakeServer fake(options, true);
    const std::string url = fake.url(), token = fake.admin();
    EXPECT_TRUE(url.starts_with("https://"));
    fake.control.on_call = [](const FakeControl::Call& call) -> std::optional<api::Response> {
        if (call.operation == "listRooms") {
            return api::Response{
                200,
                {{"rooms", {{{"id", "board"}, {"title", "B\x1b[31m\u009b31m\u202e"}, {"locked", true}}}}}};
        }
        return call.operation == "removeParticipant" ? api::problem(404, "no such participant")
                                                     : api::Response{204, nullptr};
    };
    const char* ca = options.certificate_file.c_str();
    const auto listed = ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", ca, "room", "list"});
    EXPECT_EQ(listed.code, 0) << listed.err;
    EXPECT_NE(listed.out.find("board"), std::string::npos) << listed.out;
    EXPECT_NE(listed.out.find("B?[31m?31m? "), std::string::npos) << listed.out;
    const auto as_json =
        ctl({"--url", url.c_str(), "--token", token.c_str(), "--insecure", "--json", "room", "list"});
    EXPECT_EQ(json::parse(as_json.out)["rooms"][0]["id"], "board");
    EXPECT_EQ(
        ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", ca, "room", "layout", "board", "equal"})
            .code,
        0);
    EXPECT_EQ(fake.control.calls.back().params, json({{"room", "board"}, {"layout", "equal"}}));
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", ca, "participant", "promote",
                   "board", "p 1"})
                  .code,
              1);
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", ca, "participant", "promote",
                   "board", "p1"})
                  .code,
              0);
    EXPECT_EQ(fake.control.calls.back().params["role"], "host");
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", ca, "participant", "remove",
                   "board", "p1"})
                  .code,
              5);
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", "wrong", "--ca", ca, "room", "list"}).code, 4);
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "room", "list"}).code, 3);  // unknown CA
    EXPECT_EQ(ctl({"room", "paint"}).code, 2);
    EXPECT_EQ(ctl({"--help"}).code, 0);
    const std::string once = fake.tokens.issue_one_time_admin(std::chrono::hours(1))->token;
    const auto login = ctl({"--url", url.c_str(), "--ca", ca, "login", once.c_str()});
    EXPECT_EQ(login.out.size(), 44u) << login.err;
}

TEST_F(WithTls, EventsThroughVmrctlUntilTheRoomEnds) {
    const auto run = events_of_board([](api::EventHub& events) {
        events.publish("board", "vmr.room.ended", {{"cause", "host"}});
    });
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_NE(run.out.find("vmr.snapshot"), std::string::npos);
    EXPECT_NE(run.out.find("vmr.room.ended board cause=host"), std::string::npos);
}

TEST_F(WithTls, EventsThatEndBeforeTheRoomAreAProblem) {
    const auto run = events_of_board([](api::EventHub& events) {
        events.publish("board", "vmr.participant.left",
                       {{"id", "out-1"}, {"name", "A\u009bB"}, {"ended", {{"cause", "busy"}}}});
        events.forget_room("board");
    });
    EXPECT_EQ(run.code, 3);
    EXPECT_NE(run.err.find("the events ended"), std::string::npos) << run.err;
    EXPECT_NE(run.out.find("vmr.participant.left board id=out-1 name=A?B cause=busy"), std::string::npos)
        << run.out;
}

TEST_F(WithTls, EventsSayWhatTheyAreAbout) {
    const auto run = events_of_board([](api::EventHub& events) {
        events.publish("board", "vmr.participant.transfer",
                       {{"participant", "sip-1"}, {"status", 486}, {"text", "Busy"}, {"done", true}});
        events.publish("board", "vmr.trunk.down",
                       {{"trunk", "isp"}, {"proxy", "192.0.2.1:5060"}, {"why", "no answer"}});
        events.publish("board", "vmr.certificate.expiring",
                       {{"file", "/etc/x.pem"}, {"expires", "2026-12-01T00:00:00Z"}});
        events.publish("board", "vmr.room.ended", {{"cause", "host"}});
    });
    EXPECT_EQ(run.code, 0) << run.err;
    for (const char* about :
         {"participant=sip-1 status=486 text=Busy", "trunk=isp proxy=192.0.2.1:5060 why=no answer"}) {
        EXPECT_NE(run.out.find(about), std::string::npos) << run.out;
    }
    EXPECT_NE(run.out.find("why=no answer"), std::string::npos) << run.out;
    EXPECT_NE(run.out.find("file=/etc/x.pem expires=2026-12-01T00:00:00Z"), std::string::npos) << run.out;
}

TEST_F(WithTls, VmrctlReachesWhatTheApiOffersOperators) {
    FakeServer fake(options, true);
    fake.control.on_call = [](const FakeControl::Call&) { return api::Response{204, nullptr}; };
    const std::string url = fake.url(), token = fake.admin();
    const json in_room{{"room", "board"}};
    const json of_one{{"room", "board"}, {"participant", "p1"}};
    struct Case {
        std::vector<const char*> arguments;
        const char* operation;
        json params, more;
    };
    const std::vector<Case> cases{
        {{"room", "set", "board", "--title", "New", "--guest-pin", "", "--no-guests", "--max-duration", "60"},
         "updateRoom",
         in_room,
         {{"title", "New"}, {"guest_pin", ""}, {"guests_allowed", false}, {"max_duration", 60}}},
        {{"room", "create", "b2", "--alias", "x", "--alias", "y", "--grace", "5", "--guests"},
         "createRoom",
         json::object(),
         {{"id", "b2"}, {"aliases", {"x", "y"}}, {"grace", 5}, {"guests_allowed", true}}},
        {{"room", "mute-newcomers", "board"}, "muteNewcomers", in_room, {{"muted", true}}},
        {{"participant", "rename", "board", "p1", "Ada"}, "updateParticipant", of_one, {{"name", "Ada"}}},
        {{"participant", "spotlight", "board", "p1"}, "updateParticipant", of_one, {{"spotlight", true}}},
        {{"participant", "grant", "board", "p1", "mute"},
         "grantRight",
         of_one,
         {{"right", "mute"}, {"granted", true}}},
        {{"participant", "revoke", "board", "p1", "mute"},
         "grantRight",
         of_one,
         {{"right", "mute"}, {"granted", false}}},
    };
    for (const Case& one : cases) {
        std::vector<const char*> arguments{"--url", url.c_str(), "--token", token.c_str(), "--insecure"};
        arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
        const auto run = ctl(arguments);
        ASSERT_EQ(run.code, 0) << run.err;
        EXPECT_EQ(fake.control.calls.back().operation, one.operation);
        json expected = one.params;
        expected.update(one.more);
        EXPECT_EQ(fake.control.calls.back().params, expected);
    }
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--insecure", "logout"}).code, 0);
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--insecure", "room", "list"}).code, 4);
}

TEST_F(WithTls, CertificateIsReloadedAndGarbageSurvived) {
    FakeServer fake(options, true);
    const std::string url = fake.url(), token = fake.admin();
    for (const std::string& garbage : {std::string(5000, '\0'), std::string("GET / HTTP/1.1\r\n\r\n"),
                                       std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00garbage", 17)}) {
        EXPECT_EQ(exchange_raw(url, garbage).status, 0);
    }
    std::filesystem::remove(options.certificate_file);
    EXPECT_FALSE(fake.server.reload_certificate());  // the old one stays in use
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--insecure", "status"}).code, 0);
    ASSERT_TRUE(ops::ensure_self_signed(folder, {"127.0.0.1", "new.example"}));
    ASSERT_TRUE(fake.server.reload_certificate());
    EXPECT_EQ(ctl({"--url", url.c_str(), "--token", token.c_str(), "--ca", options.certificate_file.c_str(),
                   "status"})
                  .code,
              0);
}

// GLib takes both as they are, and each handshake fails.
TEST_F(WithTls, AKeyThatIsNotTheCertificatesIsRefused) {
    const std::string other = folder + "/other";
    ASSERT_TRUE(std::filesystem::create_directory(other));
    const auto second = ops::ensure_self_signed(other, {"127.0.0.1"});
    ASSERT_TRUE(second) << second.error();
    FakeServer fake(options, true);
    std::filesystem::copy_file(second->key, options.key_file,
                               std::filesystem::copy_options::overwrite_existing);
    const Status reloaded = fake.server.reload_certificate();
    ASSERT_FALSE(reloaded);
    EXPECT_EQ(reloaded.error(), options.key_file + ": not the key of " + options.certificate_file);
    // What was there is still in use.
    EXPECT_EQ(ctl({"--url", fake.url().c_str(), "--token", fake.admin().c_str(), "--ca",
                   options.certificate_file.c_str(), "status"})
                  .code,
              0);
    api::ServerOptions wrong = options;
    wrong.listen = {{"127.0.0.1", 0, true}};
    api::Server server(wrong, fake.control, fake.tokens, fake.events, nullptr);
    EXPECT_FALSE(server.start());
}

}  // namespace
}  // namespace vmr::test
