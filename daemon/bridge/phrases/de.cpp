#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kGermanPhrases[] = {
    {Prompt::joined, "", "{name} ist dazugekommen"},
    {Prompt::left_room, "", "{name} ist gegangen"},
    {Prompt::locked, "", "Die Besprechung ist gesperrt"},
    {Prompt::unlocked, "", "Die Besprechung ist wieder offen"},
    {Prompt::recording_started, "", "Die Aufzeichnung läuft"},
    {Prompt::recording_stopped, "", "Die Aufzeichnung ist beendet"},
    {Prompt::being_recorded, "", "Diese Besprechung wird aufgezeichnet"},
    {Prompt::encrypted_again, "", "Alle Verbindungen sind verschlüsselt"},
    {Prompt::unencrypted, "", "Eine Verbindung ist nicht verschlüsselt"},
    {Prompt::waiting, "", "{name} wartet im Warteraum"},
    {Prompt::waiting, "count", "Im Warteraum warten: {count}"},
    {Prompt::waiting_item, "",
     "{name} wartet im Warteraum. 1 lässt ein, 2 lehnt ab, 3 nennt den nächsten Namen."},
    {Prompt::nobody_waits, "", "Niemand wartet"},
    {Prompt::admitted, "", "{name} ist eingelassen"},
    {Prompt::refused, "", "Sie wurden nicht eingelassen"},
    {Prompt::refused, "name", "{name} ist abgewiesen"},
    {Prompt::room_item, "",
     "Der Raum. 1 4 zeichnet auf, 1 5 schaltet Neue stumm, 1 6 lässt alle ein, 3 nennt die nächste Person."},
    {Prompt::person_item, "",
     "{name}. 1 4 schaltet stumm, 1 5 schickt in den Warteraum, 1 6 entfernt, 1 7 wechselt zwischen Leitung "
     "und Gast, 1 8 hebt hervor, 1 9 nimmt die Hand herunter, 1 0 bittet um das Mikrofon, 3 nennt die "
     "nächste Person."},
    {Prompt::hand_raised, "", "{name} hebt die Hand"},
    {Prompt::you_are_muted, "", "Sie sind stumm"},
    {Prompt::you_are_muted, "host", "Die Leitung hat Sie stummgeschaltet"},
    {Prompt::you_are_unmuted, "", "Sie sind nicht mehr stumm"},
    {Prompt::you_are_unmuted, "host", "Die Leitung hat Ihr Mikrofon freigegeben"},
    {Prompt::please_unmute, "", "Die Leitung bittet Sie, Ihr Mikrofon einzuschalten"},
    {Prompt::hand_up, "", "Ihre Hand ist gehoben"},
    {Prompt::hand_down, "", "Ihre Hand ist unten"},
    {Prompt::guests_muted, "", "Alle Gäste sind stumm"},
    {Prompt::guests_unmuted, "", "Die Gäste sind nicht mehr stumm"},
    {Prompt::newcomers_muted, "", "Wer neu kommt, ist stumm"},
    {Prompt::newcomers_unmuted, "", "Wer neu kommt, ist nicht mehr stumm"},
    {Prompt::layout_changed, "", "Ansicht: {layout}"},
    {Prompt::keys_help, "",
     "Stern 4: Hand heben oder senken. Stern 6: sich stummschalten oder wieder zu hören sein. Stern 0: die "
     "Tasten."},
    {Prompt::keys_help, "host",
     "Stern 4: Hand heben oder senken. Stern 5: alle Gäste stummschalten oder nicht. Stern 6: sich "
     "stummschalten oder wieder zu hören sein. Stern 7: sperren oder öffnen. Stern 8: nächste Ansicht. Stern "
     "9: wer wartet. Stern Stern 1: der Raum und wer darin ist. Raute Raute: für alle beenden. Stern 0: die "
     "Tasten."},
    {Prompt::confirm_end, "", "Noch einmal Raute beendet die Besprechung für alle"},
    {Prompt::cancelled, "", "Abgebrochen"},
    {Prompt::not_allowed, "", "Das darf nur die Leitung"},
    {Prompt::done, "", "Erledigt"},
    {Prompt::you_are_host, "", "Sie leiten jetzt die Besprechung"},
    {Prompt::you_are_guest, "", "Sie sind jetzt Gast"},
    {Prompt::right_granted, "", "Sie dürfen jetzt: {right}"},
    {Prompt::right_revoked, "", "Sie dürfen nicht mehr: {right}"},
    {Prompt::minutes_left, "", "Die Besprechung endet in {minutes} Minuten"},
    {Prompt::minutes_left, "one", "Die Besprechung endet in einer Minute"},
    {Prompt::awaiting_host, "", "Die Besprechung beginnt, sobald jemand von der Leitung da ist"},
    {Prompt::waiting_locked, "", "Die Besprechung ist gesperrt: die Leitung lässt Sie ein"},
    {Prompt::waiting_held, "", "Die Leitung hat Sie in den Warteraum geschickt"},
    {Prompt::slow_down, "", "Zu viele Versuche: bitte warten Sie"},
    {Prompt::pin_wrong, "", "Falsche PIN"},
    {Prompt::pin_timeout, "", "Es wurde keine PIN eingegeben"},
    {Prompt::lobby_timeout, "", "Niemand hat Sie eingelassen"},
    {Prompt::lone_timeout, "", "Sie waren zu lange allein"},
    {Prompt::removed, "", "Sie wurden aus der Besprechung entfernt"},
    {Prompt::meeting_ended, "", "Die Besprechung ist beendet"},
    {Prompt::room_full, "", "Die Besprechung ist voll"},
    {Prompt::encryption_required, "", "Diese Besprechung verlangt eine verschlüsselte Verbindung"},
};

}  // namespace

const Language kGerman{
    .code = "de",
    .phrases = kGermanPhrases,
    .somebody = "Jemand",
    .rights = {"Wartende einlassen", "stummschalten", "die Ansicht wechseln", "aufzeichnen"},
    .layouts = {"Sprecher", "alle gleich", "einer", "Inhalt"},
};

}  // namespace vmr::bridge
