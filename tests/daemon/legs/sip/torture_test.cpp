// Every message of RFC 4475 and RFC 5118 over UDP and TCP, each followed by a healthy OPTIONS. What is
// expected stands in docs/sip-torture.md, which is therefore always what happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

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
    std::string name, allowed, udp, tcp;
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
        EXPECT_EQ(cells.size(), 6U) << line;
        if (cells.size() == 6) {
            rows.push_back({cells[0], cells[3], cells[4], cells[5]});
        }
    }
    return rows;
}

// "400 / 200" for both transports, or "400; closed" for UDP and TCP.
bool is_allowed(const Row& row, Transport transport, const std::string& answer) {
    const std::vector<std::string> by_transport = cut(row.allowed, "; ");
    const std::size_t index = transport == Transport::tcp && by_transport.size() > 1 ? 1 : 0;
    const std::vector<std::string> choices = cut(by_transport[index], " / ");
    return std::find(choices.begin(), choices.end(), answer) != choices.end();
}

void add(std::string& answer, const std::string& part) {
    answer += (answer.empty() ? "" : ", ") + part;
}

// The final answers to `bytes` in order, and what became of a stream.
std::string answer_to(Harness& harness, Transport transport, const std::string& bytes) {
    Client client(transport, harness.port(transport));
    client.send(bytes);
    Caller healthy(client);
    client.send(healthy.request("OPTIONS"));
    std::string answer;
    for (;;) {
        const std::string message = client.receive(transport == Transport::udp ? 5000 : 400);
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

class Torture : public ::testing::TestWithParam<Row> {
protected:
    void run(Transport transport, const std::string& expected) {
        Harness harness;
        const std::string bytes = read(root() / "tests/daemon/legs/sip/torture" / (GetParam().name + ".sip"));
        ASSERT_FALSE(bytes.empty());
        const std::string answer = answer_to(harness, transport, bytes);
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

}  // namespace
}  // namespace vmr::sip::test
