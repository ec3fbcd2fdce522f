#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kItalianPhrases[] = {
    {Prompt::joined, "", "{name} è in riunione"},
    {Prompt::left_room, "", "{name} ha lasciato la riunione"},
    {Prompt::locked, "", "La riunione è bloccata"},
    {Prompt::unlocked, "", "La riunione è aperta"},
    {Prompt::recording_started, "", "La registrazione è iniziata"},
    {Prompt::recording_stopped, "", "La registrazione è terminata"},
    {Prompt::being_recorded, "", "Questa riunione viene registrata"},
    {Prompt::encrypted_again, "", "Tutte le connessioni sono cifrate"},
    {Prompt::unencrypted, "", "Una connessione non è cifrata"},
    {Prompt::waiting, "", "{name} è in sala d'attesa"},
    {Prompt::waiting, "count", "In sala d'attesa: {count}"},
    {Prompt::waiting_item, "",
     "{name} è in sala d'attesa. Prema 1 per far entrare, 2 per rifiutare, 3 per il prossimo."},
    {Prompt::nobody_waits, "", "Nessuno è in attesa"},
    {Prompt::admitted, "", "{name} può entrare"},
    {Prompt::refused, "", "Non è stato possibile farla entrare"},
    {Prompt::refused, "name", "{name} non può entrare"},
    {Prompt::room_item, "",
     "La sala. Prema 1 4 per registrare, 1 5 per silenziare chi arriva, 1 6 per far entrare tutti, 3 per la "
     "prossima persona."},
    {Prompt::person_item, "",
     "{name}. Prema 1 4 per silenziare, 1 5 per la sala d'attesa, 1 6 per escludere, 1 7 per organizzatore o "
     "ospite, 1 8 per mettere in evidenza, 1 9 per abbassare la mano, 1 0 per chiedere di attivare il "
     "microfono, 3 per la prossima persona."},
    {Prompt::hand_raised, "", "{name} ha alzato la mano"},
    {Prompt::you_are_muted, "", "Il Suo microfono è spento"},
    {Prompt::you_are_muted, "host", "L'organizzatore ha spento il Suo microfono"},
    {Prompt::you_are_unmuted, "", "Il Suo microfono è acceso"},
    {Prompt::you_are_unmuted, "host", "L'organizzatore ha riacceso il Suo microfono"},
    {Prompt::please_unmute, "", "L'organizzatore Le chiede di accendere il microfono"},
    {Prompt::hand_up, "", "La Sua mano è alzata"},
    {Prompt::hand_down, "", "La Sua mano è abbassata"},
    {Prompt::guests_muted, "", "I microfoni degli ospiti sono spenti"},
    {Prompt::guests_unmuted, "", "I microfoni degli ospiti sono accesi"},
    {Prompt::newcomers_muted, "", "Chi arriva ha il microfono spento"},
    {Prompt::newcomers_unmuted, "", "Chi arriva ha il microfono acceso"},
    {Prompt::layout_changed, "", "Vista: {layout}"},
    {Prompt::keys_help, "",
     "Asterisco 4: alzare o abbassare la mano. Asterisco 6: spegnere o accendere il microfono. Asterisco 0: "
     "ascoltare i tasti."},
    {Prompt::keys_help, "host",
     "Asterisco 4: alzare o abbassare la mano. Asterisco 5: spegnere o accendere i microfoni degli ospiti. "
     "Asterisco 6: spegnere o accendere il microfono. Asterisco 7: bloccare o aprire. Asterisco 8: vista "
     "successiva. Asterisco 9: chi è in attesa. Asterisco asterisco 1: la sala e chi c'è. Cancelletto "
     "cancelletto: terminare per tutti. Asterisco 0: ascoltare i tasti."},
    {Prompt::confirm_end, "", "Prema ancora cancelletto per terminare la riunione per tutti"},
    {Prompt::cancelled, "", "Annullato"},
    {Prompt::not_allowed, "", "Solo un organizzatore può farlo"},
    {Prompt::done, "", "Fatto"},
    {Prompt::you_are_host, "", "Ora è organizzatore"},
    {Prompt::you_are_guest, "", "Ora è ospite"},
    {Prompt::right_granted, "", "Ora può: {right}"},
    {Prompt::right_revoked, "", "Non può più: {right}"},
    {Prompt::minutes_left, "", "La riunione termina tra {minutes} minuti"},
    {Prompt::minutes_left, "one", "La riunione termina tra un minuto"},
    {Prompt::awaiting_host, "", "La riunione inizia quando entra un organizzatore"},
    {Prompt::waiting_locked, "", "La riunione è bloccata: un organizzatore La farà entrare"},
    {Prompt::waiting_held, "", "Un organizzatore L'ha messa in sala d'attesa"},
    {Prompt::slow_down, "", "Troppi tentativi: attenda, per favore"},
    {Prompt::pin_wrong, "", "PIN errato"},
    {Prompt::pin_timeout, "", "Nessun PIN inserito"},
    {Prompt::lobby_timeout, "", "Nessuno L'ha fatta entrare"},
    {Prompt::lone_timeout, "", "È rimasto troppo a lungo da solo"},
    {Prompt::removed, "", "È stato escluso dalla riunione"},
    {Prompt::meeting_ended, "", "La riunione è terminata"},
    {Prompt::room_full, "", "La riunione è al completo"},
    {Prompt::encryption_required, "", "Questa riunione richiede una connessione cifrata"},
};

}  // namespace

const Language kItalian{
    .code = "it",
    .phrases = kItalianPhrases,
    .somebody = "Qualcuno",
    .rights = {"far entrare", "silenziare", "cambiare la vista", "registrare"},
    .layouts = {"oratore", "uguali", "uno solo", "contenuto"},
};

}  // namespace vmr::bridge
