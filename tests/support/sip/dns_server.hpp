// A name server on the loopback that answers what a test has written down, and nothing else.
#pragma once
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/legs/sip/network/resolver.hpp"

namespace vmr::sip::test {

class DnsServer {
public:
    DnsServer();
    ~DnsServer();
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;

    void set(RecordType type, const std::string& name, std::vector<DnsRecord> records);
    // Questions for this name get no answer at all.
    void ignore(const std::string& name);
    // Answers to questions of this type come so much later.
    void delay(RecordType type, std::chrono::milliseconds time);
    Address address() const { return {"127.0.0.1", port_}; }
    std::vector<Question> asked();

private:
    struct Reply {
        sockaddr_in to;
        std::string bytes;
    };
    using Time = std::chrono::steady_clock::time_point;
    void run();
    void send_what_is_due();
    std::string answer(const std::string& query, Time& due);

    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::map<Question, std::vector<DnsRecord>> records_;
    std::vector<std::string> ignored_;
    std::map<RecordType, std::chrono::milliseconds> delays_;
    std::vector<Question> asked_;
    std::multimap<Time, Reply> replies_;  // the thread's own
    std::thread thread_;
};

}  // namespace vmr::sip::test
