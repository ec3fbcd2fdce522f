// What people write (rule 15). Who reads it are those in the room at that moment, no others; nothing is kept.
#include "daemon/room/chat.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "daemon/room/core.hpp"

namespace vmr::room {

bool is_chat_text(std::string_view text) {
    if (text.empty() || text.size() > kMaxText || !is_utf8(text)) {
        return false;
    }
    bool blank = true;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        const bool c1 = c == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;  // U+0080 to U+009F
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c1) {
            return false;
        }
        blank = blank && (c == ' ' || c == '\n' || c == '\t');
    }
    return !blank;
}

bool RateWindow::has_room(TimePoint now, std::size_t most) {
    while (!at_.empty() && at_.front() + kChatWindow <= now) {
        at_.pop_front();
    }
    return at_.size() < most;
}

Core::Result Core::apply(const AllowChat& action) {
    chat_allowed_ = action.allowed;
    return {};
}

Core::Result Core::apply(const Say& action) {
    if (!is_chat_text(action.text)) {
        return {Outcome::invalid, "a message has 1 to 2000 bytes of UTF-8 and no control characters"};
    }
    if (count(State::in_room) == 0) {
        return {Outcome::conflict, "the room is empty"};
    }
    Seat* seat = find(acting_);
    if (seat == nullptr) {
        emit(Said{{}, config.title, action.text});
        return {};
    }
    const bool guest = seat->p.role == Role::guest;
    if (!seat->said.has_room(now_, kMaxSaid)) {
        return {Outcome::too_many, "at most 10 messages in 10 seconds"};
    }
    if (guest && !said_.has_room(now_, kMaxSaidByGuests)) {
        return {Outcome::too_many, "too many messages in this room, try again in a few seconds"};
    }
    seat->said.add(now_);
    if (guest) {
        said_.add(now_);
    }
    emit(Said{seat->p.id, seat->p.name, action.text});
    return {};
}

}  // namespace vmr::room
