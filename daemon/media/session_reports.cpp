// What a session can say of itself: for the roster, the watchdog and the call record.
#include <tuple>

#include "daemon/media/session.hpp"
#include "daemon/media/session_map.hpp"

namespace vmr::media {

vmr::CryptoReceipt Session::crypto_receipt() const {
    vmr::CryptoReceipt receipt;
    receipt.signalling = signalling_;
    std::optional<std::tuple<bool, bool, unsigned>> weakest;
    for (const auto& [id, path] : paths_) {
        if (!path.secured || steers_camera(path)) {
            continue;
        }
        const CryptoReceipt crypto = path.transport->crypto();
        using Exchange = CryptoReceipt::KeyExchange;
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
