// Every message of RFC 4475 and RFC 5118 over UDP and TCP, without and with a registrar, each followed by a
// healthy OPTIONS. What is expected stands in docs/sip-torture.md, which is therefore always what happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/sdp/session.hpp"
#include "tests/support/sip/harness.hpp"

namespace vmr::sip::test {
namespace {

std::filesystem::path root() {
    const char* path = std::getenv("VMR_SOURCE_ROOT");
    return path != nullptr ? path : ".";
}

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> cut(const std::string& text, const std::string& separator) {
    std::vector<std::string> parts;
    for (std::size_t start = 0;;) {
        const std::size_t end = text.find(separator, start);
        parts.push_back(text.substr(start, end - start));
        if (end == std::string::npos) {
            return parts;
        }
        start = end + separator.size();
    }
}

struct Row {
    std::string name, allowed, udp, tcp, registrar;
};
void PrintTo(const Row& row, std::ostream* out) {
    *out << row.name;
}

std::vector<Row> table() {
    std::vector<Row> rows;
    std::istringstream text(read(root() / "docs/sip-torture.md"));
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with("| ") || line.starts_with("| message") || line.starts_with("| ---")) {
            continue;
        }
        const std::vector<std::string> cells = cut(line.substr(2, line.size() - 4), " | ");
        EXPECT_EQ(cells.size(), 7U) << line;
        if (cells.size() == 7) {
            rows.push_back({cells[0], cells[3], cells[4], cells[5], cells[6]});
        }
    }
    return rows;
}

// "400" for both transports, or "400; closed" for UDP and TCP.
std::string by_transport(const std::string& cell, Transport transport) {
    const std::vector<std::string> each = cut(cell, "; ");
    return transport == Transport::tcp ? each.back() : each.front();
}

bool is_allowed(const Row& row, Transport transport, const std::string& answer) {
    const std::vector<std::string> choices = cut(by_transport(row.allowed, transport), " / ");
    return std::find(choices.begin(), choices.end(), answer) != choices.end();
}

void add(std::string& answer, const std::string& part) {
    answer += (answer.empty() ? "" : ", ") + part;
}

// The final answers to `bytes` in order, and what became of a stream. `waits`: nothing more is expected.
std::string answer_to(Harness& harness, Transport transport, const std::string& bytes, bool waits) {
    Client client(transport, harness.port(transport));
    client.send(bytes);
    Caller healthy(client);
    client.send(healthy.request("OPTIONS"));
    std::string answer;
    for (;;) {
        const std::string message = client.receive(waits ? 400 : 30000);
        if (message.empty()) {
            add(answer, transport == Transport::tcp && client.closed(0) ? "closed" : "waits");
            return answer;
        }
        if (header(message, "Call-ID") == healthy.call_id) {
            EXPECT_TRUE(message.starts_with("SIP/2.0 200")) << message;
            return answer.empty() ? "-" : answer;
        }
        if (message.starts_with("SIP/2.0 ") && message[8] != '1') {
            add(answer, message.substr(8, 3));
        }
    }
}

// The messages' domains are its own, and whom they register is one device.
SipConfig with_registrar() {
    SipConfig config;
    config.realm = "example.com";
    config.registrar.enabled = true;
    config.registrar.allow_clear = true;
    config.registrar.domains = {"example.com", "2001:db8::10"};
    config.devices = {{{.name = "user", .aliases = {"j.user", "watson"}}, "s3cret"}};
    return config;
}

std::string message(const std::string& name) {
    return read(root() / "tests/daemon/legs/sip/torture" / (name + ".sip"));
}

class Torture : public ::testing::TestWithParam<Row> {
protected:
    void run(Transport transport, const std::string& expected, const SipConfig& config = {}) {
        Harness harness(config);
        const std::string bytes = message(GetParam().name);
        ASSERT_FALSE(bytes.empty());
        const std::string answer = answer_to(harness, transport, bytes, expected == "waits");
        EXPECT_EQ(answer, expected);
        EXPECT_TRUE(is_allowed(GetParam(), transport, answer)) << answer << " is not what the RFC leaves";
        EXPECT_TRUE(alive(harness, transport));
        if (bytes.starts_with("INVITE") && answer == "200") {
            const auto call = harness.observer.wait();
            ASSERT_TRUE(call && !call->media->offers.empty());
            const auto offer = sdp::parse(call->media->offers.front());
            EXPECT_TRUE(offer.ok()) << (offer.ok() ? "" : offer.error());
        }
    }
};

TEST_P(Torture, IsAnsweredOverUdp) {
    run(Transport::udp, GetParam().udp);
}

TEST_P(Torture, IsAnsweredOverTcp) {
    run(Transport::tcp, GetParam().tcp);
}

TEST_P(Torture, IsAnsweredByARegistrarOverUdp) {
    run(Transport::udp, by_transport(GetParam().registrar, Transport::udp), with_registrar());
}

TEST_P(Torture, IsAnsweredByARegistrarOverTcp) {
    run(Transport::tcp, by_transport(GetParam().registrar, Transport::tcp), with_registrar());
}

INSTANTIATE_TEST_SUITE_P(Messages, Torture, ::testing::ValuesIn(table()), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(TortureTable, HasEveryMessage) {
    std::set<std::string> written;
    for (const Row& row : table()) {
        EXPECT_TRUE(written.insert(row.name).second) << row.name;
    }
    EXPECT_EQ(written.size(), 49U + 12U);
    for (const auto& entry : std::filesystem::directory_iterator(root() / "tests/daemon/legs/sip/torture")) {
        if (entry.path().extension() == ".sip") {
            EXPECT_TRUE(written.contains(entry.path().stem())) << entry.path();
        }
    }
}

// The final answer to a REGISTER, once it was sent again with credentials.
std::string answer_with_credentials(Client& client, std::string request) {
    client.send(request);
    const std::string challenge = client.expect("SIP/2.0 401");
    if (challenge.empty()) {
        return {};
    }
    const std::string nonce =
        parameter(digest_parameters(header(challenge, "WWW-Authenticate").substr(7)), "nonce");
    const std::string uri = cut(request, " ")[1];
    const std::string ha1 = hash_hex("SHA-256", "user:example.com:s3cret");
    const std::string ha2 = hash_hex("SHA-256", "REGISTER:" + uri);
    request.insert(request.find("\r\n") + 2,
                   "Authorization: Digest username=\"user\", realm=\"example.com\", nonce=\"" + nonce +
                       "\", uri=\"" + uri + "\", response=\"" +
                       hash_hex("SHA-256", ha1 + ":" + nonce + ":00000001:cn:auth:" + ha2) +
                       "\", algorithm=SHA-256, cnonce=\"cn\", qop=auth, nc=00000001\r\n");
    request.insert(request.find("branch=z9hG4bK") + 14, "again");
    client.send(request);
    return client.expect("SIP/2.0 ");
}

// What is registered, without what a binding is described by.
std::set<std::string> contacts(const std::string& answer) {
    std::set<std::string> uris;
    for (const std::string& line : cut(answer, "\r\n")) {
        if (line.starts_with("Contact: ")) {
            uris.insert(line.substr(9, line.find('>') - 8));
        }
    }
    return uris;
}

// Past the challenge: its Contacts are taken for what they are.
TEST(TortureRegistrar, RegistersWhoShowsCredentials) {
    using Uris = std::set<std::string>;
    const std::pair<const char*, Uris> expected[] = {
        {"dblreq", {"<sip:j.user@host.example.com>"}},
        {"regaut01", {}},  // asks only
        {"cparam01", {"<sip:+19725552222@gw1.example.net>"}},
        {"cparam02", {"<sip:+19725552222@gw1.example.net;unknownparam>"}},
        {"regescrt", {"<sip:user@example.com>"}},  // no request of ours has headers from there
        {"ipv6-good", {"<sip:caller@[2001:db8::1]>"}},
        {"port-unambiguous", {"<sip:caller@[2001:db8::1]>"}},
    };
    for (const auto& [name, uris] : expected) {
        Harness harness(with_registrar());
        Client client(Transport::udp, harness.port(Transport::udp));
        const std::string answer = answer_with_credentials(client, message(name));
        EXPECT_TRUE(answer.starts_with("SIP/2.0 200")) << name << "\n" << answer;
        EXPECT_EQ(contacts(answer), uris) << name;
    }
}

TEST(TortureRegistrar, TakesNoEscapedNulForTheEndOfAName) {
    Harness harness(with_registrar());
    Client client(Transport::udp, harness.port(Transport::udp));
    const auto answer = [&](const std::string& name) {
        std::string request = message("escnull");
        for (std::size_t at = 0; (at = request.find("null-%00-null", at)) != std::string::npos;
             at += name.size()) {
            request.replace(at, 13, name);
        }
        request.insert(request.find("branch=z9hG4bK") + 14, std::to_string(name.size()));
        return answer_with_credentials(client, request);
    };
    EXPECT_TRUE(answer("null-%00-null").starts_with("SIP/2.0 403")) << "another's name";
    EXPECT_TRUE(answer("user%00").starts_with("SIP/2.0 403")) << "another's name";
    EXPECT_EQ(contacts(answer("user")),
              (std::set<std::string>{"<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"}));
}

}  // namespace
}  // namespace vmr::sip::test
