// Calls without an ACK yet, counted in all and by source, found by their INVITE: what a flood makes many of.
// Pure. A call that got its ACK leaves with the next prune(); its INVITE is known a while longer. Where there
// are too many the one that has waited longest gives way, as in a TCP stack's SYN cache.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "daemon/legs/sip/dialog/transaction.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

class HalfOpen {
public:
    enum class Stage { half_open, answered, over };
    static constexpr std::size_t kMaxAnswered = 10000;  // 64 bytes each; the oldest gives way
    static constexpr std::int64_t kAckWait = 1000;      // ms; who is there acknowledges within a round trip
    struct Caller {
        bool proven = false;  // its source is no forgery
        bool known = false;   // proven, or it says that it is somebody whom we know
        int rank = 0;         // of its precedence
    };

    // `call` is the call's key, `source` its source_of(). A call that is over and not pruned yet gives its
    // place to one of the same identifiers, which the caller may choose.
    void add(const Message& invite, const std::string& call, const std::string& source, const Caller& caller,
             std::int64_t now) {
        const auto [entry, fresh] = entries_.try_emplace(id(invite));
        if (!fresh) {
            leave(entry->second.source);
        }
        entry->second = {call, source, caller, now};
        ++by_source_[source];
    }
    // The call that this INVITE began by another way (RFC 3261 section 8.2.2.2), or null.
    const std::string* find(const Message& invite) const {
        const auto found = entries_.find(id(invite));
        return found != entries_.end() ? &found->second.call : nullptr;
    }
    // It began one that has been answered not long ago: as long as the first copy's transaction may last.
    bool was_answered(const Message& invite, std::int64_t now) {
        forget_answered(now);
        return answered_.contains(hash_hex("SHA-256", id(invite)));
    }
    // The key of the call that ends for a new one, or null: the oldest whose address may be forged, at once
    // for one of somebody known, else when it has waited long enough; where there is none, the oldest that
    // has and is of no higher precedence.
    const std::string* gives_way_to(const Caller& caller, std::int64_t now) const {
        const Entry* oldest = nullptr;
        for (const auto& [invite, call] : entries_) {
            const bool outranks = call.caller.proven && call.caller.rank > caller.rank;
            if (!outranks && (oldest == nullptr || call.goes_before(*oldest))) {
                oldest = &call;
            }
        }
        const bool may = oldest != nullptr &&
                         ((caller.known && !oldest->caller.proven) || now - oldest->since >= kAckWait);
        return may ? &oldest->call : nullptr;
    }
    std::size_t size() const { return entries_.size(); }
    std::size_t of(const std::string& source) const {
        const auto found = by_source_.find(source);
        return found != by_source_.end() ? found->second : 0;
    }
    // Keeps those whose call is half-open as `stage_of(key)` says.
    template <typename StageOf>
    void prune(StageOf&& stage_of, std::int64_t now) {
        forget_answered(now);
        std::erase_if(entries_, [&](const auto& entry) {
            const Entry& call = entry.second;
            const Stage stage = stage_of(call.call);
            if (stage == Stage::half_open) {
                return false;
            }
            if (stage == Stage::answered) {
                keep_answered(hash_hex("SHA-256", entry.first), now);
            }
            leave(call.source);
            return true;
        });
    }

private:
    struct Entry {
        std::string call, source;
        Caller caller;
        std::int64_t since = 0;  // ms
        bool goes_before(const Entry& other) const {
            return caller.proven == other.caller.proven ? since < other.since : other.caller.proven;
        }
    };
    void leave(const std::string& source) {
        const auto found = by_source_.find(source);
        if (--found->second == 0) {
            by_source_.erase(found);
        }
    }
    void keep_answered(std::string invite, std::int64_t now) {
        if (answered_.size() >= kMaxAnswered) {
            forget_oldest();
        }
        if (answered_.insert(invite).second) {
            oldest_.push_back({std::move(invite), now + kTimeout});
        }
    }
    void forget_oldest() {
        answered_.erase(oldest_.front().invite);
        oldest_.pop_front();
    }
    void forget_answered(std::int64_t now) {
        while (!oldest_.empty() && now >= oldest_.front().until) {
            forget_oldest();
        }
    }
    static std::string id(const Message& invite) {
        return std::to_string(invite.cseq) + "|" + invite.from.tag + "|" + invite.call_id;
    }
    struct Answered {
        std::string invite;
        std::int64_t until = 0;  // ms
    };
    std::unordered_map<std::string, Entry> entries_;
    std::unordered_map<std::string, std::size_t> by_source_;
    std::unordered_set<std::string> answered_;  // hashes: a Call-ID may be long
    std::deque<Answered> oldest_;               // of them, first
};

}  // namespace vmr::sip
