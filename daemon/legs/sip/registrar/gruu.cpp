#include "daemon/legs/sip/registrar/gruu.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace vmr::sip {
namespace {

constexpr std::string_view kUser = "tgruu.";
using Block = std::array<unsigned char, 16>;  // id, number

void fill(unsigned char* bytes, std::size_t size) {
    if (RAND_bytes(bytes, static_cast<int>(size)) != 1) {
        throw std::runtime_error("no randomness");
    }
}

// One block, never the same plain text twice: AES by itself is what is wanted of it.
Block crypt(const std::array<unsigned char, 32>& key, const Block& block, bool seal) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                  EVP_CIPHER_CTX_free);
    Block done{};
    int size = 0;
    if (!context ||
        EVP_CipherInit_ex(context.get(), EVP_aes_256_ecb(), nullptr, key.data(), nullptr, seal ? 1 : 0) !=
            1 ||
        EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
        EVP_CipherUpdate(context.get(), done.data(), &size, block.data(), static_cast<int>(block.size())) !=
            1 ||
        size != static_cast<int>(block.size())) {
        throw std::runtime_error("no cipher");
    }
    return done;
}

int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

// RFC 3261 section 25.1: paramchar, without escapes.
std::string gruu_value(std::string_view instance) {
    if (instance.size() < 3 || instance.front() != '<' || instance.back() != '>') {
        return {};
    }
    const std::string_view urn = instance.substr(1, instance.size() - 2);
    const bool fits = std::ranges::all_of(urn, [](unsigned char c) {
        return (c < 0x80 && std::isalnum(c) != 0) ||
               std::string_view("-_.!~*'()[]/:&+$").find(static_cast<char>(c)) != std::string_view::npos;
    });
    return fits ? std::string(urn) : std::string();
}

TempGruus::TempGruus() {
    fill(key_.data(), key_.size());
}

std::uint64_t TempGruus::new_id() {
    std::uint64_t id = 0;
    fill(reinterpret_cast<unsigned char*>(&id), sizeof id);
    return id;
}

std::string TempGruus::make(std::uint64_t id) {
    ++made_;
    Block block{};
    std::memcpy(block.data(), &id, sizeof id);
    std::memcpy(block.data() + sizeof id, &made_, sizeof made_);
    std::string text(kUser);
    for (const unsigned char byte : crypt(key_, block, true)) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

std::optional<std::uint64_t> TempGruus::id_of(std::string_view user) const {
    Block block{};
    if (!user.starts_with(kUser) || user.size() != kUser.size() + 2 * block.size()) {
        return std::nullopt;
    }
    for (std::size_t index = 0; index < block.size(); ++index) {
        const int high = digit(user[kUser.size() + 2 * index]);
        const int low = digit(user[kUser.size() + 2 * index + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        block[index] = static_cast<unsigned char>(high * 16 + low);
    }
    const Block opened = crypt(key_, block, false);
    std::uint64_t id = 0;
    std::memcpy(&id, opened.data(), sizeof id);
    return id;
}

}  // namespace vmr::sip
