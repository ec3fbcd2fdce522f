// The control thread's side of a transport.
#include "daemon/media/transport/transport.hpp"

#include <algorithm>
#include <tuple>

#include "daemon/media/transport/transport_impl.hpp"

namespace vmr::media {

namespace {

// Soon: two talk to each other, so the first report may come at once (RFC 3550 section 6.2).
constexpr std::chrono::milliseconds kFirstReport{500};

// RFC 8122 section 5
bool is_fingerprint(const Fingerprint& fingerprint) {
    const size_t bytes = fingerprint.hash == FingerprintHash::sha256   ? 32
                         : fingerprint.hash == FingerprintHash::sha384 ? 48
                                                                       : 64;
    return fingerprint.value.size() == 3 * bytes - 1;
}

bool same_fingerprints(const DtlsParams& a, const DtlsParams& b) {
    return std::ranges::equal(a.fingerprints, b.fingerprints, [](const auto& x, const auto& y) {
        return x.hash == y.hash && g_ascii_strcasecmp(x.value.c_str(), y.value.c_str()) == 0;
    });
}

}  // namespace

Result<std::unique_ptr<RtpTransport>> RtpTransport::create(TransportParams params,
                                                           TransportCallbacks callbacks) {
    auto transport = std::make_unique<TransportImpl>(std::move(params), std::move(callbacks));
    if (Status status = transport->open(); !status) {
        return Error{status.error()};
    }
    return std::unique_ptr<RtpTransport>(std::move(transport));
}

TransportImpl::TransportImpl(TransportParams params, TransportCallbacks callbacks)
    : params_(std::move(params)), callbacks_(std::move(callbacks)) {}

Status TransportImpl::open() {
    auto session = RtpSession::create({params_.name, static_cast<unsigned>(params_.latency.count()),
                                       params_.feedback, params_.rtcp_reduced_size, params_.bandwidth},
                                      *this);
    if (!session) {
        return Error{session.error()};
    }
    session_ = std::move(*session);
    if (const auto* udp = std::get_if<UdpParams>(&params_.path)) {
        auto channel = UdpChannel::open(params_.io, *udp, *this);
        if (!channel) {
            return Error{channel.error()};
        }
        udp_ = std::move(*channel);
        channel_ = udp_.get();
    } else {
        auto channel = IcePath::open(params_.io, std::get<IceParams>(params_.path), *this);
        if (!channel) {
            return Error{channel.error()};
        }
        ice_ = std::move(*channel);
        channel_ = ice_.get();
    }
    return Ok{};
}

TransportImpl::~TransportImpl() {
    // First nothing comes in any more, then the elements stop, then nothing is left
    // that could post a callback.
    params_.io->run([this] {
        halted_ = true;
        dtls_timer_.cancel();
        dtls_deadline_.cancel();
        report_timer_.cancel();
        if (dtls_) {
            dtls_->close();
            dtls_.reset();
        }
    });
    if (channel_ != nullptr) {
        channel_->stop();
    }
    session_.reset();
    alive_.reset();
}

void TransportImpl::notify(std::function<void()> task) {
    post_to(params_.control, [alive = std::weak_ptr<bool>(alive_), task = std::move(task)] {
        if (!alive.expired()) {
            task();
        }
    });
}

LocalDescription TransportImpl::local() const {
    LocalDescription local;
    if (udp_) {
        local.address = std::get<UdpParams>(params_.path).local_address;
        local.rtp_port = udp_->rtp_port();
        local.rtcp_port = udp_->rtcp_port();
        local.gathering_done = true;
        std::tie(local.ice_ufrag, local.ice_password) = udp_->ice_credentials();
        local.ice_lite = !local.ice_ufrag.empty();
    } else {
        const IceChannel& agent = ice_->newest();
        local.address = agent.default_address();
        local.ice_ufrag = agent.ufrag();
        local.ice_password = agent.password();
        local.ice_lite = std::get<IceParams>(params_.path).lite;
        local.candidates = agent.candidates();
        local.gathering_done = agent.gathering_done();
    }
    return local;
}

Status TransportImpl::set_remote(const UdpRemote& remote) {
    if (!udp_) {
        return Error{"this transport's path is ICE"};
    }
    advance(TransportState::connecting, "");
    return udp_->set_remote(remote);
}

Status TransportImpl::set_remote(const IceRemote& remote) {
    if (!ice_) {
        return Error{"this transport's path is UDP"};
    }
    Status status = ice_->newest().set_remote(remote);
    if (status) {
        advance(TransportState::connecting, "");
    }
    return status;
}

Status TransportImpl::add_remote_candidate(const std::string& candidate) {
    if (!ice_) {
        return Error{"this transport's path is UDP"};
    }
    return ice_->newest().add_remote_candidate(candidate);
}

Status TransportImpl::restart_ice(const IceParams& params) {
    return ice_ ? ice_->restart(params) : Status(Error{"this transport's path is UDP"});
}

void TransportImpl::cancel_ice_restart() {
    if (ice_) {
        ice_->cancel_restart();
    }
}

Status TransportImpl::set_security(const Security& security) {
    using KeyExchange = CryptoReceipt::KeyExchange;
    if (const auto* dtls = std::get_if<DtlsParams>(&security)) {
        return use_dtls(*dtls);
    }
    if (dtls_params_) {
        return Error{"a transport with DTLS cannot change to other keys"};
    }
    params_.io->run([this] {
        security_known_ = true;
        early_dtls_.clear();
    });
    if (const auto* sdes = std::get_if<SdesKeys>(&security)) {
        return use_keys(receipt_of(KeyExchange::sdes, sdes->suite),
                        SrtpKeys{sdes->suite, sdes->local, sdes->remote, sdes->local_mki, sdes->remote_mki});
    }
    return use_keys({}, std::nullopt);
}

Status TransportImpl::use_keys(CryptoReceipt receipt, const std::optional<SrtpKeys>& keys) {
    Status status = session_->install(keys);
    if (status) {
        crypto_ = std::move(receipt);
        keys_installed_ = true;
        params_.io->run([this] { replay_early(); });
        start_reports();
        update_readiness();
    }
    return status;
}

Status TransportImpl::use_dtls(const DtlsParams& params) {
    if (dtls_params_) {
        return same_fingerprints(*dtls_params_, params)
                   ? Status(Ok{})
                   : Status(Error{"the DTLS fingerprint of a transport in use cannot change"});
    }
    if (keys_installed_ || !params_.certificate) {
        return Error{keys_installed_ ? "a transport in use cannot change to DTLS" : "no DTLS certificate"};
    }
    if (params.fingerprints.empty() || !std::ranges::all_of(params.fingerprints, is_fingerprint)) {
        return Error{"no usable DTLS fingerprint"};
    }
    dtls_params_ = params;
    params_.io->run([&] {
        security_known_ = true;
        dtls_ = std::make_unique<DtlsSession>(params_.certificate, params, static_cast<DtlsEvents&>(*this));
        start_dtls();
        for (const auto& datagram : std::exchange(early_dtls_, {})) {
            handle_dtls(datagram);
        }
    });
    return Ok{};
}

Status TransportImpl::add_media(const MediaParams& media) {
    has_audio_ |= media.audio;
    Status status = session_->add_media(media);
    start_reports();
    return status;
}

// rtpbin has its own.
void TransportImpl::start_reports() {
    if (has_audio_ && keys_installed_ && !reports_started_) {
        reports_started_ = true;
        params_.io->run([this] { plan_report(kFirstReport); });
    }
}

void TransportImpl::advance(TransportState state, const std::string& reason) {
    if (state <= state_ || state_ == TransportState::failed) {
        return;
    }
    state_ = state;
    if (state >= TransportState::failed) {
        halted_ = true;
    }
    notify([this, state, reason] {
        if (callbacks_.on_state_changed) {
            callbacks_.on_state_changed(state, reason);
        }
    });
}

void TransportImpl::update_readiness() {
    if (path_connected_) {
        advance(TransportState::connected, "");
    }
    if (path_connected_ && keys_installed_) {
        advance(TransportState::ready, "");
    }
}

TransportStats TransportImpl::stats() const {
    TransportStats stats;
    stats.state = state_;
    stats.crypto = crypto_;
    stats.drops = {counters_.garbage,      counters_.oversized,     counters_.wrong_source,
                   counters_.before_keys,  counters_.auth_failures, counters_.unrouted,
                   counters_.send_failures};
    stats.received_datagrams = counters_.received;
    stats.sent_datagrams = counters_.sent;
    session_->fill_stats(stats);
    return stats;
}

std::optional<std::chrono::milliseconds> TransportImpl::last_packet_age() const {
    const int64_t last = last_packet_us_;
    if (last == 0) {
        return std::nullopt;
    }
    return std::chrono::milliseconds((g_get_monotonic_time() - last) / 1000);
}

}  // namespace vmr::media
