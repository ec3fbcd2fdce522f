// Strangers' calls that nobody has let in yet: at the doors of all rooms and at the reception together, so
// that a full door does not tell a name that exists from one that does not. Counted by source, and by source
// and name as a room counts those at its door. Control thread only.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace vmr::bridge {

class Doorstep {
public:
    static constexpr std::size_t kMaxCallers = 500;
    static constexpr std::size_t kMaxOfSource = 60;
    static constexpr std::size_t kMaxOfSourceAndName = 20;  // room::RoomConfig::max_at_door_per_source

    // False: there is no place.
    bool enter(const std::string& leg, const std::string& source, const std::string& name) {
        const Keys keys{source, source + " " + name};
        if (callers_.size() >= kMaxCallers || count(keys[0]) >= kMaxOfSource ||
            count(keys[1]) >= kMaxOfSourceAndName || !callers_.emplace(leg, keys).second) {
            return false;
        }
        for (const std::string& key : keys) {
            ++counts_[key];
        }
        return true;
    }
    // Let in, or gone.
    void leave(const std::string& leg) {
        const auto caller = callers_.extract(leg);
        if (!caller) {
            return;
        }
        for (const std::string& key : caller.mapped()) {
            if (--counts_[key] == 0) {
                counts_.erase(key);
            }
        }
    }
    std::size_t size() const { return callers_.size(); }

private:
    using Keys = std::array<std::string, 2>;
    std::size_t count(const std::string& key) const {
        const auto found = counts_.find(key);
        return found != counts_.end() ? found->second : 0;
    }
    std::unordered_map<std::string, Keys> callers_;  // by leg
    std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace vmr::bridge
