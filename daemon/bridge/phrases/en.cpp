#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kEnglishPhrases[] = {
    {Prompt::joined, "", "{name} joined"},
    {Prompt::left_room, "", "{name} left"},
    {Prompt::locked, "", "The meeting is locked"},
    {Prompt::unlocked, "", "The meeting is unlocked"},
    {Prompt::recording_started, "", "Recording started"},
    {Prompt::recording_stopped, "", "Recording stopped"},
    {Prompt::being_recorded, "", "This meeting is being recorded"},
    {Prompt::encrypted_again, "", "All connections are encrypted"},
    {Prompt::unencrypted, "", "A participant is not encrypted"},
    {Prompt::waiting, "", "{name} is waiting in the lobby"},
    {Prompt::waiting, "count", "Waiting in the lobby: {count}"},
    {Prompt::waiting_item, "",
     "{name} is waiting in the lobby. Press 1 to admit, 2 to refuse, 3 for the next."},
    {Prompt::nobody_waits, "", "Nobody is waiting"},
    {Prompt::admitted, "", "{name} was admitted"},
    {Prompt::refused, "", "You were not let in"},
    {Prompt::refused, "name", "{name} was refused"},
    {Prompt::room_item, "",
     "The room. Press 1 4 to record, 1 5 to mute newcomers, 1 6 to admit all, 3 for the next person."},
    {Prompt::person_item, "",
     "{name}. Press 1 4 to mute, 1 5 for the lobby, 1 6 to remove, 1 7 for host or guest, 1 8 for the "
     "spotlight, 1 9 to lower the hand, 1 0 to ask to unmute, 3 for the next."},
    {Prompt::hand_raised, "", "{name} raised a hand"},
    {Prompt::you_are_muted, "", "You are muted"},
    {Prompt::you_are_muted, "host", "You have been muted by the host"},
    {Prompt::you_are_unmuted, "", "You are no longer muted"},
    {Prompt::you_are_unmuted, "host", "The host has unmuted you"},
    {Prompt::please_unmute, "", "The host asks you to unmute"},
    {Prompt::hand_up, "", "Your hand is raised"},
    {Prompt::hand_down, "", "Your hand is down"},
    {Prompt::guests_muted, "", "All guests are muted"},
    {Prompt::guests_unmuted, "", "Guests are no longer muted"},
    {Prompt::newcomers_muted, "", "Newcomers are muted"},
    {Prompt::newcomers_unmuted, "", "Newcomers are no longer muted"},
    {Prompt::layout_changed, "", "Layout: {layout}"},
    {Prompt::keys_help, "",
     "Star 4: raise or lower your hand. Star 6: mute or unmute yourself. Star 0: hear the keys."},
    {Prompt::keys_help, "host",
     "Star 4: raise or lower your hand. Star 5: mute or unmute all guests. Star 6: mute or unmute yourself. "
     "Star 7: lock or unlock. Star 8: next layout. Star 9: who is waiting. Star star 1: the room and who is "
     "in it. Hash hash: end the meeting for all. Star 0: hear the keys."},
    {Prompt::confirm_end, "", "Press # again to end the meeting for all"},
    {Prompt::cancelled, "", "Cancelled"},
    {Prompt::not_allowed, "", "Only a host may do that"},
    {Prompt::done, "", "Done"},
    {Prompt::you_are_host, "", "You are a host now"},
    {Prompt::you_are_guest, "", "You are a guest now"},
    {Prompt::right_granted, "", "You may now: {right}"},
    {Prompt::right_revoked, "", "You may no longer: {right}"},
    {Prompt::minutes_left, "", "The meeting ends in {minutes} minutes"},
    {Prompt::minutes_left, "one", "The meeting ends in one minute"},
    {Prompt::awaiting_host, "", "Waiting for the host"},
    {Prompt::waiting_locked, "", "The meeting is locked: a host will let you in"},
    {Prompt::waiting_held, "", "A host put you in the lobby"},
    {Prompt::slow_down, "", "Too many attempts: please wait"},
    {Prompt::pin_wrong, "", "Wrong PIN"},
    {Prompt::pin_timeout, "", "No PIN was entered"},
    {Prompt::lobby_timeout, "", "Nobody let you in"},
    {Prompt::lone_timeout, "", "You were alone for too long"},
    {Prompt::removed, "", "You were removed from the meeting"},
    {Prompt::meeting_ended, "", "The meeting has ended"},
    {Prompt::room_full, "", "The meeting is full"},
    {Prompt::encryption_required, "", "This meeting needs an encrypted connection"},
};

}  // namespace

const Language kEnglish{
    .code = "en",
    .phrases = kEnglishPhrases,
    .somebody = "Somebody",
    .rights = {"let people in", "mute", "change the layout", "record"},
    .layouts = {"speaker", "equal", "single", "content"},
};

}  // namespace vmr::bridge
