#include "daemon/room/keypad.hpp"

namespace vmr::room {

const char* to_string(KeyCommand command) {
    switch (command) {
        case KeyCommand::hand:
            return "hand";
        case KeyCommand::mute_guests:
            return "mute_guests";
        case KeyCommand::self_mute:
            return "self_mute";
        case KeyCommand::lock:
            return "lock";
        case KeyCommand::layout:
            return "layout";
        case KeyCommand::who_waits:
            return "who_waits";
        case KeyCommand::help:
            return "help";
        case KeyCommand::who_is_here:
            return "who_is_here";
        case KeyCommand::ask_end:
            return "ask_end";
        case KeyCommand::end:
            return "end";
        case KeyCommand::cancel_end:
            return "cancel_end";
        case KeyCommand::list_admit:
            return "list_admit";
        case KeyCommand::list_refuse:
            return "list_refuse";
        case KeyCommand::list_next:
            return "list_next";
        case KeyCommand::word:
            return "word";
    }
    return "unknown";
}

void KeyPad::expect(Prefix prefix, TimePoint now, Duration time) {
    prefix_ = prefix;
    prefix_until_ = now + time;
}

void KeyPad::open(List list, TimePoint now) {
    list_ = list;
    list_until_ = now + kListTimeout;
}

std::optional<KeyPress> KeyPad::press(char key, TimePoint now) {
    const Prefix prefix = now < prefix_until_ ? prefix_ : Prefix::none;
    prefix_ = Prefix::none;
    if (list(now) != List::none) {
        list_until_ = now + kListTimeout;
    }
    switch (prefix) {
        case Prefix::none:
            return fresh(key, now);
        case Prefix::star:
            if (key == '*') {
                expect(Prefix::star_star, now, kNextKey);
                return std::nullopt;
            }
            return starred(key, now);
        case Prefix::star_star:
            if (key == '1') {
                return KeyPress{KeyCommand::who_is_here};
            }
            if (key == '*') {
                expect(Prefix::star_star, now, kNextKey);
                return std::nullopt;
            }
            return starred(key, now);  // the first star was left over
        case Prefix::hash:
            if (key == '#') {
                expect(Prefix::confirm_end, now, kConfirm);
                return KeyPress{KeyCommand::ask_end};
            }
            return fresh(key, now);
        case Prefix::confirm_end:
            if (key == '#') {
                return KeyPress{KeyCommand::end};
            }
            fresh(key, now);  // may begin a command; a list's key it is not
            return KeyPress{KeyCommand::cancel_end};
        case Prefix::word:
            if ((key >= '4' && key <= '9') || key == '0') {
                return KeyPress{KeyCommand::word, key};
            }
            return fresh(key, now);
    }
    return std::nullopt;
}

std::optional<KeyPress> KeyPad::fresh(char key, TimePoint now) {
    if (key == '*' || key == '#') {
        expect(key == '*' ? Prefix::star : Prefix::hash, now, kNextKey);
        return std::nullopt;
    }
    const List open = list(now);
    if (open == List::people && key == '1') {
        expect(Prefix::word, now, kNextKey);
        return std::nullopt;
    }
    if (open == List::waiting && key == '1') {
        return KeyPress{KeyCommand::list_admit};
    }
    if (open == List::waiting && key == '2') {
        return KeyPress{KeyCommand::list_refuse};
    }
    if (open != List::none && key == '3') {
        return KeyPress{KeyCommand::list_next};
    }
    return std::nullopt;
}

std::optional<KeyPress> KeyPad::starred(char key, TimePoint now) {
    switch (key) {
        case '4':
            return KeyPress{KeyCommand::hand};
        case '5':
            return KeyPress{KeyCommand::mute_guests};
        case '6':
            return KeyPress{KeyCommand::self_mute};
        case '7':
            return KeyPress{KeyCommand::lock};
        case '8':
            return KeyPress{KeyCommand::layout};
        case '9':
            return KeyPress{KeyCommand::who_waits};
        case '0':
            return KeyPress{KeyCommand::help};
        case '#':
            expect(Prefix::hash, now, kNextKey);
            return std::nullopt;
        default:
            return std::nullopt;  // 1, 2, 3: "*9" and a list's key, with the 9 lost
    }
}

}  // namespace vmr::room
