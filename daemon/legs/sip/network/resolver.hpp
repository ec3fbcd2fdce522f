// Where a SIP URI leads (RFC 3263): literals and ports first, else NAPTR, SRV, A and AAAA. Pure: says what to
// ask, is told the answers. The result is the ordered list of targets to try.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

inline constexpr std::size_t kMaxTargets = 8;
inline constexpr std::size_t kMaxAnswers = 64;  // records of one resolution; kMaxTargets of each question
inline constexpr std::int64_t kResolutionTimeout = 5000;  // ms, all questions together
inline constexpr std::int64_t kNaptrTimeout = 1500;       // some servers never answer these questions
inline constexpr std::int64_t kAddressTimeout = 1500;     // is left when SRV records are waited for no more

struct Target {
    Transport transport = Transport::udp;
    Address address;
    bool operator==(const Target&) const = default;
};

// What is looked for.
struct Destination {
    std::string host;                    // name or address, without brackets
    std::uint16_t port = 0;              // 0: not said
    std::optional<Transport> transport;  // as the URI's parameter says
    bool secure = false;                 // sips: TLS or nothing
    bool large = false;                  // the request does not fit a datagram (RFC 3261 section 18.1.1)
};
// The error is one line: an unknown scheme or transport.
Result<Destination> destination_of(const Uri& uri);

enum class RecordType { a, aaaa, srv, naptr };

struct Question {
    RecordType type = RecordType::a;
    std::string name;
    auto operator<=>(const Question&) const = default;
};

struct DnsRecord {
    std::string text;            // A, AAAA: the address; SRV: target; NAPTR: replacement
    std::uint16_t order = 0;     // NAPTR order, SRV priority
    std::uint16_t weight = 0;    // NAPTR preference, SRV weight
    std::uint16_t port = 0;      // SRV
    std::string flags, service;  // NAPTR
};

struct ResolverMeans {
    bool udp = true, tcp = true, tls = true;
    bool ipv4 = true, ipv6 = false;
    std::function<std::uint32_t(std::uint32_t limit)> random;  // 0 .. limit-1
    bool can(Transport transport) const {
        return transport == Transport::udp ? udp : transport == Transport::tcp ? tcp : tls;
    }
};

class Resolution {
public:
    Resolution(Destination destination, ResolverMeans means);

    // To be asked now; empty once done().
    std::vector<Question> start();
    // No records: there are none, or nobody answered. Returns what is to be asked next.
    std::vector<Question> answer(const Question& question, std::vector<DnsRecord> records);
    bool done() const { return done_; }
    // How long to wait for the questions that are open before hurry(), when `left` is all the time there is
    // (ms).
    std::int64_t patience(std::int64_t left) const;
    // NAPTR and SRV records that have not come count as none. Returns what is to be asked next.
    std::vector<Question> hurry();
    // No more answers will come: addresses that are known are enough.
    void expire();
    // The targets, or why there is none.
    Result<std::vector<Target>> result() const;

private:
    struct Place {  // a host to look up
        Transport transport;
        std::string host;
        std::uint16_t port;
    };
    struct Service {  // an SRV name to look up
        Transport transport;
        std::string name;
    };
    std::vector<Question> fail(std::string why);
    void give_up_answers();
    std::vector<Question> ask(std::vector<Question> questions);
    std::vector<Question> advance();
    std::vector<Question> ask_services();
    std::vector<Question> ask_addresses();
    std::vector<Place> plain_places() const;
    void take_naptr();
    void take_services();
    void take_addresses();
    std::vector<DnsRecord> shuffled(std::vector<DnsRecord> records) const;
    void add_target(Transport transport, const std::string& ip, std::uint16_t port);

    const Destination wanted_;
    const ResolverMeans means_;
    enum class Stage { naptr, services, addresses } stage_ = Stage::naptr;
    std::map<Question, std::optional<std::vector<DnsRecord>>> asked_;
    std::size_t answers_ = 0;
    std::vector<Service> services_;
    std::vector<Place> places_;
    std::vector<Target> targets_;
    bool service_denied_ = false;  // an SRV record said "not here"
    bool done_ = false;
    std::string error_;
};

}  // namespace vmr::sip
