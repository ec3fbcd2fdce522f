// What registrations cost: REGISTER, challenge, REGISTER with credentials, answer; and a refresh with the
// nonce that is still good. `pure`: from bytes to bytes, without sockets. `tcp`, `tls`: a whole SipLegs, with
// devices in another process, each on a connection of its own. Prints JSON: µs of CPU of the server a
// registration and a refresh, bytes of an idle registration.
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/process.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/ops/certificates.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;
using namespace vmr::sip;

constexpr const char* kDomain = "meet.example";
constexpr unsigned kAtOnce = 32;  // devices that have asked and not been answered
constexpr const char* kSecret = "correct horse battery";

struct Options {
    std::string way = "pure";
    unsigned devices = 1000, refreshes = 20;
};

std::string name_of(unsigned device) {
    return "room-system-" + std::to_string(device);
}

// As a room system writes it.
std::string request(unsigned device, unsigned cseq, const std::string& transport,
                    const std::string& authorization) {
    const std::string name = name_of(device);
    const std::string id = std::to_string(device);
    return "REGISTER sip:" + std::string(kDomain) + ";transport=tls SIP/2.0\r\nVia: SIP/2.0/" + transport +
           " 192.168.12.34:41234;branch=z9hG4bK" + id + "x" + std::to_string(cseq) +
           ";rport\r\nContact: <sip:" + name +
           "@192.168.12.34:41234;transport=tls>;expires=3600;"
           "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1\r\nMax-Forwards: "
           "70\r\nTo: <sip:" +
           name + "@" + kDomain + ">\r\nFrom: \"" + name + "\" <sip:" + name + "@" + kDomain + ">;tag=" + id +
           "f\r\nCall-ID: 5f3a9c0d1e2b4a68-" + id + "\r\nCSeq: " + std::to_string(cseq) +
           " REGISTER\r\nUser-Agent: Acme VC9/3.10.1.4711\r\nSupported: gruu, outbound, path\r\n"
           "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,INFO,MESSAGE,UPDATE,REFER\r\n" +
           (authorization.empty() ? "" : "Authorization: " + authorization + "\r\n") +
           "Content-Length: 0\r\n\r\n";
}

std::string nonce_of(const std::string& answer) {
    const std::size_t at = answer.find("nonce=\"");
    if (!answer.starts_with("SIP/2.0 401") || at == std::string::npos) {
        throw std::runtime_error("no challenge: " + answer.substr(0, 200));
    }
    return answer.substr(at + 7, answer.find('"', at + 7) - at - 7);
}

std::string credentials(unsigned device, const std::string& nonce, unsigned count) {
    char nc[9];
    std::snprintf(nc, sizeof nc, "%08x", count);
    const std::string uri = std::string("sip:") + kDomain;
    const std::string ha1 = digest_ha1(DigestAlgorithms::sha256, name_of(device), kDomain, kSecret);
    const std::string response = hash_hex(
        "SHA-256", ha1 + ":" + nonce + ":" + nc + ":c0ffee:auth:" + hash_hex("SHA-256", "REGISTER:" + uri));
    return "Digest username=\"" + name_of(device) + "\", realm=\"" + kDomain + "\", nonce=\"" + nonce +
           "\", uri=\"" + uri + "\", response=\"" + response +
           "\", algorithm=SHA-256, cnonce=\"c0ffee\", qop=auth, nc=" + nc;
}

void expect_ok(const std::string& answer) {
    if (!answer.starts_with("SIP/2.0 200")) {
        throw std::runtime_error("not registered: " + answer.substr(0, 300));
    }
}

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

// A device's connection, in the process of the devices.
class Connection {
public:
    Connection(std::uint16_t port, SSL_CTX* tls) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int at_once = 1;
        (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("no connection");
        }
        if (tls != nullptr) {
            ssl_ = SSL_new(tls);
            SSL_set_fd(ssl_, socket_);
            if (SSL_connect(ssl_) != 1) {
                throw std::runtime_error("no TLS");
            }
        }
    }
    ~Connection() {
        SSL_free(ssl_);
        ::close(socket_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void put(const std::string& bytes) {
        const auto size = static_cast<int>(bytes.size());
        if ((ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), size)
                             : ::write(socket_, bytes.data(), bytes.size())) != size) {
            throw std::runtime_error("not sent");
        }
    }
    std::string get() {
        std::string answer;
        char buffer[8192];
        while (answer.find("\r\n\r\n") == std::string::npos) {
            const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                             : static_cast<int>(::read(socket_, buffer, sizeof buffer));
            if (got <= 0) {
                throw std::runtime_error("no answer");
            }
            answer.append(buffer, static_cast<std::size_t>(got));
        }
        return answer;
    }
    std::string nonce;

private:
    int socket_;
    SSL* ssl_ = nullptr;
};

struct Pipes {
    int to_server[2], to_devices[2];
};

void tell(int descriptor) {
    const char step = 's';
    if (::write(descriptor, &step, 1) != 1) {
        throw std::runtime_error("the other process has gone");
    }
}

bool told(int descriptor) {
    char step = 0;
    return ::read(descriptor, &step, 1) == 1;
}

void run_devices(const Options& options, const Pipes& pipes) {
    raise_file_limit();
    std::uint16_t port = 0;
    if (::read(pipes.to_devices[0], &port, sizeof port) != sizeof port) {
        throw std::runtime_error("no server");
    }
    SSL_CTX* tls = options.way == "tls" ? SSL_CTX_new(TLS_client_method()) : nullptr;
    const char* transport = tls != nullptr ? "TLS" : "TCP";
    std::vector<std::unique_ptr<Connection>> connections;
    for (unsigned device = 0; device < options.devices; ++device) {
        connections.push_back(std::make_unique<Connection>(port, tls));
    }
    tell(pipes.to_server[1]);
    (void)told(pipes.to_devices[0]);
    const auto in_turn = [&](unsigned first, const auto& what) {
        for (unsigned device = first; device < std::min(first + kAtOnce, options.devices); ++device) {
            what(device, *connections[device]);
        }
    };
    for (unsigned first = 0; first < options.devices; first += kAtOnce) {
        in_turn(first, [&](unsigned device, Connection& one) { one.put(request(device, 1, transport, "")); });
        in_turn(first, [](unsigned, Connection& one) { one.nonce = nonce_of(one.get()); });
        in_turn(first, [&](unsigned device, Connection& one) {
            one.put(request(device, 2, transport, credentials(device, one.nonce, 1)));
        });
        in_turn(first, [](unsigned, Connection& one) { expect_ok(one.get()); });
    }
    tell(pipes.to_server[1]);
    (void)told(pipes.to_devices[0]);
    for (unsigned round = 0; round < options.refreshes; ++round) {
        for (unsigned first = 0; first < options.devices; first += kAtOnce) {
            in_turn(first, [&](unsigned device, Connection& one) {
                one.put(request(device, round + 3, transport, credentials(device, one.nonce, round + 2)));
            });
            in_turn(first, [](unsigned, Connection& one) { expect_ok(one.get()); });
        }
    }
    tell(pipes.to_server[1]);
    (void)told(pipes.to_devices[0]);
    connections.clear();
    SSL_CTX_free(tls);
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

nlohmann::json run_server(const Options& options, const Pipes& pipes) {
    raise_file_limit();
    const std::string folder =
        std::filesystem::temp_directory_path() / ("vmr-registrar-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto files = ops::ensure_self_signed(folder, {"127.0.0.1"});
    if (!files) {
        throw std::runtime_error(files.error());
    }
    sip::SipConfig config;
    const bool tls = options.way == "tls";
    config.stack.listen = {{tls ? Transport::tls : Transport::tcp, {"127.0.0.1", 0}}};
    config.stack.tls.certificate_chain_file = files->certificate;
    config.stack.tls.private_key_file = files->key;
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
    Nobody nobody;
    SipLegs legs(std::move(config), nobody);
    const auto bound = legs.start();
    if (!bound) {
        throw std::runtime_error(bound.error());
    }
    std::filesystem::remove_all(folder);
    const std::uint16_t port = bound->front().address.port;
    malloc_trim(0);
    const double empty = usage_of(getpid()).rss_mb;
    if (::write(pipes.to_devices[1], &port, sizeof port) != sizeof port) {
        throw std::runtime_error("the devices have gone");
    }
    run_until_told(pipes.to_server[0]);
    malloc_trim(0);
    const double connected = usage_of(getpid()).rss_mb;
    const auto cost_of_step = [&](double times) {
        const double before = cpu_seconds();
        tell(pipes.to_devices[1]);
        run_until_told(pipes.to_server[0]);
        return (cpu_seconds() - before) / times * 1e6;
    };
    const double registration = cost_of_step(options.devices);
    malloc_trim(0);
    const double registered = usage_of(getpid()).rss_mb;
    const double refresh = cost_of_step(static_cast<double>(options.devices) * options.refreshes);
    tell(pipes.to_devices[1]);
    legs.stop();
    const double each = 1024.0 * 1024.0 / options.devices;
    return {{"registration_us", registration},
            {"refresh_us", refresh},
            {"bytes", (registered - connected) * each},
            {"connection_bytes", (connected - empty) * each}};
}

nlohmann::json measure_sockets(const Options& options) {
    Pipes pipes{};
    if (::pipe(pipes.to_server) != 0 || ::pipe(pipes.to_devices) != 0) {
        throw std::runtime_error("no pipes");
    }
    const pid_t devices = ::fork();
    if (devices == 0) {
        ::close(pipes.to_server[0]);
        ::close(pipes.to_devices[1]);
        try {
            run_devices(options, pipes);
        } catch (const std::exception& problem) {
            std::cerr << "devices: " << problem.what() << "\n";
            _exit(1);
        }
        _exit(0);
    }
    ::close(pipes.to_server[1]);
    ::close(pipes.to_devices[0]);
    const nlohmann::json result = run_server(options, pipes);
    int status = 0;
    (void)::waitpid(devices, &status, 0);
    if (status != 0) {
        throw std::runtime_error("the devices failed");
    }
    return result;
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    CLI::App app{"registrar-cost: what a registration costs"};
    app.add_option("--way", options.way)->check(CLI::IsMember({"pure", "tcp", "tls"}));
    app.add_option("--devices", options.devices)->check(CLI::Range(2, 50000));
    app.add_option("--refreshes", options.refreshes)->check(CLI::Range(1, 1000));
    return run_program(app, count, arguments, [&options] {
        nlohmann::json result = options.way == "pure" ? measure_pure(options) : measure_sockets(options);
        result["per_second"] = 1e6 / result["registration_us"].get<double>();
        std::cout << result.dump() << "\n";
    });
}
