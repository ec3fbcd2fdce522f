#include "daemon/bridge/prompts.hpp"

#include <map>

namespace vmr::bridge {
namespace {

using room::Prompt;

struct Wording {
    const char* text;       // "{name}" is replaced by the parameter
    const char* recording;  // a file of the prompts folder without its ending
};

const std::map<Prompt, Wording>& wordings() {
    static const std::map<Prompt, Wording> wordings{
        {Prompt::joined, {"{name} joined", "confbridge-join"}},
        {Prompt::left_room, {"{name} left", "confbridge-leave"}},
        {Prompt::locked, {"The meeting is locked", "conf-lockednow"}},
        {Prompt::unlocked, {"The meeting is unlocked", "conf-unlockednow"}},
        {Prompt::recording_started, {"Recording started", "conf-now-recording"}},
        {Prompt::recording_stopped, {"Recording stopped", "beep"}},
        {Prompt::encrypted_again, {"All connections are encrypted", "beep"}},
        {Prompt::unencrypted, {"A participant is not encrypted", "beeperr"}},
        {Prompt::waiting, {"{name} is waiting in the lobby", "beep"}},
        {Prompt::waiting_item, {"{name} is waiting: 1 admit, 2 refuse, 3 next", "beep"}},
        {Prompt::nobody_waits, {"Nobody is waiting", "beeperr"}},
        {Prompt::admitted, {"{name} was admitted", "beep"}},
        {Prompt::refused, {"{name} was refused", "beep"}},
        {Prompt::person_item, {"{name}", "beep"}},
        {Prompt::hand_raised, {"{name} raised a hand", "beep"}},
        {Prompt::you_are_muted, {"You are muted", "conf-muted"}},
        {Prompt::you_are_unmuted, {"You are no longer muted", "conf-unmuted"}},
        {Prompt::please_unmute, {"The host asks you to unmute", "beep"}},
        {Prompt::hand_up, {"Your hand is raised", "beep"}},
        {Prompt::hand_down, {"Your hand is down", "beep"}},
        {Prompt::guests_muted, {"All guests are muted", "conf-muted"}},
        {Prompt::guests_unmuted, {"Guests are no longer muted", "conf-unmuted"}},
        {Prompt::layout_changed, {"Layout: {layout}", "beep"}},
        {Prompt::keys_help, {"*4 hand, *6 mute, *0 help", "conf-usermenu"}},
        {Prompt::confirm_end, {"Press # again to end the meeting for all", "beep"}},
        {Prompt::not_allowed, {"Only a host may do that", "beeperr"}},
        {Prompt::you_are_host, {"You are a host now", "beep"}},
        {Prompt::you_are_guest, {"You are a guest now", "beep"}},
        {Prompt::right_granted, {"You may now: {right}", "beep"}},
        {Prompt::right_revoked, {"You may no longer: {right}", "beep"}},
        {Prompt::awaiting_host, {"Waiting for the host", "conf-waitforleader"}},
        {Prompt::waiting_locked, {"The meeting is locked: a host will let you in", "conf-locked"}},
        {Prompt::waiting_held, {"A host put you in the lobby", "conf-locked"}},
        {Prompt::slow_down, {"Too many attempts: please wait", "beeperr"}},
        {Prompt::pin_wrong, {"Wrong PIN", "conf-invalidpin"}},
        {Prompt::pin_timeout, {"No PIN was entered", "vm-goodbye"}},
        {Prompt::lobby_timeout, {"Nobody let you in", "vm-goodbye"}},
        {Prompt::lone_timeout, {"You were alone for too long", "vm-goodbye"}},
        {Prompt::removed, {"You were removed from the meeting", "conf-kicked"}},
        {Prompt::meeting_ended, {"The meeting has ended", "vm-goodbye"}},
        {Prompt::room_full, {"The meeting is full", "conf-full"}},
        {Prompt::encryption_required, {"This meeting needs an encrypted connection", "beeperr"}},
    };
    return wordings;
}

}  // namespace

std::string text_of(const room::Announce& announcement) {
    const auto found = wordings().find(announcement.prompt);
    std::string text = found == wordings().end() ? room::to_string(announcement.prompt) : found->second.text;
    for (const auto& [name, value] : announcement.params) {
        const std::string mark = "{" + name + "}";
        if (const auto at = text.find(mark); at != std::string::npos) {
            text.replace(at, mark.size(), value);
        }
    }
    return text;
}

const char* recording_of(room::Prompt prompt) {
    const auto found = wordings().find(prompt);
    return found == wordings().end() ? "" : found->second.recording;
}

}  // namespace vmr::bridge
