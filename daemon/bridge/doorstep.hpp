// Strangers' calls that nobody has let in yet: at the doors of all rooms and at the reception together, so
// that a full door does not tell a name that exists from one that does not. Counted by source. Control thread
// only.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

namespace vmr::bridge {

class Doorstep {
public:
    static constexpr std::size_t kMaxCallers = 500;
    static constexpr std::size_t kMaxOfSource = 20;

    // False: there is no place.
    bool enter(const std::string& leg, const std::string& source) {
        if (callers_.size() >= kMaxCallers || of(source) >= kMaxOfSource || callers_.contains(leg)) {
            return false;
        }
        callers_.emplace(leg, source);
        ++by_source_[source];
        return true;
    }
    // Let in, or gone.
    void leave(const std::string& leg) {
        const auto caller = callers_.extract(leg);
        if (caller && --by_source_[caller.mapped()] == 0) {
            by_source_.erase(caller.mapped());
        }
    }
    std::size_t size() const { return callers_.size(); }
    std::size_t of(const std::string& source) const {
        const auto found = by_source_.find(source);
        return found != by_source_.end() ? found->second : 0;
    }

private:
    std::unordered_map<std::string, std::string> callers_;  // source by leg
    std::unordered_map<std::string, std::size_t> by_source_;
};

}  // namespace vmr::bridge
