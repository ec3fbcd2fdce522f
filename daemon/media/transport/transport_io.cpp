// The side of a transport that packets see: media-io and streaming threads.
#include "daemon/media/transport/transport_impl.hpp"

namespace vmr::media {

namespace {

constexpr size_t kMaxEarlyPackets = 64;
constexpr size_t kMaxEarlyDtls = 8;
constexpr size_t kMaxUnsentDtls = 16;

// RFC 7983 and RFC 5761: the first bytes tell what a datagram is.
bool is_dtls(Bytes datagram) {
    return datagram[0] >= 20 && datagram[0] <= 63;
}
bool is_media(Bytes datagram) {
    return datagram[0] >= 128 && datagram[0] <= 191 && datagram.size() >= 8;
}
bool is_muxed_rtcp(Bytes datagram) {
    return datagram[1] >= 192 && datagram[1] <= 223;
}

}  // namespace

void TransportImpl::on_datagram_received(Component component, Bytes datagram) {
    counters_.received++;
    if (halted_) {
        return;
    }
    if (is_dtls(datagram) && component == Component::rtp) {  // there is one association, RTP's
        handle_dtls(datagram);
    } else if (is_media(datagram) && (component == Component::rtp || is_muxed_rtcp(datagram))) {
        handle_media(is_muxed_rtcp(datagram) ? Component::rtcp : Component::rtp, datagram);
    } else {
        counters_.garbage++;
    }
}

void TransportImpl::handle_media(Component component, Bytes packet) {
    if (!session_->ready()) {
        keep_early(component, packet);
        return;
    }
    switch (session_->receive(component, packet)) {
        case ReceiveResult::delivered:
            last_packet_us_ = g_get_monotonic_time();
            channel_->accept_source();
            break;
        case ReceiveResult::malformed:
            counters_.garbage++;
            break;
        case ReceiveResult::not_ready:
            counters_.before_keys++;
            break;
        case ReceiveResult::auth_failed:
            counters_.auth_failures++;
            break;
        case ReceiveResult::unrouted:
            counters_.unrouted++;
            break;
    }
}

// The peer may have its keys before we use ours; its first video frame matters. Only
// from where signalling said: with comedia anyone could fill the queue.
void TransportImpl::keep_early(Component component, Bytes packet) {
    if (early_.size() < kMaxEarlyPackets && channel_->source_is_signalled()) {
        early_.push_back({component, {packet.begin(), packet.end()}});
    } else {
        counters_.before_keys++;
    }
}

void TransportImpl::replay_early() {
    for (const EarlyPacket& packet : std::exchange(early_, {})) {
        if (session_->receive(packet.component, packet.bytes) == ReceiveResult::delivered) {
            last_packet_us_ = g_get_monotonic_time();
        } else {
            counters_.before_keys++;
        }
    }
}

void TransportImpl::handle_dtls(Bytes datagram) {
    if (!channel_->source_is_signalled()) {
        counters_.wrong_source++;
    } else if (dtls_) {
        dtls_->feed(datagram);
        rearm_dtls_timer();
    } else if (!security_known_ && early_dtls_.size() < kMaxEarlyDtls) {
        early_dtls_.emplace_back(datagram.begin(), datagram.end());
    } else {
        counters_.garbage++;
    }
}

void TransportImpl::on_path_connected() {
    connected_ = true;
    flush_dtls();
    start_dtls();
    notify([this] {
        path_connected_ = true;
        update_readiness();
    });
}

void TransportImpl::on_path_failed(const std::string& reason) {
    notify([this, reason] { advance(TransportState::failed, reason); });
}

void TransportImpl::on_local_candidate_found(const std::string& ufrag, const std::string& candidate) {
    notify([this, ufrag, candidate] {
        // A peer would take one from before a restart for one of the new agent.
        if (callbacks_.on_candidate_found && ufrag == ice_->newest().ufrag()) {
            callbacks_.on_candidate_found(candidate);
        }
    });
}

void TransportImpl::start_dtls() {
    if (!connected_ || !dtls_ || dtls_started_) {
        return;
    }
    dtls_started_ = true;
    dtls_deadline_.start(*params_.io, dtls_params_->deadline, [this] {
        if (!dtls_->finished()) {
            on_dtls_failed("the DTLS handshake took too long");
        }
    });
    dtls_->start();
    rearm_dtls_timer();
}

void TransportImpl::rearm_dtls_timer() {
    const auto timeout = dtls_->timeout();
    if (!timeout) {
        dtls_timer_.cancel();
        return;
    }
    dtls_timer_.start(*params_.io, *timeout, [this] {
        dtls_->handle_timeout();
        rearm_dtls_timer();
    });
}

void TransportImpl::on_dtls_datagram_made(Bytes datagram) {
    if (channel_->send(Component::rtp, datagram)) {
        counters_.sent++;
    } else if (unsent_dtls_.size() < kMaxUnsentDtls) {
        unsent_dtls_.emplace_back(datagram.begin(), datagram.end());
    }
}

// What libnice refused before its pair was selected; waiting for the retransmission
// timer instead would cost a second.
void TransportImpl::flush_dtls() {
    for (const auto& datagram : std::exchange(unsent_dtls_, {})) {
        on_dtls_datagram_made(datagram);
    }
}

void TransportImpl::on_dtls_keyed(const SrtpKeys& keys) {
    dtls_deadline_.cancel();
    notify([this, keys] {
        if (state_ >= TransportState::failed) {
            return;
        }
        const Status status = use_keys(receipt_of(CryptoReceipt::KeyExchange::dtls, keys.suite), keys);
        if (!status) {
            advance(TransportState::failed, status.error());
        }
    });
}

void TransportImpl::on_dtls_failed(const std::string& reason) {
    halted_ = true;
    dtls_timer_.cancel();
    dtls_deadline_.cancel();
    notify([this, reason] { advance(TransportState::failed, reason); });
}

void TransportImpl::on_dtls_closed() {
    halted_ = true;
    notify([this] { advance(TransportState::closed, "the peer closed the transport"); });
}

bool TransportImpl::on_packet_made(Component component, Bytes packet) {
    if (halted_) {
        return false;
    }
    const bool sent = channel_->send(component, packet);
    (sent ? counters_.sent : counters_.send_failures)++;
    return sent;
}

void TransportImpl::plan_report(std::chrono::microseconds delay) {
    report_timer_.start(*params_.io, delay, [this] {
        if (!halted_) {
            session_->report_audio();
            plan_report(std::chrono::microseconds(report_interval(g_random_double())));
        }
    });
}

void TransportImpl::on_key_pressed(unsigned media, char key) {
    notify([this, media, key] {
        if (callbacks_.on_key_pressed) {
            callbacks_.on_key_pressed(media, key);
        }
    });
}

void TransportImpl::on_stream_made(const StreamInfo& stream, PadPtr pad) {
    notify([this, stream, pad] {
        if (callbacks_.on_stream_added) {
            callbacks_.on_stream_added(stream, pad.get());
        }
        session_->release_stream(pad.get());
    });
}

void TransportImpl::on_stream_gone(const StreamInfo& stream, PadPtr pad) {
    notify([this, stream, pad] {
        if (callbacks_.on_stream_removed) {
            callbacks_.on_stream_removed(stream, pad.get());
        }
    });
}

void TransportImpl::on_bye_read(unsigned media, uint32_t ssrc) {
    if (callbacks_.on_bye_received) {  // a peer may say so as often as it likes
        notify([this, media, ssrc] { callbacks_.on_bye_received(media, ssrc); });
    }
}

void TransportImpl::on_message_read(unsigned media, Bytes message) {
    notify([this, media, kept = std::vector<uint8_t>(message.begin(), message.end())] {
        if (callbacks_.on_message_received) {
            callbacks_.on_message_received(media, kept);
        }
    });
}

void TransportImpl::on_queue_grown() {
    notify([this] {
        if (callbacks_.on_congested) {
            callbacks_.on_congested();
        }
    });
}

}  // namespace vmr::media
