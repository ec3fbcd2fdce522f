// What registrations cost: REGISTER, challenge, REGISTER with credentials, answer; and a refresh with the
// nonce that is still good. `pure`: from bytes to bytes, without sockets. `tcp`, `tls`: a whole SipLegs, or
// with
// `--port` and `--pid` another registrar, with devices in another process, each on a connection of its own.
// Prints JSON: µs of CPU of the server a registration and a refresh, bytes of an idle registration.
#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/costs/registering_devices.hpp"
#include "bench/process.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/ops/certificates.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;
using namespace vmr::sip;

struct Options {
    std::string way = "pure";
    unsigned devices = 1000, refreshes = 20;
    std::uint16_t port = 0;  // of another registrar
    pid_t pid = 0;
};

RegistrarConfig registrar_config(unsigned devices) {
    RegistrarConfig config;
    config.enabled = true;
    config.domains = {kDomain};
    config.allow_clear = true;
    config.max_devices = config.max_registrations = config.max_registrations_per_source = devices;
    config.requests_per_second = 1e9;
    return config;
}

// Accounts and registrar without sockets; `cpu` is what they took, the devices' own part left out.
struct Pure {
    explicit Pure(const Options& options)
        : accounts(kDomain, "key", options.devices),
          digest(kDomain, "key"),
          registrar(registrar_config(options.devices), accounts, digest) {
        for (unsigned device = 0; device < options.devices; ++device) {
            if (const Status set = accounts.set({.name = name_of(device)}, kSecret); !set) {
                throw std::runtime_error(set.error());
            }
        }
    }
    std::string answer(const std::string& bytes, unsigned device) {
        Flow flow;
        flow.transport = Transport::tls;
        flow.remote = {"192.0.2." + std::to_string(device % 250),
                       static_cast<std::uint16_t>(1024 + device % 60000)};
        flow.local = {"203.0.113.7", 5061};
        flow.connection = device + 1;
        flow.protection = "TLSv1.3 TLS_AES_256_GCM_SHA384";
        const double began = cpu_seconds();
        const Result<Message> message = parse_message(bytes, flow);
        if (!message) {
            throw std::runtime_error(message.error());
        }
        Registrar::Outcome outcome = registrar.answer(*message, ++now);
        outcome.reply.to_tag = "0123456789abcdef";
        std::string written = write_response(*message, outcome.reply);
        cpu += cpu_seconds() - began;
        return written;
    }
    Accounts accounts;
    Digest digest;
    Registrar registrar;
    std::int64_t now = 0;
    double cpu = 0;
};

nlohmann::json measure_pure(const Options& options) {
    Pure pure(options);
    std::vector<std::string> nonces(options.devices);
    // The table of nonces is made with the first one.
    const auto register_one = [&](unsigned device, unsigned cseq) {
        nonces[device] = nonce_of(pure.answer(request(device, cseq, "TLS", ""), device));
        expect_ok(
            pure.answer(request(device, cseq + 1, "TLS", credentials(device, nonces[device], 1)), device));
    };
    register_one(0, 1);
    malloc_trim(0);
    nonces.assign(options.devices, std::string(80, ' '));
    const double before = static_cast<double>(mallinfo2().uordblks);
    pure.cpu = 0;
    for (unsigned device = 1; device < options.devices; ++device) {
        register_one(device, 1);
    }
    const double bytes = static_cast<double>(mallinfo2().uordblks) - before;
    const double registration = pure.cpu / (options.devices - 1) * 1e6;
    pure.cpu = 0;
    for (unsigned round = 0; round < options.refreshes; ++round) {
        for (unsigned device = 1; device < options.devices; ++device) {
            expect_ok(pure.answer(
                request(device, round + 3, "TLS", credentials(device, nonces[device], round + 2)), device));
        }
    }
    return {{"registration_us", registration},
            {"refresh_us", pure.cpu / options.refreshes / (options.devices - 1) * 1e6},
            {"bytes", bytes / (options.devices - 1)}};
}

class Nobody : public LegObserver {
public:
    std::shared_ptr<MediaSession> on_leg_arrived(std::shared_ptr<Leg>, const Arrival&) override {
        return nullptr;
    }
    void on_leg_refused(const Arrival&, EndCause) override {}
    void on_leg_answered(const std::string&) override {}
    void on_leg_key(const std::string&, char) override {}
    void on_leg_ended(const std::string&, EndCause, std::shared_ptr<void>) override {}
};

// Turns the control loop until the devices are a step further.
void run_until_told(int descriptor) {
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    GIOChannel* channel = g_io_channel_unix_new(descriptor);
    bool gone = false;
    struct State {
        GMainLoop* loop;
        bool* gone;
    } state{loop, &gone};
    g_io_add_watch(
        channel, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP),
        [](GIOChannel* source, GIOCondition, gpointer data) -> gboolean {
            auto* waiting = static_cast<State*>(data);
            *waiting->gone = !told(g_io_channel_unix_get_fd(source));
            g_main_loop_quit(waiting->loop);
            return G_SOURCE_REMOVE;
        },
        &state);
    g_main_loop_run(loop);
    g_io_channel_unref(channel);
    g_main_loop_unref(loop);
    if (gone) {
        throw std::runtime_error("the devices have gone");
    }
}

// Who is measured: its CPU time in seconds, its own memory in bytes.
struct Subject {
    std::uint16_t port;
    std::function<double()> cpu, memory;
};

nlohmann::json measure(const Options& options, Registering& devices, const Subject& subject) {
    const double empty = subject.memory();
    devices.connect(subject.port);
    run_until_told(devices.descriptor());
    const double connected = subject.memory();
    const auto cost_of_step = [&](double times) {
        const double before = subject.cpu();
        devices.go_on();
        run_until_told(devices.descriptor());
        return (subject.cpu() - before) / times * 1e6;
    };
    const double registration = cost_of_step(options.devices);
    const double registered = subject.memory();
    const double refresh = cost_of_step(static_cast<double>(options.devices) * options.refreshes);
    devices.go_on();
    return {{"registration_us", registration},
            {"refresh_us", refresh},
            {"bytes", (registered - connected) / options.devices},
            {"connection_bytes", (connected - empty) / options.devices}};
}

SipConfig server_config(const Options& options, const ops::TlsFiles& files) {
    SipConfig config;
    config.stack.listen = {{options.way == "tls" ? Transport::tls : Transport::tcp, {"127.0.0.1", 0}}};
    config.stack.tls.certificate_chain_file = files.certificate;
    config.stack.tls.private_key_file = files.key;
    config.stack.max_connections = config.stack.max_connections_per_source =
        static_cast<int>(options.devices) + 10;
    config.stack.messages_per_second = 1e9;
    config.realm = kDomain;
    config.registrar = registrar_config(options.devices);
    for (unsigned device = 0; device < options.devices; ++device) {
        ConfiguredDevice one;
        one.account.name = name_of(device);
        one.secret = kSecret;
        config.devices.push_back(std::move(one));
    }
    return config;
}

nlohmann::json measure_ours(const Options& options, Registering& devices) {
    raise_file_limit();
    const std::string folder =
        std::filesystem::temp_directory_path() / ("vmr-registrar-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto files = ops::ensure_self_signed(folder, {"127.0.0.1"});
    if (!files) {
        throw std::runtime_error(files.error());
    }
    Nobody nobody;
    SipLegs legs(server_config(options, *files), nobody);
    const auto bound = legs.start();
    if (!bound) {
        throw std::runtime_error(bound.error());
    }
    std::filesystem::remove_all(folder);
    const auto memory = [] {
        malloc_trim(0);
        return usage_of(getpid()).rss_mb * 1e6;
    };
    nlohmann::json result = measure(options, devices, {bound->front().address.port, cpu_seconds, memory});
    legs.stop();
    return result;
}

// Of the process and its children: a registrar may have several, which share memory.
double sum_over_processes(pid_t pid, const std::function<double(pid_t)>& of_one) {
    double sum = of_one(pid);
    const std::string one = std::to_string(pid);
    std::ifstream children("/proc/" + one + "/task/" + one + "/children");
    for (pid_t child = 0; children >> child;) {
        sum += of_one(child);
    }
    return sum;
}

// What it shares is divided among those who share it (Pss).
double memory_of(pid_t pid) {
    std::ifstream smaps("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string word; smaps >> word;) {
        if (word == "Pss:") {
            double kilobytes = 0;
            smaps >> kilobytes;
            return kilobytes * 1024;
        }
    }
    throw std::runtime_error("the process is gone");
}

nlohmann::json measure_other(const Options& options, Registering& devices) {
    const auto cpu = [&] {
        return sum_over_processes(options.pid, [](pid_t one) { return usage_of(one).cpu_seconds; });
    };
    const auto memory = [&] { return sum_over_processes(options.pid, memory_of); };
    return measure(options, devices, {options.port, cpu, memory});
}

nlohmann::json measure_sockets(const Options& options) {
    Registering devices({options.way == "tls", options.devices, options.refreshes});
    nlohmann::json result =
        options.port != 0 ? measure_other(options, devices) : measure_ours(options, devices);
    devices.join();
    return result;
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    CLI::App app{"registrar-cost: what a registration costs"};
    app.add_option("--way", options.way)->check(CLI::IsMember({"pure", "tcp", "tls"}));
    app.add_option("--devices", options.devices)->check(CLI::Range(2, 50000));
    app.add_option("--refreshes", options.refreshes)->check(CLI::Range(1, 1000));
    CLI::Option* port = app.add_option("--port", options.port, "of a registrar of that domain's devices");
    app.add_option("--pid", options.pid, "its process")->needs(port);
    return run_program(app, count, arguments, [&options] {
        nlohmann::json result = options.way == "pure" ? measure_pure(options) : measure_sockets(options);
        result["per_second"] = 1e6 / result["registration_us"].get<double>();
        std::cout << result.dump() << "\n";
    });
}
