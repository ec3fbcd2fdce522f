#include "daemon/legs/sip/network/resolver.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace vmr::sip {
namespace {

constexpr std::uint16_t kPort = 5060;
constexpr std::uint16_t kTlsPort = 5061;

std::uint16_t default_port(Transport transport) {
    return transport == Transport::tls ? kTlsPort : kPort;
}

const char* service_prefix(Transport transport) {
    return transport == Transport::tls   ? "_sips._tcp."
           : transport == Transport::tcp ? "_sip._tcp."
                                         : "_sip._udp.";
}

bool is_ipv4(const std::string& text) {
    in_addr address{};
    return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& text) {
    in6_addr address{};
    return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// RFC 1035 section 2.3.1, and underscores for SRV names.
bool is_host_name(const std::string& name) {
    if (name.empty() || name.size() > 253) {
        return false;
    }
    std::size_t label = 0;
    for (const char c : name) {
        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
            continue;
        }
        if ((std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') || ++label > 63) {
            return false;
        }
    }
    return true;
}

// Names in answers may end in a dot; "." alone stays empty.
std::string bare(std::string name) {
    if (name.ends_with('.')) {
        name.pop_back();
    }
    return lower(name);
}

std::optional<Transport> transport_of(const std::string& service) {
    static constexpr std::array<std::pair<std::string_view, Transport>, 3> kServices{
        {{"SIPS+D2T", Transport::tls}, {"SIP+D2T", Transport::tcp}, {"SIP+D2U", Transport::udp}}};
    for (const auto& [name, transport] : kServices) {
        if (equal_nocase(service, name)) {
            return transport;
        }
    }
    return std::nullopt;
}

}  // namespace

Result<Destination> destination_of(const Uri& uri) {
    if (uri.scheme != "sip" && uri.scheme != "sips") {
        return Error{"not a SIP address"};
    }
    Destination wanted{uri.host, uri.port, std::nullopt, uri.scheme == "sips"};
    bool found = false;
    const std::string transport = lower(parameter(uri.params, "transport", &found));
    if (!found) {
        return wanted;
    }
    if (transport == "tls" || (transport == "tcp" && wanted.secure)) {
        wanted.transport = Transport::tls;  // sips over "tcp" means TLS over TCP (RFC 3261 section 26.2.2)
    } else if (transport == "tcp") {
        wanted.transport = Transport::tcp;
    } else if (transport == "udp" && !wanted.secure) {
        wanted.transport = Transport::udp;
    } else {
        return Error{"transport not supported"};
    }
    return wanted;
}

Resolution::Resolution(Destination destination, ResolverMeans means)
    : wanted_(std::move(destination)), means_(std::move(means)) {}

std::vector<Question> Resolution::fail(std::string why) {
    done_ = true;
    error_ = std::move(why);
    return {};
}

std::vector<Question> Resolution::start() {
    std::optional<Transport> transport = wanted_.transport;
    if (wanted_.secure) {
        transport = Transport::tls;
    }
    if (transport && !means_.can(*transport)) {
        return fail("no transport for this address");
    }
    const bool literal = is_ipv4(wanted_.host) || is_ipv6(wanted_.host);
    if (!literal && !is_host_name(wanted_.host)) {
        return fail("not a host name");
    }
    if (literal || wanted_.port != 0) {  // sections 4.1 and 4.2: UDP where nothing else is said
        places_ = plain_places();
        return places_.empty() ? fail("no transport for this address") : ask_addresses();
    }
    if (wanted_.transport) {
        services_ = {{*transport, service_prefix(*transport) + wanted_.host}};
        return ask_services();
    }
    return ask({{RecordType::naptr, wanted_.host}});
}

// The host itself, where nothing tells a transport but perhaps the URI. A request that does not fit a
// datagram tries TCP first.
std::vector<Resolution::Place> Resolution::plain_places() const {
    std::vector<Transport> order{Transport::udp, Transport::tcp};
    if (wanted_.secure) {
        order = {Transport::tls};
    } else if (wanted_.transport) {
        order = {*wanted_.transport};
    } else if (wanted_.large) {
        order = {Transport::tcp, Transport::udp};
    } else if (means_.udp) {
        order = {Transport::udp};
    }
    std::vector<Place> places;
    for (const Transport transport : order) {
        if (means_.can(transport)) {
            places.push_back(
                {transport, wanted_.host, wanted_.port != 0 ? wanted_.port : default_port(transport)});
        }
    }
    return places;
}

std::vector<Question> Resolution::ask(std::vector<Question> questions) {
    asked_.clear();
    for (const Question& question : questions) {
        asked_.emplace(question, std::nullopt);
    }
    return questions;
}

std::vector<Question> Resolution::answer(const Question& question, std::vector<DnsRecord> records) {
    const auto found = asked_.find(question);
    if (done_ || found == asked_.end() || found->second) {
        return {};
    }
    records.resize(std::min({records.size(), kMaxTargets, kMaxAnswers - answers_}));
    answers_ += records.size();
    found->second = std::move(records);
    const bool all = std::ranges::all_of(asked_, [](const auto& entry) { return entry.second.has_value(); });
    return all ? advance() : std::vector<Question>();
}

std::vector<Question> Resolution::advance() {
    switch (stage_) {
        case Stage::naptr:
            take_naptr();
            return ask_services();
        case Stage::services:
            take_services();
            return ask_addresses();
        case Stage::addresses:
            take_addresses();
            break;
    }
    done_ = true;
    if (targets_.empty()) {
        error_ = "unknown host";
    }
    return {};
}

// The owner's order holds (RFC 3403 section 4.1); among what they hold equal, TLS comes first.
void Resolution::take_naptr() {
    std::vector<DnsRecord> records = *asked_.begin()->second;
    std::erase_if(records, [this](const DnsRecord& record) {
        const auto transport = transport_of(record.service);
        return !transport || !equal_nocase(record.flags, "s") || !means_.can(*transport) ||
               (wanted_.secure && *transport != Transport::tls) || !is_host_name(bare(record.text));
    });
    std::ranges::stable_sort(records, {}, [](const DnsRecord& record) {
        return std::tuple(record.order, transport_of(record.service) != Transport::tls, record.weight);
    });
    for (const DnsRecord& record : records) {
        services_.push_back({*transport_of(record.service), bare(record.text)});
    }
    if (!services_.empty()) {
        return;
    }
    for (const Transport transport : {Transport::tls, Transport::tcp, Transport::udp}) {
        if (means_.can(transport) && (!wanted_.secure || transport == Transport::tls)) {
            services_.push_back({transport, service_prefix(transport) + wanted_.host});
        }
    }
}

std::vector<Question> Resolution::ask_services() {
    stage_ = Stage::services;
    services_.resize(std::min(services_.size(), kMaxTargets), {Transport::udp, {}});
    std::vector<Question> questions;
    for (const Service& service : services_) {
        questions.push_back({RecordType::srv, service.name});
    }
    return ask(std::move(questions));
}

// RFC 2782: by priority; within one, at random by weight.
std::vector<DnsRecord> Resolution::shuffled(std::vector<DnsRecord> records) const {
    std::ranges::stable_sort(records, {}, [](const DnsRecord& record) {
        return std::pair(record.order, record.weight != 0);  // weight 0 first: it is picked last but may be
    });
    for (auto from = records.begin(); from != records.end(); ++from) {
        const auto end = std::find_if(from, records.end(),
                                      [&](const DnsRecord& record) { return record.order != from->order; });
        std::uint32_t sum = 0;
        for (auto record = from; record != end; ++record) {
            sum += record->weight;
        }
        std::uint32_t pick = means_.random ? means_.random(sum + 1) : 0;
        auto chosen = from;
        while (chosen + 1 != end && chosen->weight < pick) {
            pick -= chosen->weight;
            ++chosen;
        }
        std::rotate(from, chosen, chosen + 1);
    }
    return records;
}

void Resolution::take_services() {
    for (const Service& service : services_) {
        for (const DnsRecord& record : shuffled(*asked_.at({RecordType::srv, service.name}))) {
            const std::string host = bare(record.text);
            if (host.empty()) {
                service_denied_ = true;  // "." (RFC 2782)
            } else if (is_host_name(host) && record.port != 0 && places_.size() < kMaxTargets) {
                places_.push_back({service.transport, host, record.port});
            }
        }
    }
    if (!places_.empty() || service_denied_) {
        return;
    }
    places_ = plain_places();
}

std::vector<Question> Resolution::ask_addresses() {
    stage_ = Stage::addresses;
    std::vector<Question> questions;
    for (const Place& place : places_) {
        if (is_ipv4(place.host) || is_ipv6(place.host)) {
            continue;
        }
        for (const auto& [wanted, type] :
             {std::pair(means_.ipv6, RecordType::aaaa), std::pair(means_.ipv4, RecordType::a)}) {
            const Question question{type, place.host};
            if (wanted && std::ranges::find(questions, question) == questions.end()) {
                questions.push_back(question);
            }
        }
    }
    if (questions.empty()) {
        asked_.clear();
        return advance();
    }
    return ask(std::move(questions));
}

void Resolution::add_target(Transport transport, const std::string& ip, std::uint16_t port) {
    const Target target{transport, {ip, port}};
    if (targets_.size() < kMaxTargets && std::ranges::find(targets_, target) == targets_.end()) {
        targets_.push_back(target);
    }
}

void Resolution::take_addresses() {
    for (const Place& place : places_) {
        if ((is_ipv4(place.host) && means_.ipv4) || (is_ipv6(place.host) && means_.ipv6)) {
            add_target(place.transport, place.host, place.port);
            continue;
        }
        for (const RecordType type : {RecordType::aaaa, RecordType::a}) {
            const auto found = asked_.find({type, place.host});
            if (found == asked_.end()) {
                continue;
            }
            for (const DnsRecord& record : *found->second) {
                if (type == RecordType::a ? is_ipv4(record.text) : is_ipv6(record.text)) {
                    add_target(place.transport, record.text, place.port);
                }
            }
        }
    }
}

void Resolution::give_up_answers() {
    for (auto& [question, records] : asked_) {
        if (!records) {
            records.emplace();
        }
    }
}

std::int64_t Resolution::patience(std::int64_t left) const {
    switch (stage_) {
        case Stage::naptr:
            return std::min(kNaptrTimeout, left);
        case Stage::services:  // where none is found the call goes elsewhere, perhaps less protected
            return std::max<std::int64_t>(left - kAddressTimeout, 0);
        case Stage::addresses:
            break;
    }
    return left;
}

std::vector<Question> Resolution::hurry() {
    if (done_ || stage_ == Stage::addresses) {
        return {};
    }
    give_up_answers();
    return advance();
}

void Resolution::expire() {
    if (done_ || stage_ != Stage::addresses) {
        return;
    }
    give_up_answers();
    take_addresses();
    done_ = !targets_.empty();
}

Result<std::vector<Target>> Resolution::result() const {
    if (!done_) {
        return Error{"the name servers did not answer in time"};
    }
    if (!error_.empty()) {
        return Error{error_};
    }
    return targets_;
}

}  // namespace vmr::sip
