#include "daemon/media/transport/ice_channel.hpp"

#include <algorithm>
#include <sstream>

namespace vmr::media {

namespace {

constexpr guint kComponent = 1;
// A peer cannot make us check more addresses than this.
constexpr size_t kMaxRemoteCandidates = 48;
constexpr size_t kMaxCandidateLength = 512;
constexpr guint32 kReflexivePreference = 100;  // RFC 8445 section 5.1.2.2
// RFC 8839 section 5.4
constexpr size_t kMinUfrag = 4, kMinPassword = 22, kMaxCredential = 256;

// "a=candidate:…" and "candidate:…" are the same; returns the value.
std::string candidate_value(const std::string& text) {
    std::string value = text.rfind("a=", 0) == 0 ? text.substr(2) : text;
    while (!value.empty() && g_ascii_isspace(value.back())) {
        value.pop_back();
    }
    return value;
}

struct CandidateParts {
    std::string component, transport, address;
};

CandidateParts split_candidate(const std::string& value) {
    std::istringstream words(value);
    std::string foundation, priority;
    CandidateParts parts;
    words >> foundation >> parts.component >> parts.transport >> priority >> parts.address;
    return parts;
}

// An IP address, of a group's not.
bool is_host(const std::string& address) {
    const auto inet = GPtr<GInetAddress>::adopt(g_inet_address_new_from_string(address.c_str()));
    return inet && g_inet_address_get_is_multicast(inet.get()) == FALSE;
}

struct CandidateFree {
    void operator()(NiceCandidate* candidate) const { nice_candidate_free(candidate); }
};
using CandidatePtr = std::unique_ptr<NiceCandidate, CandidateFree>;

void on_agent_closed(GObject* agent, GAsyncResult*, gpointer) {
    g_object_unref(agent);
}

}  // namespace

IceChannel::IceChannel(std::shared_ptr<MediaIo> io, const IceParams& params, ChannelEvents& events)
    : io_(std::move(io)), params_(params), events_(events) {}

IceChannel::~IceChannel() {
    stop();
}

Result<std::unique_ptr<IceChannel>> IceChannel::open(std::shared_ptr<MediaIo> io, const IceParams& params,
                                                     ChannelEvents& events) {
    std::unique_ptr<IceChannel> channel(new IceChannel(std::move(io), params, events));
    Status status = Ok{};
    channel->io_->run([&] { status = channel->start(); });
    if (!status) {
        return Error{status.error()};
    }
    return channel;
}

Status IceChannel::start() {
    // Not libnice's consent checks: one that is lost with all its repetitions ends the path within seconds,
    // where RFC 7675 gives 30, and a tenth of the packets lost each way is enough for it. What shows that the
    // peer still wants to hear us is what it sends: the session's owner ends it when nothing authentic comes
    // any more.
    int options = NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_ICE_TRICKLE;
    if (params_.lite) {
        options |= NICE_AGENT_OPTION_LITE_MODE;
    }
    agent_ = GPtr<NiceAgent>::adopt(nice_agent_new_full(io_->context(), NICE_COMPATIBILITY_RFC5245,
                                                        static_cast<NiceAgentOption>(options)));
    g_object_set(agent_.get(), "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode",
                 static_cast<gboolean>(params_.controlling && !params_.lite), nullptr);
    if (!params_.stun_address.empty()) {
        g_object_set(agent_.get(), "stun-server", params_.stun_address.c_str(), "stun-server-port",
                     static_cast<guint>(params_.stun_port), nullptr);
    }
    if (Status status = add_local_addresses(); !status) {
        return status;
    }
    stream_ = nice_agent_add_stream(agent_.get(), 1);
    if (stream_ == 0) {
        return Error{"no ICE stream"};
    }
    nice_agent_set_stream_tos(agent_.get(), stream_, params_.dscp << 2);
    if (params_.port_max != 0) {
        nice_agent_set_port_range(agent_.get(), stream_, kComponent, params_.port_min, params_.port_max);
    }
    add_relays();
    connect_signals();
    gchar* ufrag = nullptr;
    gchar* password = nullptr;
    nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &password);
    ufrag_ = GCharPtr(ufrag).get();
    password_ = GCharPtr(password).get();
    nice_agent_attach_recv(agent_.get(), stream_, kComponent, io_->context(), on_received, this);
    if (!nice_agent_gather_candidates(agent_.get(), stream_)) {
        return Error{"no ICE candidate: no local address or no free port"};
    }
    return Ok{};
}

Status IceChannel::add_local_addresses() {
    for (const std::string& text : params_.local_addresses) {
        NiceAddress address;
        nice_address_init(&address);
        if (!nice_address_set_from_string(&address, text.c_str())) {
            return Error{"not an IP address: " + text};
        }
        nice_agent_add_local_address(agent_.get(), &address);
    }
    return Ok{};
}

void IceChannel::add_relays() {
    for (const TurnServer& server : params_.turn_servers) {
        NiceRelayType type = NICE_RELAY_TYPE_TURN_UDP;
        if (server.transport == TurnServer::Transport::tcp) {
            type = NICE_RELAY_TYPE_TURN_TCP;
        } else if (server.transport == TurnServer::Transport::tls) {
            type = NICE_RELAY_TYPE_TURN_TLS;
        }
        nice_agent_set_relay_info(agent_.get(), stream_, kComponent, server.address.c_str(), server.port,
                                  server.username.c_str(), server.password.c_str(), type);
    }
}

void IceChannel::connect_signals() {
    NiceAgent* agent = agent_.get();
    signals_.emplace_back(agent, "new-candidate-full", G_CALLBACK(on_candidate_found), this);
    signals_.emplace_back(agent, "candidate-gathering-done", G_CALLBACK(on_gathering_done), this);
    signals_.emplace_back(agent, "component-state-changed", G_CALLBACK(on_state_changed), this);
}

void IceChannel::stop() {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(stopped_, true)) {
            return;
        }
    }
    io_->run([this] {
        deadline_.cancel();
        signals_.clear();
        if (!agent_) {
            return;
        }
        if (stream_ != 0) {
            nice_agent_attach_recv(agent_.get(), stream_, kComponent, io_->context(), nullptr, nullptr);
            nice_agent_remove_stream(agent_.get(), stream_);
        }
        // The agent lives until its relays are released, on media-io.
        nice_agent_close_async(GPtr<NiceAgent>::ref(agent_.get()).release(), on_agent_closed, nullptr);
    });
}

std::vector<std::string> IceChannel::candidates() const {
    std::lock_guard lock(mutex_);
    return candidates_;
}

bool IceChannel::gathering_done() const {
    std::lock_guard lock(mutex_);
    return gathering_done_;
}

std::string IceChannel::default_address() const {
    std::lock_guard lock(mutex_);
    return candidates_.empty() ? std::string() : split_candidate(candidates_.front()).address;
}

Status IceChannel::set_remote(const IceRemote& remote) {
    if (remote.ufrag.size() < kMinUfrag || remote.ufrag.size() > kMaxCredential ||
        remote.password.size() < kMinPassword || remote.password.size() > kMaxCredential) {
        return Error{"bad ICE credentials"};
    }
    Status status = Ok{};
    io_->run([&] {
        if (!remote_ufrag_.empty() && remote_ufrag_ != remote.ufrag) {
            status = Error{"an ICE agent in use cannot restart"};  // IcePath makes another
            return;
        }
        const bool first = remote_ufrag_.empty();
        remote_ufrag_ = remote.ufrag;
        if (first && !nice_agent_set_remote_credentials(agent_.get(), stream_, remote.ufrag.c_str(),
                                                        remote.password.c_str())) {
            status = Error{"bad ICE credentials"};
            return;
        }
        for (const std::string& candidate : remote.candidates) {
            if (Status added = add_candidate(candidate); !added) {
                status = added;
            }
        }
        if (remote.complete) {
            nice_agent_peer_candidate_gathering_done(agent_.get(), stream_);
        }
        if (first) {
            start_deadline();
        }
    });
    return status;
}

Status IceChannel::add_remote_candidate(const std::string& candidate) {
    Status status = Ok{};
    io_->run([&] {
        if (candidate.empty()) {
            nice_agent_peer_candidate_gathering_done(agent_.get(), stream_);
        } else {
            status = add_candidate(candidate);
        }
    });
    return status;
}

Status IceChannel::add_candidate(const std::string& candidate) {
    const std::string value = candidate_value(candidate);
    if (value.size() > kMaxCandidateLength || value.rfind("candidate:", 0) != 0) {
        return Error{"not an ICE candidate"};
    }
    const CandidateParts parts = split_candidate(value);
    // Nothing is sent to groups. mDNS and other names would need a resolver (peer-reflexive pairs connect
    // anyway), TCP and the RTCP component are not used.
    if (!is_host(parts.address) || parts.component != "1" ||
        g_ascii_strcasecmp(parts.transport.c_str(), "udp") != 0) {
        return Ok{};
    }
    // Each offer and answer has all of them again.
    if (remote_candidates_.contains(value) || remote_candidates_.size() >= kMaxRemoteCandidates) {
        return Ok{};
    }
    CandidatePtr parsed(nice_agent_parse_remote_candidate_sdp(agent_.get(), stream_, ("a=" + value).c_str()));
    if (!parsed) {
        return Error{"not an ICE candidate"};
    }
    remote_candidates_.insert(value);
    GSList node{parsed.get(), nullptr};
    nice_agent_set_remote_candidates(agent_.get(), stream_, kComponent, &node);
    return Ok{};
}

void IceChannel::start_deadline() {
    deadline_.start(*io_, params_.connect_deadline, [this] {
        if (!connected_ && !failed_) {
            failed_ = true;
            events_.on_path_failed("ICE found no path in time");
        }
    });
}

bool IceChannel::send(Component, Bytes datagram) {
    {
        std::lock_guard lock(mutex_);
        if (stopped_) {
            return false;
        }
    }
    return nice_agent_send(agent_.get(), stream_, kComponent, static_cast<guint>(datagram.size()),
                           reinterpret_cast<const char*>(datagram.data())) > 0;
}

void IceChannel::on_candidate_found(NiceAgent*, NiceCandidate* candidate, gpointer self) {
    auto* channel = static_cast<IceChannel*>(self);
    if (candidate->type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE && channel->is_mapped(*candidate)) {
        return;  // a STUN server sees what is announced already
    }
    channel->announce(candidate);
    if (candidate->type == NICE_CANDIDATE_TYPE_HOST) {
        channel->announce_mapped(candidate);
    }
}

void IceChannel::announce(NiceCandidate* candidate) {
    const GCharPtr line(nice_agent_generate_local_candidate_sdp(agent_.get(), candidate));
    const std::string value = candidate_value(line.get());
    {
        std::lock_guard lock(mutex_);
        candidates_.push_back(value);
    }
    events_.on_local_candidate_found(ufrag_, value);
}

// What a STUN server on the NAT's far side would have told (RFC 8445 section 5.1.1.2).
void IceChannel::announce_mapped(NiceCandidate* host) {
    for (const std::string& text : params_.advertised_addresses) {
        NiceAddress address;
        nice_address_init(&address);
        if (!nice_address_set_from_string(&address, text.c_str()) ||
            nice_address_ip_version(&address) != nice_address_ip_version(&host->addr) ||
            nice_address_equal_no_port(&address, &host->addr)) {
            continue;
        }
        nice_address_set_port(&address, nice_address_get_port(&host->addr));
        const CandidatePtr mapped(nice_candidate_copy(host));
        mapped->type = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
        mapped->addr = address;
        mapped->base_addr = host->addr;
        mapped->priority = kReflexivePreference << 24 | (host->priority & 0xffffff);
        g_snprintf(mapped->foundation, sizeof mapped->foundation, "m%s", host->foundation);
        announce(mapped.get());
    }
}

bool IceChannel::is_mapped(const NiceCandidate& found) const {
    if (nice_address_get_port(&found.addr) != nice_address_get_port(&found.base_addr)) {
        return false;  // this NAT does not keep ports for everybody
    }
    return std::ranges::any_of(params_.advertised_addresses, [&](const std::string& text) {
        NiceAddress address;
        nice_address_init(&address);
        return nice_address_set_from_string(&address, text.c_str()) &&
               nice_address_equal_no_port(&address, &found.addr);
    });
}

void IceChannel::on_gathering_done(NiceAgent*, guint, gpointer self) {
    auto* channel = static_cast<IceChannel*>(self);
    {
        std::lock_guard lock(channel->mutex_);
        channel->gathering_done_ = true;
    }
    channel->events_.on_local_candidate_found(channel->ufrag_, "");
}

void IceChannel::on_state_changed(NiceAgent*, guint, guint, guint state, gpointer self) {
    auto* channel = static_cast<IceChannel*>(self);
    if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) {
        channel->connected_ = true;
        channel->deadline_.cancel();
        channel->events_.on_path_connected();
    } else if (state == NICE_COMPONENT_STATE_FAILED && !channel->deadline_.running() && !channel->failed_) {
        // Before the deadline peer-reflexive candidates may still turn up (RFC 8863).
        channel->failed_ = true;
        channel->events_.on_path_failed(channel->connected_ ? "ICE lost its path" : "ICE failed");
    }
}

void IceChannel::on_received(NiceAgent*, guint, guint, guint size, char* data, gpointer self) {
    auto* channel = static_cast<IceChannel*>(self);
    if (size > kMaxDatagram) {
        channel->events_.on_oversized_received();
    } else if (size > 0) {
        channel->events_.on_datagram_received(Component::rtp, {reinterpret_cast<const uint8_t*>(data), size});
    }
}

}  // namespace vmr::media
