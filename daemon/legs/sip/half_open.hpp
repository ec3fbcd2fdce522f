// Calls without an ACK yet, counted in all and by source, found by their INVITE: what a flood makes many of.
// Pure. A call that got its ACK leaves with the next prune().
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

class HalfOpen {
public:
    // `call` is the call's key, `source` what its address counts as. A call that is over and not pruned yet
    // gives its place to one of the same identifiers, which the caller may choose.
    void add(const Message& invite, const std::string& call, const std::string& source) {
        const auto [entry, fresh] = entries_.try_emplace(id(invite));
        if (!fresh) {
            leave(entry->second.source);
        }
        entry->second = {call, source};
        ++by_source_[source];
    }
    // The call that this INVITE began by another way (RFC 3261 section 8.2.2.2), or null.
    const std::string* find(const Message& invite) const {
        const auto found = entries_.find(id(invite));
        return found != entries_.end() ? &found->second.call : nullptr;
    }
    std::size_t size() const { return entries_.size(); }
    std::size_t of(const std::string& source) const {
        const auto found = by_source_.find(source);
        return found != by_source_.end() ? found->second : 0;
    }
    // Keeps those of whose call `still(key)` holds.
    template <typename Still>
    void prune(Still&& still) {
        std::erase_if(entries_, [&](const auto& entry) {
            const Entry& call = entry.second;
            if (still(call.call)) {
                return false;
            }
            leave(call.source);
            return true;
        });
    }

private:
    struct Entry {
        std::string call, source;
    };
    void leave(const std::string& source) {
        const auto found = by_source_.find(source);
        if (--found->second == 0) {
            by_source_.erase(found);
        }
    }
    static std::string id(const Message& invite) {
        return std::to_string(invite.cseq) + "|" + invite.from.tag + "|" + invite.call_id;
    }
    std::unordered_map<std::string, Entry> entries_;
    std::unordered_map<std::string, std::size_t> by_source_;
};

}  // namespace vmr::sip
