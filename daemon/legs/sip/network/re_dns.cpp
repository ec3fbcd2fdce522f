#include "daemon/legs/sip/network/re_dns.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/guard.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxJobs = 256;
constexpr std::size_t kMaxNameServers = 4;

std::uint16_t wire_type(RecordType type) {
    switch (type) {
        case RecordType::a:
            return DNS_TYPE_A;
        case RecordType::aaaa:
            return DNS_TYPE_AAAA;
        case RecordType::srv:
            return DNS_TYPE_SRV;
        case RecordType::naptr:
            break;
    }
    return DNS_TYPE_NAPTR;
}

std::string text_of(const char* text) {
    return text != nullptr ? text : "";
}

DnsRecord read(const dnsrr& record) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    DnsRecord read;
    switch (record.type) {
        case DNS_TYPE_A: {
            const in_addr address{htonl(record.rdata.a.addr)};
            read.text = text_of(inet_ntop(AF_INET, &address, text.data(), text.size()));
            break;
        }
        case DNS_TYPE_AAAA:
            read.text = text_of(inet_ntop(AF_INET6, record.rdata.aaaa.addr, text.data(), text.size()));
            break;
        case DNS_TYPE_SRV:
            read.text = text_of(record.rdata.srv.target);
            read.order = record.rdata.srv.pri;
            read.weight = record.rdata.srv.weight;
            read.port = record.rdata.srv.port;
            break;
        case DNS_TYPE_NAPTR:
            read.text = text_of(record.rdata.naptr.replace);
            read.order = record.rdata.naptr.order;
            read.weight = record.rdata.naptr.pref;
            read.flags = text_of(record.rdata.naptr.flags);
            read.service = text_of(record.rdata.naptr.services);
            break;
        default:
            break;
    }
    return read;
}

}  // namespace

DnsResolver::Job::~Job() {
    tmr_cancel(&timer);
    tmr_cancel(&stage_timer);
    for (Ask& ask : asks) {
        mem_deref(ask.query);
    }
    mem_deref(client);
}

DnsResolver::~DnsResolver() = default;

// A client, and so a source port, of its own for each resolution: answers are harder to forge.
bool DnsResolver::connect(Job& job) const {
    std::array<sa, kMaxNameServers> servers{};
    std::uint32_t count = 0;
    for (const Address& address : name_servers_) {
        if (count < servers.size() && sa_set_str(&servers[count], address.ip.c_str(), address.port) == 0) {
            ++count;
        }
    }
    if (name_servers_.empty()) {
        char domain[256] = {};
        count = servers.size();
        if (dns_srv_get(domain, sizeof domain, servers.data(), &count) != 0) {
            count = 0;
        }
    }
    return count > 0 && dnsc_alloc(&job.client, nullptr, servers.data(), count) == 0;
}

void DnsResolver::resolve(const Destination& wanted, ResolverMeans means, Done done) {
    jobs_.push_back(std::make_unique<Job>(this, Resolution(wanted, std::move(means)), std::move(done)));
    Job& job = *jobs_.back();
    tmr_init(&job.timer);
    tmr_init(&job.stage_timer);
    // At the latest; the last answer brings it forward. Done is always called from here, never from within.
    tmr_start(&job.timer, kResolutionTimeout, on_timer_expired, &job);
    if (jobs_.size() > kMaxJobs) {
        tmr_start(&job.timer, 0, on_timer_expired, &job);
        return;
    }
    ask(job, job.resolution.start());
}

void DnsResolver::ask(Job& job, const std::vector<Question>& questions) {
    if (!questions.empty() && job.client == nullptr && !connect(job)) {
        tmr_start(&job.timer, 0, on_timer_expired, &job);
        return;
    }
    if (!questions.empty()) {
        const auto left = static_cast<std::int64_t>(tmr_get_expire(&job.timer));
        tmr_start(&job.stage_timer, static_cast<std::uint64_t>(job.resolution.patience(left)),
                  on_stage_expired, &job);
    }
    std::vector<Question> next;
    for (const Question& question : questions) {
        Ask& ask = job.asks.emplace_back(Ask{&job, question});
        if (dnsc_query(&ask.query, job.client, question.name.c_str(), wire_type(question.type), DNS_CLASS_IN,
                       true, on_answered, &ask) != 0) {
            for (Question& more : job.resolution.answer(question, {})) {
                next.push_back(std::move(more));
            }
        }
    }
    if (job.resolution.done()) {
        tmr_start(&job.timer, 0, on_timer_expired, &job);
    } else if (!next.empty()) {
        ask(job, next);
    }
}

void DnsResolver::on_answered(int error, const dnshdr* header, list* answers, list* /*authority*/,
                              list* /*additional*/, void* arg) {
    auto* ask = static_cast<Ask*>(arg);
    guard(nullptr, [&] {
        std::vector<DnsRecord> records;
        const bool usable = error == 0 && header != nullptr && header->rcode == DNS_RCODE_OK;
        for (const le* element = usable ? list_head(answers) : nullptr; element != nullptr;
             element = element->next) {
            const auto* record = static_cast<const dnsrr*>(element->data);
            if (record->type == wire_type(ask->question.type) && records.size() < kMaxAnswers) {
                records.push_back(read(*record));
            }
        }
        Job& job = *ask->job;
        job.owner->ask(job, job.resolution.answer(ask->question, std::move(records)));
    });
}

void DnsResolver::on_stage_expired(void* arg) {
    auto* job = static_cast<Job*>(arg);
    guard(nullptr, [job] { job->owner->ask(*job, job->resolution.hurry()); });
}

void DnsResolver::on_timer_expired(void* arg) {
    auto* job = static_cast<Job*>(arg);
    guard(nullptr, [&] {
        auto& jobs = job->owner->jobs_;
        const auto found = std::ranges::find_if(jobs, [job](const auto& one) { return one.get() == job; });
        const std::unique_ptr<Job> held = std::move(*found);
        jobs.erase(found);
        held->resolution.expire();
        held->done(held->resolution.result());
    });
}

}  // namespace vmr::sip
