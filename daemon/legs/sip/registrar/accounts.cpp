#include "daemon/legs/sip/registrar/accounts.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxAliases = 16;

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
               c == '+';
    });
}

DigestAlgorithms algorithms_of(DeviceDigest digest) {
    return digest == DeviceDigest::md5      ? DigestAlgorithms::md5
           : digest == DeviceDigest::sha256 ? DigestAlgorithms::sha256
                                            : DigestAlgorithms::both;
}

}  // namespace

Status Accounts::check(const DeviceAccount& account) const {
    if (!is_name(account.name) || account.aliases.size() > kMaxAliases) {
        return Error{"a device's name has 1 to 64 of a-z 0-9 . _ - +, and it has 16 aliases at most"};
    }
    if (account.ha1_md5.empty() && account.ha1_sha256.empty()) {
        return Error{"device " + account.name + " needs a secret"};
    }
    if (accounts_.size() >= max_devices_ && !accounts_.contains(account.name)) {
        return Error{"too many devices"};
    }
    const auto taken = [&](const std::string& user) {
        const DeviceAccount* owner = owner_of(user);
        return owner != nullptr && owner->name != account.name;
    };
    for (const std::string& alias : account.aliases) {
        if (!is_name(alias)) {
            return Error{"device " + account.name + ": not an alias: " + alias};
        }
        if (taken(alias)) {
            return Error{"device " + account.name + ": another device has the alias " + alias};
        }
    }
    return taken(account.name) ? Status(Error{"another device has the alias " + account.name}) : Ok{};
}

Status Accounts::set(DeviceAccount account, const std::string& secret) {
    account.name = lower(account.name);
    std::ranges::transform(account.aliases, account.aliases.begin(), lower);
    std::erase(account.aliases, account.name);
    const DeviceAccount* known = find(account.name);
    if (!secret.empty()) {
        account.ha1_sha256 = digest_ha1(DigestAlgorithms::sha256, account.name, realm_, secret);
        account.ha1_md5 = digest_ha1(DigestAlgorithms::md5, account.name, realm_, secret);
    } else if (known != nullptr && account.ha1_sha256.empty() && account.ha1_md5.empty()) {
        account.ha1_sha256 = known->ha1_sha256;
        account.ha1_md5 = known->ha1_md5;
    }
    if (const Status good = check(account); !good) {
        return good;
    }
    forget(account.name);
    ++by_digest_[static_cast<std::size_t>(account.digest)];
    for (const std::string& alias : account.aliases) {
        owners_[alias] = account.name;
    }
    std::string name = account.name;
    accounts_[std::move(name)] = std::move(account);
    return Ok{};
}

bool Accounts::remove(const std::string& name) {
    const bool known = accounts_.contains(name);
    forget(name);
    return known;
}

void Accounts::forget(const std::string& name) {
    const auto found = accounts_.find(name);
    if (found == accounts_.end()) {
        return;
    }
    --by_digest_[static_cast<std::size_t>(found->second.digest)];
    for (const std::string& alias : found->second.aliases) {
        owners_.erase(alias);
    }
    accounts_.erase(found);
}

const DeviceAccount* Accounts::find(const std::string& name) const {
    const auto found = accounts_.find(name);
    return found != accounts_.end() ? &found->second : nullptr;
}

const DeviceAccount* Accounts::owner_of(const std::string& user) const {
    const auto alias = owners_.find(user);
    return find(alias != owners_.end() ? alias->second : user);
}

// The kind of challenge would tell whose name exists: nobody's name draws one of those that devices have, and
// always the same, by a keyed hash.
DigestAlgorithms Accounts::algorithms_for(const std::string& user) const {
    const std::string hash = hash_hex("SHA-256", key_ + user);
    if (const DeviceAccount* account = owner_of(user)) {
        return algorithms_of(account->digest);
    }
    if (accounts_.empty()) {
        return DigestAlgorithms::sha256;
    }
    // By a share of all, not a remainder: a device more or less moves few names to another kind.
    const std::uint64_t share = std::stoul(hash.substr(0, 8), nullptr, 16);
    std::size_t drawn = static_cast<std::size_t>((share * accounts_.size()) >> 32U);
    std::size_t kind = 0;
    while (drawn >= by_digest_[kind]) {
        drawn -= by_digest_[kind++];
    }
    return algorithms_of(static_cast<DeviceDigest>(kind));
}

std::optional<std::string> Accounts::ha1_of(const std::string& name, DigestAlgorithms algorithm) const {
    const DeviceAccount* account = find(name);
    if (account == nullptr) {
        return std::nullopt;
    }
    const bool md5 = algorithm == DigestAlgorithms::md5;
    const bool allowed = account->digest != (md5 ? DeviceDigest::sha256 : DeviceDigest::md5);
    const std::string& ha1 = md5 ? account->ha1_md5 : account->ha1_sha256;
    return allowed && !ha1.empty() ? std::optional(ha1) : std::nullopt;
}

bool Accounts::authenticate(const std::string& name, const std::string& secret) const {
    const DeviceAccount* account = find(lower(name));
    const bool md5 = account != nullptr && account->ha1_sha256.empty();
    const std::string given =
        digest_ha1(md5 ? DigestAlgorithms::md5 : DigestAlgorithms::sha256, lower(name), realm_, secret);
    const std::string nobody(given.size(), '0');
    const std::string& kept = account == nullptr ? nobody : md5 ? account->ha1_md5 : account->ha1_sha256;
    return kept.size() == given.size() && CRYPTO_memcmp(kept.data(), given.data(), given.size()) == 0 &&
           account != nullptr && !secret.empty();
}

}  // namespace vmr::sip
