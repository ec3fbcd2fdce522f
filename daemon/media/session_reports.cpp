// What a session can say of itself: for the roster, the watchdog and the call record.
#include <algorithm>
#include <tuple>

#include "daemon/media/session.hpp"
#include "daemon/media/session_map.hpp"

namespace vmr::media {

// Nothing passes on it before its handshake.
bool Session::awaits_keys(std::size_t path) const {
    return negotiated_ && std::ranges::any_of(negotiated_->transports, [path](const auto& plan) {
               return plan.id == path && plan.keying == sdp::KeyManagement::dtls;
           });
}

vmr::CryptoReceipt Session::crypto_receipt() const {
    vmr::CryptoReceipt receipt;
    receipt.signalling = signalling_;
    std::optional<std::tuple<bool, bool, unsigned>> weakest;
    using Exchange = CryptoReceipt::KeyExchange;
    for (const auto& [id, path] : paths_) {
        const CryptoReceipt crypto = path.transport->crypto();
        const bool keyed = crypto.key_exchange != Exchange::none || !awaits_keys(id);
        if (!path.secured || !keyed) {
            continue;
        }
        // The weakest path is the leg's; keys that everybody between could read are weaker than any others.
        const bool readable = crypto.key_exchange == Exchange::sdes && signalling_ == "none";
        const std::tuple strength(crypto.key_bits != 0, !readable, crypto.key_bits);
        if (!weakest || strength < *weakest) {
            weakest = strength;
            receipt.key_exchange = crypto.key_exchange == Exchange::dtls   ? "DTLS-SRTP"
                                   : crypto.key_exchange == Exchange::sdes ? "SDES"
                                                                           : "none";
            receipt.suite = crypto.suite.empty() ? "none" : crypto.suite;
            receipt.key_bits = static_cast<int>(crypto.key_bits);
        }
    }
    return receipt;
}

sdp::Direction Session::direction() const {
    bool sends = false;
    bool receives = false;
    if (!negotiated_) {
        return sdp::Direction::inactive;
    }
    for (const sdp::MediaPlan& plan : negotiated_->media) {
        sends = sends || (plan.accepted && sdp::sends(plan.direction));
        receives = receives || (plan.accepted && sdp::receives(plan.direction));
    }
    return sdp::make_direction(sends, receives);
}

std::optional<std::chrono::milliseconds> Session::silence() const {
    std::optional<std::chrono::milliseconds> silence;
    for (const auto& [id, path] : paths_) {
        const auto age = path.transport->last_packet_age();
        if (age && (!silence || *age < *silence)) {
            silence = age;
        }
    }
    return silence;
}

std::vector<SessionStats> Session::stats() const {
    std::vector<SessionStats> all;
    for (const auto& [id, path] : paths_) {
        const TransportStats transport = path.transport->stats();
        for (const MediaStats& media : transport.media) {
            if (negotiated_ && media.media < negotiated_->media.size()) {
                const Slot slot = slot_of(negotiated_->media[media.media]);
                all.push_back({slot, media, bin_.taps(slot)});
            }
        }
    }
    return all;
}

}  // namespace vmr::media
