#include "daemon/api/token_store.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

namespace vmr::api {

namespace {

constexpr std::size_t kTokenBytes = 32;     // 256 bits
constexpr std::size_t kLongestToken = 256;  // characters; what is longer is not ours

std::array<std::uint8_t, 32> digest_of(std::string_view token) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(token.data()), token.size());
    return digest;
}

std::string random_token() {
    std::array<unsigned char, kTokenBytes> bytes{};
    char text[sodium_base64_ENCODED_LEN(kTokenBytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    do {
        randombytes_buf(bytes.data(), bytes.size());
        sodium_bin2base64(text, sizeof text, bytes.data(), bytes.size(),
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    } while (text[0] == '-');  // a command would take it for an option
    sodium_memzero(bytes.data(), bytes.size());
    return text;
}

}  // namespace

TokenStore::TokenStore(Clock clock, std::size_t max_tokens)
    : clock_(std::move(clock)), max_tokens_(max_tokens) {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium has no random source");
    }
}

std::optional<TokenStore::Issued> TokenStore::add(Entry entry, Seconds lifetime) {
    if (entries_.size() >= max_tokens_) {
        drop_expired();
    }
    if (entries_.size() >= max_tokens_) {
        return std::nullopt;
    }
    Issued issued{random_token(), clock_() + lifetime};
    entry.digest = digest_of(issued.token);
    entry.expires = std::make_shared<const Clock::result_type>(issued.expires);
    entries_.push_back(std::move(entry));
    return issued;
}

std::optional<TokenStore::Issued> TokenStore::issue(const Caller& caller, Seconds lifetime) {
    return add(Entry{{}, caller, {}, false}, lifetime);
}

std::optional<TokenStore::Issued> TokenStore::issue_one_time_admin(Seconds lifetime) {
    Caller admin;
    admin.kind = Caller::Kind::admin;
    return add(Entry{{}, admin, {}, true}, lifetime);
}

// The search goes over digests, each compared in constant time: what time tells of a SHA-256
// does not help to find a token.
TokenStore::Entry* TokenStore::lookup(std::string_view token, bool one_time) {
    if (token.empty() || token.size() > kLongestToken) {
        return nullptr;
    }
    const Digest digest = digest_of(token);
    const auto now = clock_();
    for (Entry& entry : entries_) {
        if (sodium_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) {
            return entry.one_time == one_time && *entry.expires > now ? &entry : nullptr;
        }
    }
    return nullptr;
}

std::optional<Caller> TokenStore::find(std::string_view token) {
    const Entry* entry = lookup(token, false);
    return entry != nullptr ? std::optional(entry->caller) : std::nullopt;
}

TokenStore::Lease TokenStore::lease(std::string_view token) {
    const Entry* entry = lookup(token, false);
    return entry != nullptr ? Lease(entry->expires) : Lease();
}

bool TokenStore::is_valid(const Lease& lease) const {
    const auto expires = lease.lock();
    return expires && *expires > clock_();
}

std::optional<TokenStore::Issued> TokenStore::redeem(std::string_view one_time, Seconds session_lifetime) {
    Entry* entry = lookup(one_time, true);
    if (entry == nullptr) {
        return std::nullopt;
    }
    const Caller caller = entry->caller;
    entries_.erase(entries_.begin() + (entry - entries_.data()));
    return issue(caller, session_lifetime);
}

void TokenStore::set_admin_bearer(std::string_view token) {
    Entry entry;
    entry.digest = digest_of(token);
    entry.caller.kind = Caller::Kind::admin;
    entry.expires = std::make_shared<const Clock::result_type>(Clock::result_type::max());
    entry.permanent = true;
    entries_.push_back(std::move(entry));
}

template <typename Condition>
void TokenStore::revoke_if(Condition condition) {
    if (std::erase_if(entries_, condition) > 0 && on_revoked_) {
        on_revoked_();
    }
}

bool TokenStore::revoke(std::string_view token) {
    const Digest digest = digest_of(token);
    bool is_permanent = false;
    revoke_if([&](const Entry& entry) {
        const bool meant = sodium_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0;
        is_permanent = is_permanent || (meant && entry.permanent);
        return meant && !entry.permanent;
    });
    return !is_permanent;
}

void TokenStore::revoke_participant(std::string_view room, std::string_view participant) {
    revoke_if([&](const Entry& entry) {
        return entry.caller.kind == Caller::Kind::participant && entry.caller.room == room &&
               entry.caller.participant == participant;
    });
}

void TokenStore::drop_expired() {
    const auto now = clock_();
    std::erase_if(entries_, [&](const Entry& entry) { return *entry.expires <= now; });
}

}  // namespace vmr::api
