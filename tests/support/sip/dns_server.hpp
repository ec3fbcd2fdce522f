// A name server on the loopback that answers what a test has written down, and nothing else.
#pragma once
#include <atomic>
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
    Address address() const { return {"127.0.0.1", port_}; }
    std::vector<Question> asked();

private:
    void run();
    std::string answer(const std::string& query);

    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::map<Question, std::vector<DnsRecord>> records_;
    std::vector<std::string> ignored_;
    std::vector<Question> asked_;
    std::thread thread_;
};

}  // namespace vmr::sip::test
