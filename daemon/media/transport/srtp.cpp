#include "daemon/media/transport/srtp.hpp"

#include <openssl/crypto.h>

namespace vmr::media {

namespace {

Bytes bytes_of(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void cleanse(SrtpKeys& keys) {
    OPENSSL_cleanse(keys.local.data(), keys.local.size());
    OPENSSL_cleanse(keys.remote.data(), keys.remote.size());
}

}  // namespace

CryptoReceipt receipt_of(CryptoReceipt::KeyExchange exchange, SrtpSuite suite) {
    const srtp::SuiteInfo& info = srtp::info_of(suite);
    return {exchange, info.name, static_cast<unsigned>(info.key_bytes * 8)};
}

Status SrtpSession::use(const SrtpKeys& keys) {
    auto sender = srtp::Sender::make(keys.suite, bytes_of(keys.local));
    auto receiver = srtp::Receiver::make(keys.suite, bytes_of(keys.remote));
    const auto local_mki = srtp::Mki::make(bytes_of(keys.local_mki));
    const auto remote_mki = srtp::Mki::make(bytes_of(keys.remote_mki));
    if (!sender || !receiver || !local_mki || !remote_mki) {
        return Error{"an SRTP key or its identifier of wrong length"};
    }
    const bool same_suite = sender_ && keys.suite == keys_.suite;
    {
        const std::lock_guard lock(send_mutex_);
        if (!same_suite || keys.local != keys_.local) {
            sender_ = std::move(sender);
        }
        sender_->set_mki(*local_mki);
    }
    {
        const std::lock_guard lock(receive_mutex_);
        if (!same_suite || keys.remote != keys_.remote) {
            if (receiver_) {
                receiver->follow(*receiver_);
            }
            receiver_ = std::move(receiver);
        }
        receiver_->set_mki(*remote_mki);
    }
    cleanse(keys_);
    keys_ = keys;
    return Ok{};
}

bool SrtpSession::protect(Component component, MutableBytes space, size_t& size) {
    const std::lock_guard lock(send_mutex_);
    if (!sender_) {
        return false;
    }
    return (component == Component::rtcp ? sender_->protect_rtcp(space, size)
                                         : sender_->protect_rtp(space, size)) == srtp::Outcome::ok;
}

srtp::Outcome SrtpSession::unprotect(Component component, MutableBytes packet, size_t& size) {
    const std::lock_guard lock(receive_mutex_);
    if (!receiver_) {
        return srtp::Outcome::unauthenticated;
    }
    return component == Component::rtcp ? receiver_->unprotect_rtcp(packet, size)
                                        : receiver_->unprotect_rtp(packet, size);
}

}  // namespace vmr::media
