#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kSpanishPhrases[] = {
    {Prompt::joined, "", "{name} ha entrado"},
    {Prompt::left_room, "", "{name} ha salido"},
    {Prompt::locked, "", "La reunión está bloqueada"},
    {Prompt::unlocked, "", "La reunión está abierta"},
    {Prompt::recording_started, "", "La grabación ha comenzado"},
    {Prompt::recording_stopped, "", "La grabación ha terminado"},
    {Prompt::being_recorded, "", "Esta reunión se está grabando"},
    {Prompt::encrypted_again, "", "Todas las conexiones están cifradas"},
    {Prompt::unencrypted, "", "Una conexión no está cifrada"},
    {Prompt::waiting, "", "{name} espera en la sala de espera"},
    {Prompt::waiting, "count", "Esperan en la sala de espera: {count}"},
    {Prompt::waiting_item, "",
     "{name} espera en la sala de espera. Pulse 1 para admitir, 2 para rechazar, 3 para el siguiente."},
    {Prompt::nobody_waits, "", "Nadie espera"},
    {Prompt::admitted, "", "Admitido: {name}"},
    {Prompt::refused, "", "No se le ha dejado entrar"},
    {Prompt::refused, "name", "Rechazado: {name}"},
    {Prompt::room_item, "",
     "La sala. Pulse 1 4 para grabar, 1 5 para silenciar a quienes entren, 1 6 para admitir a todos, 3 para "
     "la siguiente persona."},
    {Prompt::person_item, "",
     "{name}. Pulse 1 4 para silenciar, 1 5 para la sala de espera, 1 6 para expulsar, 1 7 para anfitrión o "
     "invitado, 1 8 para destacar, 1 9 para bajar la mano, 1 0 para pedir que active el micrófono, 3 para la "
     "siguiente persona."},
    {Prompt::hand_raised, "", "{name} ha levantado la mano"},
    {Prompt::you_are_muted, "", "Está silenciado"},
    {Prompt::you_are_muted, "host", "El anfitrión le ha silenciado"},
    {Prompt::you_are_unmuted, "", "Ya no está silenciado"},
    {Prompt::you_are_unmuted, "host", "El anfitrión ha activado su micrófono"},
    {Prompt::please_unmute, "", "El anfitrión le pide que active el micrófono"},
    {Prompt::hand_up, "", "Su mano está levantada"},
    {Prompt::hand_down, "", "Su mano está bajada"},
    {Prompt::guests_muted, "", "Todos los invitados están silenciados"},
    {Prompt::guests_unmuted, "", "Los invitados ya no están silenciados"},
    {Prompt::newcomers_muted, "", "Quienes entren estarán silenciados"},
    {Prompt::newcomers_unmuted, "", "Quienes entren ya no estarán silenciados"},
    {Prompt::layout_changed, "", "Diseño: {layout}"},
    {Prompt::keys_help, "",
     "Asterisco 4: levantar o bajar la mano. Asterisco 6: activar o silenciar su micrófono. Asterisco 0: oír "
     "las teclas."},
    {Prompt::keys_help, "host",
     "Asterisco 4: levantar o bajar la mano. Asterisco 5: silenciar o no a los invitados. Asterisco 6: "
     "activar o silenciar su micrófono. Asterisco 7: bloquear o abrir. Asterisco 8: siguiente diseño. "
     "Asterisco 9: quién espera. Asterisco asterisco 1: la sala y quién está en ella. Almohadilla "
     "almohadilla: terminar para todos. Asterisco 0: oír las teclas."},
    {Prompt::confirm_end, "", "Pulse almohadilla otra vez para terminar la reunión para todos"},
    {Prompt::cancelled, "", "Cancelado"},
    {Prompt::not_allowed, "", "Solo un anfitrión puede hacerlo"},
    {Prompt::done, "", "Hecho"},
    {Prompt::you_are_host, "", "Ahora es anfitrión"},
    {Prompt::you_are_guest, "", "Ahora es invitado"},
    {Prompt::right_granted, "", "Ahora puede: {right}"},
    {Prompt::right_revoked, "", "Ya no puede: {right}"},
    {Prompt::minutes_left, "", "La reunión termina en {minutes} minutos"},
    {Prompt::minutes_left, "one", "La reunión termina en un minuto"},
    {Prompt::awaiting_host, "", "La reunión empieza cuando entre un anfitrión"},
    {Prompt::waiting_locked, "", "La reunión está bloqueada: un anfitrión le dejará entrar"},
    {Prompt::waiting_held, "", "Un anfitrión le ha pasado a la sala de espera"},
    {Prompt::slow_down, "", "Demasiados intentos: espere, por favor"},
    {Prompt::pin_wrong, "", "PIN incorrecto"},
    {Prompt::pin_timeout, "", "No se ha introducido ningún PIN"},
    {Prompt::lobby_timeout, "", "Nadie le ha dejado entrar"},
    {Prompt::lone_timeout, "", "Ha estado demasiado tiempo a solas"},
    {Prompt::removed, "", "Ha sido expulsado de la reunión"},
    {Prompt::meeting_ended, "", "La reunión ha terminado"},
    {Prompt::room_full, "", "La reunión está llena"},
    {Prompt::encryption_required, "", "Esta reunión exige una conexión cifrada"},
};

}  // namespace

const Language kSpanish{
    .code = "es",
    .phrases = kSpanishPhrases,
    .somebody = "Alguien",
    .rights = {"admitir", "silenciar", "cambiar el diseño", "grabar"},
    .layouts = {"orador", "iguales", "uno solo", "contenido"},
};

}  // namespace vmr::bridge
