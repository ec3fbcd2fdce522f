#include "tests/support/sip/dns_server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/loopback.hpp"

namespace vmr::sip::test {
namespace {

constexpr std::pair<RecordType, std::uint16_t> kTypes[] = {
    {RecordType::a, 1}, {RecordType::aaaa, 28}, {RecordType::srv, 33}, {RecordType::naptr, 35}};

void put16(std::string& wire, unsigned value) {
    wire += static_cast<char>(value >> 8U);
    wire += static_cast<char>(value & 0xffU);
}

void put_string(std::string& wire, const std::string& text) {
    wire += static_cast<char>(text.size());
    wire += text;
}

void put_name(std::string& wire, const std::string& name) {
    for (std::size_t start = 0; start < name.size();) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        put_string(wire, name.substr(start, end - start));
        start = end + 1;
    }
    wire += '\0';
}

std::string data_of(RecordType type, const DnsRecord& record) {
    std::string wire;
    unsigned char bytes[16];
    switch (type) {
        case RecordType::a:
            inet_pton(AF_INET, record.text.c_str(), bytes);
            return {reinterpret_cast<char*>(bytes), 4};
        case RecordType::aaaa:
            inet_pton(AF_INET6, record.text.c_str(), bytes);
            return {reinterpret_cast<char*>(bytes), 16};
        case RecordType::srv:
            put16(wire, record.order);
            put16(wire, record.weight);
            put16(wire, record.port);
            break;
        case RecordType::naptr:
            put16(wire, record.order);
            put16(wire, record.weight);
            put_string(wire, record.flags);
            put_string(wire, record.service);
            put_string(wire, "");
            break;
    }
    put_name(wire, record.text);
    return wire;
}

}  // namespace

DnsServer::DnsServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    port_ = vmr::test::bind_to_loopback(socket_);
    thread_ = std::thread(&DnsServer::run, this);
}

DnsServer::~DnsServer() {
    over_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
}

void DnsServer::set(RecordType type, const std::string& name, std::vector<DnsRecord> records) {
    const std::lock_guard lock(mutex_);
    records_[{type, name}] = std::move(records);
}

void DnsServer::ignore(const std::string& name) {
    const std::lock_guard lock(mutex_);
    ignored_.push_back(name);
}

void DnsServer::delay(RecordType type, std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    delays_[type] = time;
}

std::vector<Question> DnsServer::asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
}

void DnsServer::run() {
    const timeval wait{0, 20000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    while (!over_) {
        send_what_is_due();
        char buffer[1500];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto got =
            ::recvfrom(socket_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 17) {
            continue;
        }
        Time due = std::chrono::steady_clock::now();
        std::string reply = answer({buffer, static_cast<std::size_t>(got)}, due);
        if (!reply.empty()) {
            replies_.emplace(due, Reply{from, std::move(reply)});
        }
    }
}

void DnsServer::send_what_is_due() {
    const auto end = replies_.upper_bound(std::chrono::steady_clock::now());
    for (auto one = replies_.begin(); one != end; one = replies_.erase(one)) {
        const auto& [to, bytes] = one->second;
        (void)::sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                       sizeof to);
    }
}

std::string DnsServer::answer(const std::string& query, Time& due) {
    Question question;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
        const auto length = static_cast<unsigned char>(query[at]);
        question.name += (question.name.empty() ? "" : ".") + query.substr(at + 1, length);
        at += length + 1U;
    }
    const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(query.at(at + 1)) << 8U |
                                                 static_cast<unsigned char>(query.at(at + 2)));
    for (const auto& [type, number] : kTypes) {
        if (number == code) {
            question.type = type;
        }
    }
    const std::lock_guard lock(mutex_);
    asked_.push_back(question);
    if (std::ranges::find(ignored_, question.name) != ignored_.end()) {
        return {};
    }
    if (const auto late = delays_.find(question.type); late != delays_.end()) {
        due += late->second;
    }
    const auto found = records_.find(question);
    const std::vector<DnsRecord> records = found == records_.end() ? std::vector<DnsRecord>() : found->second;
    std::string wire = query.substr(0, 2);
    put16(wire, records.empty() ? 0x8183 : 0x8180);  // response, recursion; NXDOMAIN where there is nothing
    put16(wire, 1);
    put16(wire, static_cast<unsigned>(records.size()));
    put16(wire, 0);
    put16(wire, 0);
    wire += query.substr(12, at + 5 - 12);
    for (const DnsRecord& record : records) {
        put16(wire, 0xc00c);  // the question's name
        put16(wire, code);
        put16(wire, 1);
        put16(wire, 0);
        put16(wire, 60);
        const std::string data = data_of(question.type, record);
        put16(wire, static_cast<unsigned>(data.size()));
        wire += data;
    }
    return wire;
}

}  // namespace vmr::sip::test
