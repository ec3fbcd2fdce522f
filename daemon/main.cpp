// vmrd: command line, start page on the terminal, signals, main loop.
#include <glib-unix.h>
#include <gst/gst.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/gst_ptr.hpp"
#include "daemon/config_check.hpp"
#include "daemon/daemon.hpp"
#include "daemon/ops/certificates.hpp"
#include "daemon/ops/host_names.hpp"
#include "daemon/ops/log.hpp"
#include "daemon/ops/service.hpp"

namespace {

constexpr unsigned kDrainSeconds = 20;

struct Options {
    std::string config_file;
    std::string pipelines = VMR_PIPELINES;
    std::string state_directory;
    bool lan = false;
    bool check = false;
};

std::string default_state_directory() {
    return std::string(g_get_user_state_dir()) + "/vmr";
}

vmr::Result<vmr::ops::Config> configuration(const Options& options) {
    if (!options.config_file.empty()) {
        return vmr::ops::load_config(options.config_file, vmr::check_config);
    }
    vmr::ops::SelfContainedOptions self;
    self.lan = options.lan;
    self.state_directory =
        options.state_directory.empty() ? default_state_directory() : options.state_directory;
    std::error_code problem;
    std::filesystem::create_directories(self.state_directory, problem);
    if (problem) {
        return vmr::Error{self.state_directory + ": " + problem.message()};
    }
    std::filesystem::permissions(self.state_directory, std::filesystem::perms::owner_all, problem);
    const auto certificate =
        vmr::ops::ensure_self_signed(self.state_directory, vmr::ops::host_names(options.lan));
    if (!certificate) {
        return vmr::Error{certificate.error()};
    }
    self.tls = *certificate;
    return vmr::ops::self_contained_config(self);
}

void print_rooms(const vmr::ops::Config& config, const std::string& url) {
    for (const auto& room : config.rooms) {
        std::printf("  %-8s %s/join/%s\n", room.id.c_str(), url.c_str(), room.id.c_str());
        if (!room.host_pin.empty() || !room.guest_pin.empty()) {
            std::printf("           host PIN %s, guest PIN %s\n",
                        room.host_pin.empty() ? "none" : room.host_pin.c_str(),
                        room.guest_pin.empty() ? "none" : room.guest_pin.c_str());
        }
        for (const auto& number : room.numbers) {
            std::printf("           meeting number %s\n", number.c_str());
        }
    }
}

// The self-contained mode's start page on the terminal. PINs of a configured system are never printed.
void print_start_page(vmr::Daemon& daemon, const vmr::ops::Config& config, bool self_contained) {
    const auto urls = daemon.http_urls();
    const std::string url = urls.empty() ? "" : urls.front();
    std::printf("\nvmr is running. Join in a browser:\n");
    for (const auto& other : urls) {
        std::printf("  %s\n", other.c_str());
    }
    if (self_contained) {
        print_rooms(config, url);
    }
    std::printf("\nSIP:\n");
    for (const auto& address : daemon.sip_addresses()) {
        std::printf("  %s\n", address.c_str());
    }
    for (const auto& trunk : config.trunks) {
        for (const auto& [number, target] : trunk.numbers) {
            std::printf("  dial-in %s (trunk %s) → %s\n", number.c_str(), trunk.name.c_str(), target.c_str());
        }
        if (self_contained) {
            std::printf("  a gateway or softphone dials in as user %s, password %s\n", trunk.username.c_str(),
                        trunk.secret.c_str());
        }
    }
    // A configured system's output ends in a journal: its administrator has http.admin_token instead.
    if (self_contained) {
        std::printf("\nAdmin link (works once): %s/#admin=%s\n", url.c_str(),
                    daemon.one_time_admin_token().c_str());
    }
    std::printf("\n");
    std::fflush(stdout);
}

// One entry for each line: all of it can be read, whatever the log cuts off.
void log_faults(const std::string& faults) {
    std::istringstream lines(faults);
    for (std::string line; std::getline(lines, line);) {
        vmr::ops::log(vmr::ops::LogLevel::warning, "the configuration in use stays", {{"why", line}});
    }
}

struct Loop {
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    ~Loop() { g_main_loop_unref(loop); }
};

struct Draining {
    vmr::Daemon& daemon;
    GMainLoop* loop;
    unsigned seconds_left = kDrainSeconds;
};

gboolean on_drain_checked(gpointer data) {
    auto* draining = static_cast<Draining*>(data);
    if (draining->daemon.is_idle() || --draining->seconds_left == 0) {
        g_main_loop_quit(draining->loop);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

int run(const Options& options) {
    auto config = configuration(options);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().c_str());
        return 2;
    }
    if (options.check) {
        std::printf("the configuration is good\n");
        return 0;
    }
    vmr::ops::start_log(config->log_format, config->log_level);
    auto daemon = vmr::Daemon::create(*config, options.pipelines);
    if (!daemon) {
        std::fprintf(stderr, "vmrd: %s\n", daemon.error().c_str());
        return 1;
    }
    Loop main;
    bool stopping = false;
    const auto on_stop_asked = [&] {
        if (stopping) {
            g_main_loop_quit(main.loop);  // asked twice: at once
            return;
        }
        stopping = true;
        vmr::ops::notify_service_manager("STOPPING=1");
        (*daemon)->drain();
        g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, 1, on_drain_checked, new Draining{**daemon, main.loop},
                                   [](gpointer data) { delete static_cast<Draining*>(data); });
    };
    const auto on_reload_asked = [&] {
        if (options.config_file.empty()) {
            return;  // self-contained: there is nothing to read again, and new PINs would help nobody
        }
        auto changed = configuration(options);
        if (!changed) {
            log_faults(changed.error());
            return;
        }
        vmr::ops::set_log_level(changed->log_level);
        (*daemon)->reload(*changed);
        g_message("configuration reloaded");
    };
    const vmr::ops::Signals signals(on_stop_asked, on_reload_asked);
    const vmr::ops::Watchdog watchdog;
    print_start_page(**daemon, *config, options.config_file.empty());
    vmr::ops::notify_service_manager("READY=1");
    g_main_loop_run(main.loop);
    return 0;
}

// GStreamer looks in its own prefix and where GST_PLUGIN_PATH points; ours may be another one (/usr/local).
void find_installed_plugin() {
    GstRegistry* registry = gst_registry_get();
    const auto known = vmr::GPtr<GstPlugin>::adopt(gst_registry_find_plugin(registry, "vmr"));
    if (!known) {
        gst_registry_scan_path(registry, VMR_PLUGINS);
    }
}

}  // namespace

int main(int argc, char** argv) try {
    Options options;
    CLI::App app{"vmrd: a virtual-meeting-room bridge. Without --config it runs self-contained."};
    auto* config = app.add_option("--config", options.config_file,
                                  "TOML file; see docs/operations.md and schemas/config.json");
    app.add_option("--pipelines", options.pipelines, "folder of the gst-launch descriptions");
    app.add_option("--state", options.state_directory, "self-contained: folder of records and certificate")
        ->excludes(config);
    app.add_flag("--lan", options.lan,
                 "self-contained: listen on the network, HTTPS with a certificate of its own")
        ->excludes(config);
    app.add_flag("--check", options.check, "check the configuration and exit");
    app.set_version_flag("--version", VMR_VERSION);
    CLI11_PARSE(app, argc, argv);
    // HTTPS takes TLS 1.2 and 1.3 only; an operator's stricter choice stands. Read by GLib's TLS before the
    // first use.
    g_setenv("G_TLS_GNUTLS_PRIORITY", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", FALSE);
    gst_init(nullptr, nullptr);
    find_installed_plugin();
    return run(options);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "vmrd: %s\n", problem.what());
    return 1;
}
