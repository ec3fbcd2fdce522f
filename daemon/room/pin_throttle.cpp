#include "daemon/room/pin_throttle.hpp"

#include <algorithm>

#include "base/source_network.hpp"

namespace vmr::room {

std::string PinThrottle::source_key(const std::string& address, const std::string& trunk) {
    return source_name(source_network(address), trunk);
}

std::string PinThrottle::source_name(const std::string& address, const std::string& trunk) {
    return trunk.empty() ? address : trunk + "|" + address;
}

void PinThrottle::forget_before(Window& window, TimePoint now) const {
    while (!window.empty() && window.front() + limits_.window <= now) {
        window.pop_front();
    }
}

// Drops what has run out; if that is not enough, the source whose latest guess is the oldest.
void PinThrottle::bound(std::map<std::string, Window>& windows, TimePoint now) {
    if (windows.size() <= limits_.max_keys) {
        return;
    }
    std::erase_if(windows, [&](const auto& entry) { return entry.second.back() + limits_.window <= now; });
    while (windows.size() > limits_.max_keys) {
        windows.erase(std::min_element(windows.begin(), windows.end(), [](const auto& a, const auto& b) {
            return a.second.back() < b.second.back();
        }));
    }
}

bool PinThrottle::begin(const std::string& source, TimePoint now) {
    Window& window = sources_[source];
    forget_before(window, now);
    if (window.size() >= limits_.per_source) {
        return false;
    }
    window.push_back(now);
    bound(sources_, now);
    return true;
}

TimePoint PinThrottle::free_at(const std::string& source, TimePoint now) const {
    const auto found = sources_.find(source);
    if (found == sources_.end() || found->second.size() < limits_.per_source) {
        return now;
    }
    return std::max(now, found->second[found->second.size() - limits_.per_source] + limits_.window);
}

void PinThrottle::succeeded(const std::string& source, TimePoint begun) {
    const auto found = sources_.find(source);
    if (found == sources_.end()) {
        return;
    }
    Window& window = found->second;
    if (const auto slot = std::find(window.begin(), window.end(), begun); slot != window.end()) {
        window.erase(slot);
    }
    if (window.empty()) {
        sources_.erase(found);
    }
}

void PinThrottle::failed(const std::string& room, TimePoint now) {
    Window& window = rooms_[room];
    forget_before(window, now);
    window.push_back(now);
    // What counts beyond the longest delay need not be remembered.
    if (window.size() > std::size_t{limits_.room_attack} * 8) {
        window.pop_front();
    }
    bound(rooms_, now);
}

Duration PinThrottle::guest_delay(const std::string& room, TimePoint now) const {
    const auto found = rooms_.find(room);
    if (found == rooms_.end() || limits_.room_attack == 0) {
        return Duration{0};
    }
    const auto recent = std::count_if(found->second.begin(), found->second.end(),
                                      [&](TimePoint at) { return at + limits_.window > now; });
    const auto times = static_cast<std::uint64_t>(recent) / limits_.room_attack;
    if (times == 0) {
        return Duration{0};
    }
    return std::min(limits_.guest_delay_max,
                    Duration(limits_.guest_delay.count() * (1LL << std::min<std::uint64_t>(times - 1, 16))));
}

}  // namespace vmr::room
