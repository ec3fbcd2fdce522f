#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kFrenchPhrases[] = {
    {Prompt::joined, "", "{name} a rejoint la réunion"},
    {Prompt::left_room, "", "{name} a quitté la réunion"},
    {Prompt::locked, "", "La réunion est verrouillée"},
    {Prompt::unlocked, "", "La réunion est déverrouillée"},
    {Prompt::recording_started, "", "L'enregistrement a commencé"},
    {Prompt::recording_stopped, "", "L'enregistrement est arrêté"},
    {Prompt::being_recorded, "", "Cette réunion est enregistrée"},
    {Prompt::encrypted_again, "", "Toutes les connexions sont chiffrées"},
    {Prompt::unencrypted, "", "Une connexion n'est pas chiffrée"},
    {Prompt::waiting, "", "{name} attend dans la salle d'attente"},
    {Prompt::waiting, "count", "En salle d'attente: {count}"},
    {Prompt::waiting_item, "",
     "{name} attend dans la salle d'attente. Appuyez sur 1 pour faire entrer, 2 pour refuser, 3 pour le "
     "suivant."},
    {Prompt::nobody_waits, "", "Personne n'attend"},
    {Prompt::admitted, "", "{name} peut entrer"},
    {Prompt::refused, "", "On ne vous a pas laissé entrer"},
    {Prompt::refused, "name", "{name} ne peut pas entrer"},
    {Prompt::room_item, "",
     "La salle. Appuyez sur 1 4 pour enregistrer, 1 5 pour couper le micro des arrivants, 1 6 pour faire "
     "entrer tout le monde, 3 pour la personne suivante."},
    {Prompt::person_item, "",
     "{name}. Appuyez sur 1 4 pour couper le micro, 1 5 pour la salle d'attente, 1 6 pour exclure, 1 7 pour "
     "hôte ou invité, 1 8 pour mettre en avant, 1 9 pour baisser la main, 1 0 pour demander d'ouvrir le "
     "micro, 3 pour la personne suivante."},
    {Prompt::hand_raised, "", "{name} a levé la main"},
    {Prompt::you_are_muted, "", "Votre micro est coupé"},
    {Prompt::you_are_muted, "host", "L'hôte a coupé votre micro"},
    {Prompt::you_are_unmuted, "", "Votre micro est ouvert"},
    {Prompt::you_are_unmuted, "host", "L'hôte a rouvert votre micro"},
    {Prompt::please_unmute, "", "L'hôte vous demande d'ouvrir votre micro"},
    {Prompt::hand_up, "", "Votre main est levée"},
    {Prompt::hand_down, "", "Votre main est baissée"},
    {Prompt::guests_muted, "", "Les micros des invités sont coupés"},
    {Prompt::guests_unmuted, "", "Les micros des invités sont ouverts"},
    {Prompt::newcomers_muted, "", "Les arrivants ont le micro coupé"},
    {Prompt::newcomers_unmuted, "", "Les arrivants ont le micro ouvert"},
    {Prompt::layout_changed, "", "Affichage: {layout}"},
    {Prompt::keys_help, "",
     "Étoile 4: lever ou baisser la main. Étoile 6: couper ou ouvrir votre micro. Étoile 0: entendre les "
     "touches."},
    {Prompt::keys_help, "host",
     "Étoile 4: lever ou baisser la main. Étoile 5: couper ou ouvrir les micros des invités. Étoile 6: "
     "couper ou ouvrir votre micro. Étoile 7: verrouiller ou déverrouiller. Étoile 8: affichage suivant. "
     "Étoile 9: qui attend. Étoile étoile 1: la salle et ses participants. Dièse dièse: terminer pour tous. "
     "Étoile 0: entendre les touches."},
    {Prompt::confirm_end, "", "Appuyez encore sur dièse pour terminer la réunion pour tous"},
    {Prompt::cancelled, "", "Annulé"},
    {Prompt::not_allowed, "", "Seul un hôte peut le faire"},
    {Prompt::done, "", "C'est fait"},
    {Prompt::you_are_host, "", "Vous êtes maintenant hôte"},
    {Prompt::you_are_guest, "", "Vous êtes maintenant invité"},
    {Prompt::right_granted, "", "Vous pouvez maintenant: {right}"},
    {Prompt::right_revoked, "", "Vous ne pouvez plus: {right}"},
    {Prompt::minutes_left, "", "La réunion se termine dans {minutes} minutes"},
    {Prompt::minutes_left, "one", "La réunion se termine dans une minute"},
    {Prompt::awaiting_host, "", "La réunion commence à l'arrivée d'un hôte"},
    {Prompt::waiting_locked, "", "La réunion est verrouillée: un hôte vous fera entrer"},
    {Prompt::waiting_held, "", "Un hôte vous a mis en salle d'attente"},
    {Prompt::slow_down, "", "Trop d'essais: veuillez patienter"},
    {Prompt::pin_wrong, "", "Code incorrect"},
    {Prompt::pin_timeout, "", "Aucun code n'a été saisi"},
    {Prompt::lobby_timeout, "", "Personne ne vous a laissé entrer"},
    {Prompt::lone_timeout, "", "Vous êtes resté seul trop longtemps"},
    {Prompt::removed, "", "Vous avez été exclu de la réunion"},
    {Prompt::meeting_ended, "", "La réunion est terminée"},
    {Prompt::room_full, "", "La réunion est complète"},
    {Prompt::encryption_required, "", "Cette réunion exige une connexion chiffrée"},
};

}  // namespace

const Language kFrench{
    .code = "fr",
    .phrases = kFrenchPhrases,
    .somebody = "Quelqu'un",
    .rights = {"faire entrer", "couper les micros", "changer l'affichage", "enregistrer"},
    .layouts = {"orateur", "égal", "un seul", "contenu"},
};

}  // namespace vmr::bridge
