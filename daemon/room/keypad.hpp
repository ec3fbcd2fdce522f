// KeyPad: one participant's keys in the room, from single presses to commands. Pure.
//
// Safe against one lost digit: every command has two keys or more, of which the second is 4-9 or 0, while
// what a list asks for is 1, 2 or 3. So "*4" without its star is a 4, which means nothing anywhere; without
// its 4 it is a star, which the next command replaces; and "*9" then "1" without the 9 is "*1", which is no
// command. In the list of people a command is 1 and then 4-9 or 0: without either key it is nothing again.
#pragma once
#include <optional>

#include "daemon/room/types.hpp"

namespace vmr::room {

enum class KeyCommand {
    hand,         // *4
    mute_guests,  // *5
    self_mute,    // *6
    lock,         // *7
    layout,       // *8
    who_waits,    // *9
    help,         // *0
    who_is_here,  // **1
    ask_end,      // ##
    end,          // ## #
    cancel_end,   // ## and then another key
    list_admit,   // 1 in the list of *9
    list_refuse,  // 2
    list_next,    // 3 in either list
    word,         // 1 and then 4-9 or 0 in the list of **1: see KeyPress::digit
};
const char* to_string(KeyCommand);

struct KeyPress {
    KeyCommand command;
    char digit = 0;
};

class KeyPad {
public:
    enum class List { none, waiting, people };

    std::optional<KeyPress> press(char key, TimePoint now);
    // The list that 1, 2, 3 are about. It closes by itself after kListTimeout without a key.
    void open(List list, TimePoint now);
    List list(TimePoint now) const { return now < list_until_ ? list_ : List::none; }
    void reset() { *this = KeyPad(); }

    static constexpr Duration kNextKey = std::chrono::seconds(3);  // between the keys of one command
    static constexpr Duration kListTimeout = std::chrono::seconds(30);
    static constexpr Duration kConfirm = std::chrono::seconds(10);

private:
    enum class Prefix { none, star, star_star, hash, confirm_end, word };
    std::optional<KeyPress> fresh(char key, TimePoint now);
    std::optional<KeyPress> starred(char key, TimePoint now);
    void expect(Prefix prefix, TimePoint now, Duration time);

    Prefix prefix_ = Prefix::none;
    TimePoint prefix_until_{};
    List list_ = List::none;
    TimePoint list_until_{};
};

}  // namespace vmr::room
