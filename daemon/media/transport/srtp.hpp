// The SRTP of one transport: what protects what we send and opens what the peer sent.
#pragma once
#include <openssl/crypto.h>

#include <mutex>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/types.hpp"
#include "srtp/srtp.hpp"

namespace vmr::media {

// Keys of both directions, each key and salt in one. No copy stays behind in memory.
struct SrtpKeys {
    SrtpSuite suite = SrtpSuite::aead_aes_256_gcm;
    std::string local;
    std::string remote;
    std::string local_mki = {}, remote_mki = {};
    ~SrtpKeys() {
        OPENSSL_cleanse(local.data(), local.size());
        OPENSSL_cleanse(remote.data(), remote.size());
    }
};

CryptoReceipt receipt_of(CryptoReceipt::KeyExchange exchange, SrtpSuite suite);

// One short lock for each direction: a packet takes about a microsecond, few threads send
// for one peer, and the SRTCP index is common to all SSRCs of a key anyway.
class SrtpSession {
public:
    SrtpSession() = default;
    SrtpSession(const SrtpSession&) = delete;
    SrtpSession& operator=(const SrtpSession&) = delete;

    // Control thread. A key that stays as it is goes on where it was, as none of its packet
    // indices may be used twice; what is still on its way under a replaced one is refused.
    Status use(const SrtpKeys& keys);

    // Any thread, in place: the packet is the first `size` bytes of `space`. Before there are
    // keys everything is refused.
    bool protect(Component component, MutableBytes space, size_t& size);
    srtp::Outcome unprotect(Component component, MutableBytes packet, size_t& size);

private:
    SrtpKeys keys_;  // control thread

    std::mutex send_mutex_;  // innermost
    std::optional<srtp::Sender> sender_;
    std::mutex receive_mutex_;  // innermost
    std::optional<srtp::Receiver> receiver_;
};

}  // namespace vmr::media
