#include "srtp/cipher.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace vmr::srtp {
namespace {

enum Mode { kCounter128, kCounter256, kSeal128, kSeal256, kOpen128, kOpen256, kModes };

Mode mode_of(std::size_t key_bytes, Mode mode_128) {
    return static_cast<Mode>(mode_128 + (key_bytes == 32 ? 1 : 0));
}

// A thread's OpenSSL contexts: one for each mode that it met, set to a leg's key for each packet.
class Contexts {
public:
    static Contexts& of_thread() {
        thread_local Contexts contexts;
        return contexts;
    }

    // Null: OpenSSL refused.
    EVP_CIPHER_CTX* cipher(Mode mode, const std::uint8_t* key, const std::uint8_t* iv) {
        if (!ciphers_[mode]) {
            ciphers_[mode] = make(mode);
        }
        EVP_CIPHER_CTX* context = ciphers_[mode].get();
        return context != nullptr && EVP_CipherInit_ex2(context, nullptr, key, iv, -1, nullptr) == 1
                   ? context
                   : nullptr;
    }

    // SHA-1 of a block of 64 bytes and what follows.
    bool digest(Bytes block, Bytes first, Bytes second, std::uint8_t* out) {
        if (!digest_) {
            const std::unique_ptr<EVP_MD, DigestFree> sha1(EVP_MD_fetch(nullptr, "SHA1", nullptr));
            digest_.reset(EVP_MD_CTX_new());
            if (EVP_DigestInit_ex2(digest_.get(), sha1.get(), nullptr) != 1) {
                digest_.reset();
                return false;
            }
        }
        EVP_MD_CTX* context = digest_.get();
        return EVP_DigestInit_ex2(context, nullptr, nullptr) == 1 &&
               EVP_DigestUpdate(context, block.data(), block.size()) == 1 &&
               EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
               (second.empty() || EVP_DigestUpdate(context, second.data(), second.size()) == 1) &&
               EVP_DigestFinal_ex(context, out, nullptr) == 1;
    }

private:
    struct CipherFree {
        void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
        void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    };
    struct DigestFree {
        void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    using Context = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

    static Context make(Mode mode) {
        constexpr const char* kNames[kModes] = {"AES-128-CTR", "AES-256-CTR", "AES-128-GCM",
                                                "AES-256-GCM", "AES-128-GCM", "AES-256-GCM"};
        const std::unique_ptr<EVP_CIPHER, CipherFree> cipher(
            EVP_CIPHER_fetch(nullptr, kNames[mode], nullptr));
        Context context(EVP_CIPHER_CTX_new());
        const int encrypts = mode >= kOpen128 ? 0 : 1;
        const bool made =
            cipher && context &&
            EVP_CipherInit_ex2(context.get(), cipher.get(), nullptr, nullptr, encrypts, nullptr) == 1;
        return made ? std::move(context) : nullptr;
    }

    std::array<Context, kModes> ciphers_;
    std::unique_ptr<EVP_MD_CTX, DigestFree> digest_;
};

bool update(EVP_CIPHER_CTX* context, std::uint8_t* out, Bytes in) {
    int size = 0;
    return in.empty() || EVP_CipherUpdate(context, out, &size, in.data(), static_cast<int>(in.size())) == 1;
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
    EVP_CIPHER_CTX* context =
        Contexts::of_thread().cipher(mode_of(master_key.size(), kCounter128), master_key.data(), iv.data());
    return context != nullptr && update(context, key.data(), key);
}

std::optional<Cipher> Cipher::make(Suite suite, Bytes master, Protocol protocol) {
    const SuiteInfo& info = info_of(suite);
    if (info.key_bytes == 0 || master.size() != info.key_bytes + info.salt_bytes) {
        return std::nullopt;
    }
    const Bytes master_key = master.first(info.key_bytes);
    const Bytes master_salt = master.last(info.salt_bytes);
    const std::uint8_t base = protocol == Protocol::rtcp ? kRtcpOffset : 0;
    SessionKeys keys;
    const bool derived =
        derive_key(master_key, master_salt, base + kEncryption, {keys.key.data(), info.key_bytes}) &&
        derive_key(master_key, master_salt, base + kSalting, {keys.salt.data(), info.salt_bytes}) &&
        derive_key(master_key, master_salt, base + kAuthentication, keys.auth);
    return derived ? std::optional(Cipher(suite, keys)) : std::nullopt;
}

SessionKeys::~SessionKeys() {
    OPENSSL_cleanse(this, sizeof *this);
}

bool Cipher::crypt(std::uint32_t ssrc, std::uint64_t index, MutableBytes data) const {
    std::array<std::uint8_t, 16> iv{};  // RFC 3711 section 4.1.1
    std::copy(keys_.salt.begin(), keys_.salt.end(), iv.begin());
    xor_big_endian(&iv[4], ssrc, 4);
    xor_big_endian(&iv[8], index, 6);
    EVP_CIPHER_CTX* context = Contexts::of_thread().cipher(mode_of(info_of(suite_).key_bytes, kCounter128),
                                                           keys_.key.data(), iv.data());
    return context != nullptr && update(context, data.data(), data);
}

// RFC 2104, with the pads made on the way.
bool Cipher::authenticate(Bytes packet, std::uint32_t word, std::span<std::uint8_t, kMaxTag> tag) const {
    std::array<std::uint8_t, 4> tail{};
    put_big_endian(tail.data(), word, 4);
    std::array<std::uint8_t, 64> inner{}, outer{};
    inner.fill(0x36);
    outer.fill(0x5c);
    for (std::size_t i = 0; i < keys_.auth.size(); ++i) {
        inner[i] ^= keys_.auth[i];
        outer[i] ^= keys_.auth[i];
    }
    Contexts& contexts = Contexts::of_thread();
    return contexts.digest(inner, packet, tail, tag.data()) && contexts.digest(outer, tag, {}, tag.data());
}

std::array<std::uint8_t, 12> Cipher::gcm_iv(std::uint32_t ssrc, std::uint64_t index) const {
    std::array<std::uint8_t, 12> iv{};  // RFC 7714 sections 8.1 and 9.1
    put_big_endian(&iv[2], ssrc, 4);
    put_big_endian(&iv[6], index, 6);
    for (std::size_t i = 0; i < iv.size(); ++i) {
        iv[i] ^= keys_.salt[i];
    }
    return iv;
}

bool Cipher::seal(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
                  std::span<std::uint8_t, 16> tag) const {
    int size = 0;
    EVP_CIPHER_CTX* context = Contexts::of_thread().cipher(mode_of(info_of(suite_).key_bytes, kSeal128),
                                                           keys_.key.data(), gcm_iv(ssrc, index).data());
    return context != nullptr && update(context, nullptr, head) && update(context, nullptr, tail) &&
           update(context, data.data(), data) && EVP_CipherFinal_ex(context, tag.data(), &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1;
}

bool Cipher::open(std::uint32_t ssrc, std::uint64_t index, Bytes head, Bytes tail, MutableBytes data,
                  std::span<const std::uint8_t, 16> tag) const {
    int size = 0;
    std::array<std::uint8_t, 16> expected{};
    std::copy(tag.begin(), tag.end(), expected.begin());
    EVP_CIPHER_CTX* context = Contexts::of_thread().cipher(mode_of(info_of(suite_).key_bytes, kOpen128),
                                                           keys_.key.data(), gcm_iv(ssrc, index).data());
    return context != nullptr &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, expected.data()) == 1 &&
           update(context, nullptr, head) && update(context, nullptr, tail) &&
           update(context, data.data(), data) &&
           EVP_CipherFinal_ex(context, expected.data(), &size) == 1;  // OpenSSL compares in constant time
}

}  // namespace vmr::srtp
