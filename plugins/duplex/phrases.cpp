#include "plugins/duplex/phrases.hpp"

#include <algorithm>
#include <array>

#include "base/language.hpp"

namespace vmr::duplex {

namespace {

constexpr Phrases kEnglish{
    .language = "en",
    .ask_pin = "Please enter the meeting PIN, then press hash.",
    .ask_number = "Please enter the meeting number, then press hash.",
    .wrong_pin = "That PIN is not right.",
    .wrong_number = "There is no meeting with this number.",
    .goodbye = "Goodbye.",
    .pin_title = "Enter the meeting PIN",
    .number_title = "Enter the meeting number",
    .press_hash = "Press # when you are done.",
    .wrong = "That was not right.",
    .one_attempt = "One attempt left.",
    .attempts = "{n} attempts left.",
    .no_attempts = "No attempts left.",
    .time_is_up = "Time is up.",
    .not_let_in = "You could not be let in",
    .awaiting_host = {"Waiting for the host", "The meeting begins when a host joins."},
    .locked = {"The meeting is locked", "The hosts can see that you are waiting."},
    .held = {"You are in the lobby", "A host will let you back in."},
    .connecting = {"Please wait", "You will join the meeting shortly."},
};

constexpr Phrases kGerman{
    .language = "de",
    .ask_pin = "Bitte geben Sie die PIN der Besprechung ein und drücken Sie die Raute-Taste.",
    .ask_number = "Bitte geben Sie die Nummer der Besprechung ein und drücken Sie die Raute-Taste.",
    .wrong_pin = "Diese PIN ist nicht richtig.",
    .wrong_number = "Eine Besprechung mit dieser Nummer gibt es nicht.",
    .goodbye = "Auf Wiederhören.",
    .pin_title = "PIN der Besprechung eingeben",
    .number_title = "Nummer der Besprechung eingeben",
    .press_hash = "Zum Abschluss # drücken.",
    .wrong = "Das war nicht richtig.",
    .one_attempt = "Noch ein Versuch.",
    .attempts = "Noch {n} Versuche.",
    .no_attempts = "Kein Versuch mehr.",
    .time_is_up = "Die Zeit ist abgelaufen.",
    .not_let_in = "Sie konnten nicht eingelassen werden",
    .awaiting_host = {"Warten auf die Leitung",
                      "Die Besprechung beginnt, sobald jemand von der Leitung da ist."},
    .locked = {"Die Besprechung ist gesperrt", "Die Leitung sieht, dass Sie warten."},
    .held = {"Sie sind im Warteraum", "Die Leitung lässt Sie wieder ein."},
    .connecting = {"Bitte warten", "Gleich sind Sie in der Besprechung."},
};

constexpr Phrases kSpanish{
    .language = "es",
    .ask_pin = "Introduzca el PIN de la reunión y pulse almohadilla.",
    .ask_number = "Introduzca el número de la reunión y pulse almohadilla.",
    .wrong_pin = "El PIN no es correcto.",
    .wrong_number = "No hay ninguna reunión con este número.",
    .goodbye = "Adiós.",
    .pin_title = "Introduzca el PIN de la reunión",
    .number_title = "Introduzca el número de la reunión",
    .press_hash = "Pulse # al terminar.",
    .wrong = "No es correcto.",
    .one_attempt = "Queda un intento.",
    .attempts = "Quedan {n} intentos.",
    .no_attempts = "No quedan intentos.",
    .time_is_up = "Se acabó el tiempo.",
    .not_let_in = "No ha podido entrar",
    .awaiting_host = {"Esperando al anfitrión", "La reunión empieza cuando entre un anfitrión."},
    .locked = {"La reunión está bloqueada", "Los anfitriones ven que usted espera."},
    .held = {"Está en la sala de espera", "Un anfitrión le dejará volver a entrar."},
    .connecting = {"Espere, por favor", "Entrará en la reunión en un momento."},
};

constexpr Phrases kFrench{
    .language = "fr",
    .ask_pin = "Veuillez saisir le code de la réunion, puis appuyer sur dièse.",
    .ask_number = "Veuillez saisir le numéro de la réunion, puis appuyer sur dièse.",
    .wrong_pin = "Ce code n'est pas correct.",
    .wrong_number = "Aucune réunion n'a ce numéro.",
    .goodbye = "Au revoir.",
    .pin_title = "Saisissez le code de la réunion",
    .number_title = "Saisissez le numéro de la réunion",
    .press_hash = "Appuyez sur # pour terminer.",
    .wrong = "Ce n'est pas correct.",
    .one_attempt = "Il reste un essai.",
    .attempts = "Il reste {n} essais.",
    .no_attempts = "Il ne reste aucun essai.",
    .time_is_up = "Le temps est écoulé.",
    .not_let_in = "Vous n'avez pas pu entrer",
    .awaiting_host = {"En attente de l'hôte", "La réunion commence à l'arrivée d'un hôte."},
    .locked = {"La réunion est verrouillée", "Les hôtes voient que vous attendez."},
    .held = {"Vous êtes dans la salle d'attente", "Un hôte vous laissera revenir."},
    .connecting = {"Veuillez patienter", "Vous allez rejoindre la réunion."},
};

constexpr Phrases kItalian{
    .language = "it",
    .ask_pin = "Inserisca il PIN della riunione e prema cancelletto.",
    .ask_number = "Inserisca il numero della riunione e prema cancelletto.",
    .wrong_pin = "Il PIN non è corretto.",
    .wrong_number = "Nessuna riunione ha questo numero.",
    .goodbye = "Arrivederci.",
    .pin_title = "Inserisca il PIN della riunione",
    .number_title = "Inserisca il numero della riunione",
    .press_hash = "Prema # per terminare.",
    .wrong = "Non è corretto.",
    .one_attempt = "Resta un tentativo.",
    .attempts = "Restano {n} tentativi.",
    .no_attempts = "Non restano tentativi.",
    .time_is_up = "Il tempo è scaduto.",
    .not_let_in = "Non è stato possibile entrare",
    .awaiting_host = {"In attesa dell'organizzatore", "La riunione inizia quando entra un organizzatore."},
    .locked = {"La riunione è bloccata", "Gli organizzatori vedono che è in attesa."},
    .held = {"È in sala d'attesa", "Un organizzatore La farà rientrare."},
    .connecting = {"Attenda, per favore", "Entrerà a momenti nella riunione."},
};

constexpr Phrases kRussian{
    .language = "ru",
    .ask_pin = "Введите ПИН-код встречи и нажмите решётку.",
    .ask_number = "Введите номер встречи и нажмите решётку.",
    .wrong_pin = "Неверный ПИН-код.",
    .wrong_number = "Встречи с таким номером нет.",
    .goodbye = "До свидания.",
    .pin_title = "Введите ПИН-код встречи",
    .number_title = "Введите номер встречи",
    .press_hash = "В конце нажмите #.",
    .wrong = "Неверно.",
    .one_attempt = "Осталась одна попытка.",
    .attempts = "Осталось попыток: {n}.",
    .no_attempts = "Попыток не осталось.",
    .time_is_up = "Время истекло.",
    .not_let_in = "Войти не удалось",
    .awaiting_host = {"Ожидание ведущего", "Встреча начнётся, когда придёт ведущий."},
    .locked = {"Встреча закрыта", "Ведущие видят, что вы ждёте."},
    .held = {"Вы в зале ожидания", "Ведущий впустит вас снова."},
    .connecting = {"Подождите, пожалуйста", "Сейчас вы войдёте на встречу."},
};

constexpr std::array kLanguages{&kEnglish, &kGerman, &kSpanish, &kFrench, &kItalian, &kRussian};

}  // namespace

const Phrases& phrases_of(const std::string& locale) {
    const std::string language = language_of(locale);
    const auto* found = std::find_if(kLanguages.begin(), kLanguages.end(),
                                     [&](const Phrases* one) { return language == one->language; });
    return found == kLanguages.end() ? kEnglish : **found;
}

}  // namespace vmr::duplex
