// Resolutions over libre's DNS client. Everything runs on the sip thread; nothing waits.
#pragma once
#include "base/libre.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "daemon/legs/sip/network/resolver.hpp"

namespace vmr::sip {

class DnsResolver {
public:
    using Done = std::function<void(Result<std::vector<Target>>)>;
    // Empty `name_servers`: those of /etc/resolv.conf, read again for each resolution.
    explicit DnsResolver(std::vector<Address> name_servers) : name_servers_(std::move(name_servers)) {}
    ~DnsResolver();
    DnsResolver(const DnsResolver&) = delete;
    DnsResolver& operator=(const DnsResolver&) = delete;

    // `done` is called from the event loop, once, within kResolutionTimeout.
    void resolve(const Destination& wanted, ResolverMeans means, Done done);

private:
    struct Job;
    struct Ask {
        Job* job;
        Question question;
        dns_query* query = nullptr;
    };
    struct Job {
        Job(DnsResolver* resolver, Resolution what, Done then)
            : owner(resolver), resolution(std::move(what)), done(std::move(then)) {}
        ~Job();
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;
        DnsResolver* owner;
        Resolution resolution;
        Done done;
        dnsc* client = nullptr;
        std::list<Ask> asks;
        tmr timer{};
        tmr stage_timer{};
    };
    static void on_answered(int error, const dnshdr* header, list* answers, list* authority, list* additional,
                            void* arg);
    static void on_timer_expired(void* arg);
    static void on_stage_expired(void* arg);
    bool connect(Job& job) const;
    void ask(Job& job, const std::vector<Question>& questions);

    std::vector<Address> name_servers_;
    std::list<std::unique_ptr<Job>> jobs_;
};

}  // namespace vmr::sip
