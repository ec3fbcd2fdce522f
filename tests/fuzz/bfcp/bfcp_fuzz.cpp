// A room system's floor control messages, one after the other as on a stream: framing, parser and server.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/bfcp/floor_server.hpp"

namespace {

using namespace vmr::bfcp;

void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "bfcp invariant broken: %s\n", what);
        std::abort();
    }
}

struct Host : FloorHost {
    void send(const std::string& bytes) override {
        check(bytes.size() <= kMaxMessage && message_length(bytes) == bytes.size(), "what we send is whole");
        check(parse(bytes).ok(), "what we send can be read");
        ++sent;
    }
    bool begin_sharing() override {
        begun = allows;
        return allows;
    }
    void end_sharing() override { begun = false; }
    void on_client_lost() override {}
    int sent = 0;
    bool allows = true, begun = false;
};

void read_stream(std::string_view bytes, bool reliable) {
    constexpr std::uint32_t kConference = 1;
    constexpr std::uint16_t kUser = 2;
    Host host;
    FloorServer server(host, kConference, kUser, reliable);
    std::int64_t now = 0;
    while (!bytes.empty()) {
        const std::size_t length = message_length(bytes).value_or(bytes.size());
        const std::string_view message = bytes.substr(0, length);
        bytes.remove_prefix(message.size());
        const int before = host.sent;
        server.receive(message, now);
        check(host.sent - before <= 3, "an answer and two notifications at most");
        check((server.holder() == FloorServer::Holder::participant) == host.begun, "one idea of who shares");
        now += static_cast<unsigned char>(message.back());
        server.tick(now);
        host.allows = (message.back() & 1) == 0;
        if (message.size() % 3 == 0 && server.holder() == FloorServer::Holder::participant) {
            host.begun = false;
            server.set_holder(FloorServer::Holder::other, now);
        }
    }
    for (int i = 0; i < 64 && server.next_deadline(); ++i) {
        server.tick(*server.next_deadline());
    }
    check(!server.next_deadline(), "repeating ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    (void)parse(bytes);
    read_stream(bytes, false);
    read_stream(bytes, true);
    return 0;
}
