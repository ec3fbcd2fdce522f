// What may be written in a room, and how often.
#pragma once
#include <deque>
#include <string_view>

#include "daemon/room/types.hpp"

namespace vmr::room {

constexpr std::size_t kMaxText = 2000;  // bytes
constexpr Duration kChatWindow = std::chrono::seconds(10);
constexpr std::size_t kMaxSaid = 10;          // in the window, by one participant
constexpr std::size_t kMaxSaidByGuests = 60;  // ... by all guests: each goes to everybody

// 1 to 2000 bytes of UTF-8, not all blank, no control characters but newline and tab.
bool is_chat_text(std::string_view text);

// At most so many in the window.
class RateWindow {
public:
    bool has_room(TimePoint now, std::size_t most);
    void add(TimePoint now) { at_.push_back(now); }

private:
    std::deque<TimePoint> at_;
};

}  // namespace vmr::room
