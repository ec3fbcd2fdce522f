#include <glib.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "daemon/ops/certificates.hpp"
#include "daemon/ops/pins.hpp"
#include "daemon/ops/service.hpp"

namespace vmr::ops {
namespace {

void run_until(const std::function<bool()>& done) {
    const gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    const guint tick = g_timeout_add(
        5, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
    while (!done() && g_get_monotonic_time() < deadline) {
        g_main_context_iteration(nullptr, TRUE);
    }
    g_source_remove(tick);
    ASSERT_TRUE(done());
}

TEST(PinHasherTest, VerifiesOnItsWorkerAndBoundsItsQueue) {
    const PinHasher::Costs cheap{1, 8192};
    PinHasher hasher(cheap, 3);
    const std::string host = hasher.hash({"482913"})->at(0), guest = hasher.hash({"1234"})->at(0);
    EXPECT_NE(host, hasher.hash({"482913"})->at(0));  // salted
    std::vector<int> results;
    for (const char* digits : {"482913", "1234", "9999"}) {
        ASSERT_TRUE(
            hasher.verify_later(digits, {host, guest, ""}, [&](int match) { results.push_back(match); }));
    }
    run_until([&] { return results.size() == 3; });
    EXPECT_EQ(results, (std::vector<int>{0, 1, -1}));
    int accepted = 0;
    for (int i = 0; i < 2000; ++i) {
        accepted += hasher.verify_later("1", {host}, [](int) {}) ? 1 : 0;
    }
    EXPECT_LT(accepted, 2000);
}

TEST(PinHasherTest, ChecksGoBeforeHashing) {
    PinHasher hasher(PinHasher::Costs{1, 8192}, 10, 500);
    const std::string host = hasher.hash({"482913"})->at(0);
    int accepted = 0, hashed = 0, hashed_before_check = -1;
    while (hasher.hash_later({"1234", "", "5678"}, [&](const PinHasher::Hashes& hashes) {
        EXPECT_TRUE(hashes && hashes->at(0) != hashes->at(2) && hashes->at(1).empty());
        ++hashed;
    })) {
        ++accepted;  // the worker takes them meanwhile
    }
    EXPECT_GE(accepted, 500);
    ASSERT_TRUE(hasher.verify_later("482913", {host}, [&](int match) {
        EXPECT_EQ(match, 0);
        hashed_before_check = hashed;
    }));
    run_until([&] { return hashed == accepted; });
    EXPECT_GE(hashed_before_check, 0);
    EXPECT_LT(hashed_before_check, accepted - 100);
}

TEST(CertificateTest, MadeOnceKeptAndChecked) {
    char name[] = "/tmp/vmr-cert-XXXXXX";
    const std::string folder = mkdtemp(name);
    const auto files = ensure_self_signed(folder, {"localhost", "127.0.0.1"});
    ASSERT_TRUE(files) << files.error();
    const auto info = inspect_certificate(*files);
    ASSERT_TRUE(info) << info.error();
    EXPECT_EQ(info->names, (std::vector<std::string>{"localhost", "127.0.0.1"}));
    struct stat key {};
    stat(files->key.c_str(), &key);
    EXPECT_EQ(key.st_mode & 0777, 0600u);
    EXPECT_EQ(inspect_certificate(*ensure_self_signed(folder, {"localhost"}))->sha256, info->sha256);
    EXPECT_NE(inspect_certificate(*ensure_self_signed(folder, {"other.example"}))->sha256, info->sha256);
    EXPECT_FALSE(inspect_certificate({files->certificate, files->certificate}));
    EXPECT_FALSE(inspect_certificate({"/nowhere", "/nowhere"}));
    std::filesystem::remove_all(folder);
}

TEST(ServiceTest, NotifiesAndHearsSignals) {
    const std::string path = "/tmp/vmr-notify-" + std::to_string(getpid());
    const int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_TRUE(notify_service_manager("READY=1"));
    char text[64] = "";
    EXPECT_EQ(recv(receiver, text, sizeof text, MSG_DONTWAIT), 7);
    EXPECT_STREQ(text, "READY=1");
    close(receiver);
    unlink(path.c_str());
    EXPECT_FALSE(notify_service_manager("READY=1"));
    int stops = 0, reloads = 0;
    const Signals signals([&] { ++stops; }, [&] { ++reloads; });
    raise(SIGTERM);
    raise(SIGHUP);
    run_until([&] { return stops == 1 && reloads == 1; });
}

}  // namespace
}  // namespace vmr::ops
