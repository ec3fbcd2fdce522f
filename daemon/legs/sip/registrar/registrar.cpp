#include "daemon/legs/sip/registrar/registrar.hpp"

#include <algorithm>
#include <charconv>

#include "base/source_network.hpp"
#include "daemon/legs/sip/message/uri.hpp"

namespace vmr::sip {
namespace {

// What one binding may take of our memory, in bytes.
constexpr std::size_t kMaxContactUri = 512;
constexpr std::size_t kMaxInstance = 128;
constexpr std::size_t kMaxCallId = 256;
constexpr std::size_t kMaxUserAgent = 128;

std::string user_agent_of(const Message& request) {
    const std::string* value = request.header("user-agent");
    std::string text = value != nullptr ? value->substr(0, kMaxUserAgent) : std::string();
    std::erase_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    return text;
}

std::optional<std::int64_t> delta_seconds(std::string_view text) {
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return error == std::errc() && end == text.data() + text.size() && !text.empty()
               ? std::optional<std::int64_t>(seconds)
               : std::nullopt;
}

// "0.5" → 500; what is not a q-value counts as none, which is 1 here.
unsigned thousandths(std::string_view text) {
    if (text.empty() || (text.front() != '0' && text.front() != '1') || text.size() > 5 ||
        (text.size() > 1 && text[1] != '.')) {
        return 1000;
    }
    unsigned q = text.front() == '1' ? 1000 : 0;
    unsigned place = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (c < '0' || c > '9') {
            return 1000;
        }
        q += place * static_cast<unsigned>(c - '0');
        place /= 10;
    }
    return std::min(q, 1000U);
}

std::string q_text(unsigned q) {
    return q >= 1000 ? "1" : "0." + std::to_string(1000 + q).substr(1);
}

// A URN in angle brackets (RFC 5626 section 4.1); what is not is none.
std::string instance_of(const NameAddr& contact) {
    std::string instance = parameter(contact.params, "+sip.instance");
    const bool good = instance.size() > 2 && instance.front() == '<' && instance.back() == '>' &&
                      instance.find_first_of("\"\\") == std::string::npos;
    return good ? instance : std::string();
}

// No proxy on the way wrote a Via of its own.
bool is_direct(const Message& request) {
    return request.values("via").size() == 1;
}

std::int64_t seconds_left(const Contact& contact, std::int64_t now) {
    return (contact.expires_at - now + 999) / 1000;
}

}  // namespace

Registrar::Registrar(RegistrarConfig config, const Accounts& accounts, Digest& digest)
    : config_(std::move(config)),
      accounts_(accounts),
      digest_(digest),
      requests_(config_.requests_per_second, config_.requests_per_second * 2) {}

void Registrar::reconfigure(RegistrarConfig config) {
    if (config.requests_per_second != config_.requests_per_second) {
        requests_ = SourceLimiter(config.requests_per_second, config.requests_per_second * 2);
    }
    config_ = std::move(config);
}

bool Registrar::is_over_limit(const Message& request, std::int64_t now) {
    return !requests_.take(source_of(request.flow), steady(now));
}

bool Registrar::is_own_domain(const std::string& host, const Flow& flow) const {
    return host == flow.local.ip || std::ranges::find(config_.domains, host) != config_.domains.end();
}

// The same for every name: nobody learns by it who has an account.
std::optional<Reply> Registrar::early_refusal(const Message& request) const {
    if (request.flow.transport != Transport::tls && !config_.allow_clear) {
        return Reply{.status = 403, .reason = "TLS Required"};
    }
    if (request.uri.scheme != "sip" && request.uri.scheme != "sips") {
        return Reply{.status = 416};
    }
    std::string unsupported;
    for (const std::string& option : request.values("require")) {
        if (!equal_nocase(option, "outbound") && !equal_nocase(option, "gruu")) {
            unsupported += (unsupported.empty() ? "" : ", ") + option;
        }
    }
    // A Path that is not kept would be a device that cannot be reached (RFC 3327 section 5.3).
    if (unsupported.empty() && request.header("path") != nullptr) {
        unsupported = "path";
    }
    if (!unsupported.empty()) {
        return Reply{.status = 420, .headers = {{"Unsupported", unsupported}}};
    }
    if (!is_own_domain(request.uri.host, request.flow) || !is_own_domain(request.to.uri.host, request.flow)) {
        return Reply{.status = 404};
    }
    return std::nullopt;
}

const DeviceAccount* Registrar::authenticate(const Message& request, std::int64_t now, Outcome& outcome) {
    std::string user;
    const auto ha1_of = [this, &user](const std::string& name, DigestAlgorithms answer) {
        user = name;
        return accounts_.ha1_of(name, answer);
    };
    const Digest::Verdict verdict = digest_.verify(request, "authorization", ha1_of, now);
    if (verdict == Digest::Verdict::accepted) {
        return accounts_.find(user);
    }
    outcome.wrong_digest = verdict == Digest::Verdict::refused;
    const bool stale = verdict == Digest::Verdict::stale;
    outcome.reply = {.status = 401};
    const DigestAlgorithms algorithms = accounts_.algorithms_for(lower(request.to.uri.user));
    for (std::string& value : digest_.challenge(algorithms, request.flow.remote.ip, stale, now)) {
        outcome.reply.headers.push_back({"WWW-Authenticate", std::move(value)});
    }
    return nullptr;
}

Registrar::Outcome Registrar::answer(const Message& request, std::int64_t now) {
    Outcome outcome;
    if (std::optional<Reply> refusal = early_refusal(request)) {
        outcome.reply = std::move(*refusal);
        return outcome;
    }
    const DeviceAccount* device = authenticate(request, now, outcome);
    if (device == nullptr) {
        return outcome;
    }
    // One owner: whose the other name is, or whether it is anybody's, is not told.
    if (accounts_.owner_of(lower(request.to.uri.user)) != device) {
        outcome.reply = {.status = 403};
        return outcome;
    }
    const std::string user_agent = user_agent_of(request);
    seen_[device->name] = {now, user_agent};
    if (const auto reason = firmware_refusal(config_.firmware, user_agent)) {
        Contact contact;
        contact.flow = request.flow;
        contact.user_agent = user_agent;
        tell(DeviceEvent::Kind::refused, device->name, contact, *reason);
        const std::string& host = config_.domains.empty() ? request.flow.local.ip : config_.domains.front();
        outcome.reply = {.status = 403,
                         .reason = "Firmware Too Old",
                         .headers = {{"Warning", "399 " + host + " \"" + *reason + "\""}}};
        return outcome;
    }
    outcome.reply = apply(*device, request, now);
    outcome.outbound = outcome.reply.status == 200 && keeps_alive(*device, request);
    return outcome;
}

Reply Registrar::apply(const DeviceAccount& device, const Message& request, std::int64_t now) {
    const std::vector<std::string> given = request.values("contact");
    if (std::ranges::find(given, "*") != given.end()) {
        return remove_all(device, request, now);
    }
    std::vector<Wanted> wanted;
    if (std::optional<Reply> refusal = read(request, now, wanted)) {
        return *refusal;
    }
    if (std::optional<Reply> refusal = check(device.name, request, wanted)) {
        return *refusal;
    }
    for (const Wanted& one : wanted) {
        store(device.name, one);
    }
    return bindings(device, request, now);
}

Reply Registrar::remove_all(const DeviceAccount& device, const Message& request, std::int64_t now) {
    const std::string* expires = request.header("expires");
    if (request.values("contact").size() > 1 || expires == nullptr || delta_seconds(*expires) != 0) {
        return {.status = 400, .reason = "Contact * Goes Alone With Expires 0"};
    }
    const auto newer = [&request](const Contact& contact) {
        return contact.call_id == request.call_id && contact.cseq >= request.cseq;
    };
    if (std::ranges::any_of(locations_.of(device.name), newer)) {
        return {.status = 500, .reason = "CSeq Out Of Order"};
    }
    for (const Contact& contact : locations_.remove_all(device.name)) {
        tell(DeviceEvent::Kind::unregistered, device.name, contact, "device");
    }
    return bindings(device, request, now);
}

// RFC 5626 section 6: whoever supports it and says which of its flows this is.
bool Registrar::wants_outbound(const Message& request) const {
    return request.has_token("supported", "outbound") || request.has_token("require", "outbound");
}

std::optional<Reply> Registrar::read(const Message& request, std::int64_t now,
                                     std::vector<Wanted>& wanted) const {
    const bool outbound = wants_outbound(request);
    const bool direct = is_direct(request);
    const std::string* header = request.header("expires");
    const std::int64_t usual = header != nullptr
                                   ? delta_seconds(*header).value_or(config_.max_expires.count())
                                   : config_.max_expires.count();
    for (const NameAddr& given : request.contacts) {
        Wanted one;
        bool has_expires = false;
        const std::string expires = parameter(given.params, "expires", &has_expires);
        one.expires = std::min<std::int64_t>(has_expires ? delta_seconds(expires).value_or(usual) : usual,
                                             config_.max_expires.count());
        if (one.expires > 0 && one.expires < config_.min_expires.count()) {
            return Reply{.status = 423,
                         .headers = {{"Min-Expires", std::to_string(config_.min_expires.count())}}};
        }
        one.contact.uri = given.uri.text;
        one.contact.q = thousandths(parameter(given.params, "q"));
        one.contact.instance = instance_of(given);
        if (given.uri.scheme != "sip" && given.uri.scheme != "sips") {
            return Reply{.status = 416};
        }
        if (one.contact.uri.size() > kMaxContactUri || one.contact.instance.size() > kMaxInstance ||
            request.call_id.size() > kMaxCallId) {
            return Reply{.status = 400, .reason = "Contact Or Call-ID Too Long"};
        }
        const std::string flow = parameter(given.params, "reg-id");
        if (outbound && !flow.empty() && !one.contact.instance.empty()) {
            // Only who talks to the device itself knows its flow (section 6).
            if (!direct) {
                return Reply{.status = 439};
            }
            one.contact.reg_id =
                static_cast<unsigned>(std::min<std::int64_t>(delta_seconds(flow).value_or(0), 0x7fffffff));
        }
        one.contact.call_id = request.call_id;
        one.contact.cseq = request.cseq;
        one.contact.user_agent = user_agent_of(request);
        one.contact.flow = request.response_flow();
        one.contact.direct = direct;
        one.contact.refreshed_at = now;
        one.contact.expires_at = now + one.expires * 1000;
        wanted.push_back(std::move(one));
    }
    return std::nullopt;
}

// All or nothing (RFC 3261 section 10.3, step 7).
std::optional<Reply> Registrar::check(const std::string& device, const Message& request,
                                      const std::vector<Wanted>& wanted) const {
    std::size_t fresh = 0;
    for (const Wanted& one : wanted) {
        const auto& known = locations_.of(device);
        const auto same = std::ranges::find_if(
            known, [&one](const Contact& contact) { return same_binding(contact, one.contact); });
        if (same == known.end()) {
            fresh += one.expires > 0 ? 1 : 0;
        } else if (same->call_id == request.call_id && same->cseq >= request.cseq) {
            return Reply{.status = 500, .reason = "CSeq Out Of Order"};
        }
    }
    if (fresh > config_.max_contacts) {
        return Reply{.status = 403, .reason = "Too Many Contacts"};
    }
    const std::string source = source_network(request.flow.remote.ip);
    if (fresh > 0 && (locations_.size() + fresh > config_.max_registrations ||
                      locations_.of_source(source) + fresh > config_.max_registrations_per_source)) {
        return Reply{.status = 503, .headers = {{"Retry-After", "60"}}};
    }
    return std::nullopt;
}

void Registrar::store(const std::string& device, Wanted wanted) {
    if (wanted.expires == 0) {
        if (const auto removed = locations_.remove(device, wanted.contact)) {
            tell(DeviceEvent::Kind::unregistered, device, *removed, "device");
        }
        return;
    }
    const auto& known = locations_.of(device);
    const auto same = std::ranges::find_if(
        known, [&wanted](const Contact& contact) { return same_binding(contact, wanted.contact); });
    // Those that were given are good for as long as the device goes on registering (RFC 5627 section 5.3).
    wanted.contact.gruu =
        same != known.end() && same->call_id == wanted.contact.call_id ? same->gruu : temp_gruus_.new_id();
    if (!locations_.put(device, wanted.contact)) {
        return;  // refreshed
    }
    // A device that was cut off comes back with a new contact: its oldest is the dead one.
    if (locations_.of(device).size() > config_.max_contacts) {
        if (const auto oldest = locations_.remove_oldest(device)) {
            tell(DeviceEvent::Kind::unregistered, device, *oldest, "replaced");
        }
    }
    tell(DeviceEvent::Kind::registered, device, wanted.contact, {});
}

// RFC 5627 section 5.2: to who asks, of each instance.
std::string Registrar::gruus(const DeviceAccount& device, const Contact& contact, const Message& request) {
    const std::string value = gruu_value(contact.instance);
    if (value.empty() || !request.has_token("supported", "gruu")) {
        return {};
    }
    const std::string& domain = config_.domains.empty() ? request.to.uri.host : config_.domains.front();
    const std::string host = domain.find(':') == std::string::npos ? domain : "[" + domain + "]";
    return ";pub-gruu=\"sip:" + device.name + "@" + host + ";gr=" + value +
           "\";temp-gruu=\"sip:" + temp_gruus_.make(contact.gruu) + "@" + host + ";gr\"";
}

std::optional<Locations::Owned> Registrar::owner_of(std::string_view user) const {
    const std::optional<std::uint64_t> id = temp_gruus_.id_of(user);
    return id ? locations_.with_gruu(*id) : std::nullopt;
}

Reply Registrar::bindings(const DeviceAccount& device, const Message& request, std::int64_t now) {
    Reply reply;
    for (const Contact& contact : locations_.lookup(device.name)) {
        std::string value = "<" + contact.uri + ">;expires=" + std::to_string(seconds_left(contact, now));
        if (contact.q != 1000) {
            value += ";q=" + q_text(contact.q);
        }
        if (!contact.instance.empty()) {
            value += ";+sip.instance=\"" + contact.instance + "\"";
        }
        if (contact.outbound()) {
            value += ";reg-id=" + std::to_string(contact.reg_id);
        }
        value += gruus(device, contact, request);
        reply.headers.push_back({"Contact", std::move(value)});
    }
    reply.headers.push_back({"Supported", "outbound"});
    if (keeps_alive(device, request)) {
        reply.headers.push_back({"Require", "outbound"});
        reply.headers.push_back({"Flow-Timer", std::to_string(config_.keep_alive.count())});
    }
    return reply;
}

bool Registrar::keeps_alive(const DeviceAccount& device, const Message& request) const {
    return wants_outbound(request) &&
           std::ranges::any_of(locations_.of(device.name), [&request](const Contact& contact) {
               return contact.outbound() && contact.flow.connection == request.flow.connection;
           });
}

void Registrar::tick(std::int64_t now) {
    for (const Locations::Owned& gone : locations_.expire(now)) {
        tell(DeviceEvent::Kind::expired, gone.aor, gone.contact, "time");
    }
}

void Registrar::connection_closed(std::uint64_t connection) {
    for (const Locations::Owned& gone : locations_.connection_closed(connection)) {
        tell(DeviceEvent::Kind::expired, gone.aor, gone.contact, "connection");
    }
}

void Registrar::forget(const std::string& device) {
    for (const Contact& contact : locations_.remove_all(device)) {
        tell(DeviceEvent::Kind::unregistered, device, contact, "removed");
    }
    seen_.erase(device);
}

const DeviceAccount* Registrar::sender_of(const Message& request) const {
    const DeviceAccount* device = is_direct(request) && is_own_domain(request.from.uri.host, request.flow)
                                      ? accounts_.owner_of(lower(request.from.uri.user))
                                      : nullptr;
    return device != nullptr && locations_.is_registered_by(device->name, request.flow) ? device : nullptr;
}

const Registrar::Seen* Registrar::seen(const std::string& device) const {
    const auto found = seen_.find(device);
    return found != seen_.end() ? &found->second : nullptr;
}

void Registrar::tell(DeviceEvent::Kind kind, const std::string& device, const Contact& contact,
                     const std::string& reason) const {
    if (on_event_) {
        on_event_({kind, device, contact.uri, contact.flow.remote.text(), contact.user_agent, reason});
    }
}

}  // namespace vmr::sip
