#include "srtp_cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>

namespace vmr::rtp_io {
namespace {

// Fetched once: an implicit fetch would be looked up again for each context.
const EVP_CIPHER* fetched_cipher(std::size_t key_bytes, bool gcm) {
    static const EVP_CIPHER* const ciphers[2][2] = {{EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr),
                                                     EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr)},
                                                    {EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr),
                                                     EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)}};
    return ciphers[gcm ? 1 : 0][key_bytes == 32 ? 1 : 0];
}

EVP_MAC* fetched_hmac() {
    static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return hmac;
}

void put_big_endian(std::uint8_t* at, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i, value >>= 8) {
        at[i] = static_cast<std::uint8_t>(value);
    }
}

void xor_big_endian(std::uint8_t* at, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i, value >>= 8) {
        at[i] = static_cast<std::uint8_t>(at[i] ^ value);
    }
}

// Labels of RFC 3711 section 4.3.2.
constexpr std::uint8_t kEncryption = 0;
constexpr std::uint8_t kAuthentication = 1;
constexpr std::uint8_t kSalting = 2;
constexpr std::uint8_t kRtcpOffset = 3;

}  // namespace

bool derive_key(Bytes master_key, Bytes salt, std::uint8_t label, MutableBytes key) {
    std::array<std::uint8_t, 16> iv{};
    std::copy(salt.begin(), salt.end(), iv.begin());
    iv[7] ^= label;
    std::fill(key.begin(), key.end(), 0);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int size = 0;
    const bool done =
        EVP_EncryptInit_ex2(context, fetched_cipher(master_key.size(), false), master_key.data(), iv.data(),
                            nullptr) == 1 &&
        EVP_EncryptUpdate(context, key.data(), &size, key.data(), static_cast<int>(key.size())) == 1;
    EVP_CIPHER_CTX_free(context);
    return done;
}

std::unique_ptr<SrtpCipher> SrtpCipher::make(SrtpSuite suite, Bytes master, Direction direction,
                                             Protocol protocol) {
    const SrtpSuiteInfo& info = info_of(suite);
    if (info.key_bytes == 0 || master.size() != info.key_bytes + info.salt_bytes) {
        return nullptr;
    }
    const Bytes master_key = master.first(info.key_bytes);
    const Bytes master_salt = master.last(info.salt_bytes);
    const std::uint8_t base = protocol == Protocol::rtcp ? kRtcpOffset : 0;
    SessionKeys keys;
    const bool derived =
        derive_key(master_key, master_salt, base + kEncryption, {keys.key.data(), info.key_bytes}) &&
        derive_key(master_key, master_salt, base + kSalting, {keys.salt.data(), info.salt_bytes}) &&
        (info.gcm || derive_key(master_key, master_salt, base + kAuthentication, keys.auth));
    return derived ? with_session_keys(suite, keys, direction) : nullptr;
}

std::unique_ptr<SrtpCipher> SrtpCipher::with_session_keys(SrtpSuite suite, const SessionKeys& keys,
                                                          Direction direction) {
    const SrtpSuiteInfo& info = info_of(suite);
    std::unique_ptr<SrtpCipher> cipher(new SrtpCipher);
    cipher->gcm_ = info.gcm;
    cipher->salt_ = keys.salt;
    const bool done =
        cipher->init_cipher(info.key_bytes, keys.key, direction) && (info.gcm || cipher->init_mac(keys.auth));
    return done ? std::move(cipher) : nullptr;
}

SessionKeys::~SessionKeys() {
    OPENSSL_cleanse(this, sizeof *this);
}

SrtpCipher::~SrtpCipher() {
    OPENSSL_cleanse(salt_.data(), salt_.size());
}

bool SrtpCipher::init_cipher(std::size_t key_bytes, Bytes key, Direction direction) {
    cipher_.reset(EVP_CIPHER_CTX_new());
    const int encrypt = !gcm_ || direction == Direction::protect ? 1 : 0;
    return EVP_CipherInit_ex2(cipher_.get(), fetched_cipher(key_bytes, gcm_), key.data(), nullptr, encrypt,
                              nullptr) == 1;
}

bool SrtpCipher::init_mac(Bytes key) {
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    mac_.reset(EVP_MAC_CTX_new(fetched_hmac()));
    return mac_ != nullptr && EVP_MAC_init(mac_.get(), key.data(), key.size(), params) == 1;
}

bool SrtpCipher::crypt(std::uint32_t ssrc, std::uint64_t index, MutableBytes data) {
    std::array<std::uint8_t, 16> iv{};  // RFC 3711 section 4.1.1
    std::copy(salt_.begin(), salt_.end(), iv.begin());
    xor_big_endian(&iv[4], ssrc, 4);
    xor_big_endian(&iv[8], index, 6);
    int size = 0;
    return EVP_EncryptInit_ex2(cipher_.get(), nullptr, nullptr, iv.data(), nullptr) == 1 &&
           EVP_EncryptUpdate(cipher_.get(), data.data(), &size, data.data(), static_cast<int>(data.size())) ==
               1;
}

bool SrtpCipher::authenticate(Bytes packet, std::uint32_t word, std::span<std::uint8_t, kMaxTag> tag) {
    std::array<std::uint8_t, 4> tail{};
    put_big_endian(tail.data(), word, 4);
    std::size_t size = 0;
    return EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) == 1 &&
           EVP_MAC_update(mac_.get(), packet.data(), packet.size()) == 1 &&
           EVP_MAC_update(mac_.get(), tail.data(), tail.size()) == 1 &&
           EVP_MAC_final(mac_.get(), tag.data(), &size, tag.size()) == 1 && size == tag.size();
}

bool SrtpCipher::begin_gcm(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail) {
    std::array<std::uint8_t, 12> iv{};  // RFC 7714 sections 8.1 and 9.1
    put_big_endian(&iv[2], ssrc, 4);
    put_big_endian(&iv[6], index, 6);
    for (std::size_t i = 0; i < iv.size(); ++i) {
        iv[i] ^= salt_[i];
    }
    int size = 0;
    EVP_CIPHER_CTX* context = cipher_.get();
    return EVP_CipherInit_ex2(context, nullptr, nullptr, iv.data(), -1, nullptr) == 1 &&
           EVP_CipherUpdate(context, nullptr, &size, head.data(), static_cast<int>(head.size())) == 1 &&
           (tail.empty() ||
            EVP_CipherUpdate(context, nullptr, &size, tail.data(), static_cast<int>(tail.size())) == 1);
}

bool SrtpCipher::seal(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
                      std::span<std::uint8_t, 16> tag) {
    int size = 0;
    EVP_CIPHER_CTX* context = cipher_.get();
    return begin_gcm(ssrc, index, head, tail) &&
           (data.empty() ||
            EVP_CipherUpdate(context, data.data(), &size, data.data(), static_cast<int>(data.size())) == 1) &&
           EVP_CipherFinal_ex(context, tag.data(), &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1;
}

bool SrtpCipher::open(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
                      std::span<const std::uint8_t, 16> tag) {
    int size = 0;
    std::array<std::uint8_t, 16> expected{};
    std::copy(tag.begin(), tag.end(), expected.begin());
    EVP_CIPHER_CTX* context = cipher_.get();
    return begin_gcm(ssrc, index, head, tail) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, expected.data()) == 1 &&
           (data.empty() ||
            EVP_CipherUpdate(context, data.data(), &size, data.data(), static_cast<int>(data.size())) == 1) &&
           EVP_CipherFinal_ex(context, expected.data(), &size) == 1;  // OpenSSL compares in constant time
}

}  // namespace vmr::rtp_io
