#include "daemon/bridge/phrases.hpp"

namespace vmr::bridge {
namespace {

using room::Prompt;

constexpr Phrase kRussianPhrases[] = {
    {Prompt::joined, "", "К встрече присоединяется {name}"},
    {Prompt::left_room, "", "Встречу покидает {name}"},
    {Prompt::locked, "", "Встреча закрыта"},
    {Prompt::unlocked, "", "Встреча открыта"},
    {Prompt::recording_started, "", "Запись началась"},
    {Prompt::recording_stopped, "", "Запись остановлена"},
    {Prompt::being_recorded, "", "Эта встреча записывается"},
    {Prompt::encrypted_again, "", "Все соединения зашифрованы"},
    {Prompt::unencrypted, "", "Одно из соединений не зашифровано"},
    {Prompt::waiting, "", "В зале ожидания {name}"},
    {Prompt::waiting, "count", "В зале ожидания: {count}"},
    {Prompt::waiting_item, "",
     "В зале ожидания {name}. Нажмите 1, чтобы впустить, 2, чтобы отказать, 3 для следующего."},
    {Prompt::nobody_waits, "", "Никто не ждёт"},
    {Prompt::admitted, "", "Может войти {name}"},
    {Prompt::refused, "", "Вас не впустили"},
    {Prompt::refused, "name", "Не может войти {name}"},
    {Prompt::room_item, "",
     "Комната. Нажмите 1 4 для записи, 1 5, чтобы выключать микрофон входящим, 1 6, чтобы впустить всех, 3 "
     "для следующего участника."},
    {Prompt::person_item, "",
     "{name}. Нажмите 1 4, чтобы выключить микрофон, 1 5 для зала ожидания, 1 6, чтобы удалить, 1 7 для "
     "смены роли, 1 8, чтобы выделить, 1 9, чтобы опустить руку, 1 0, чтобы попросить включить микрофон, 3 "
     "для следующего."},
    {Prompt::hand_raised, "", "Руку поднимает {name}"},
    {Prompt::you_are_muted, "", "Ваш микрофон выключен"},
    {Prompt::you_are_muted, "host", "Ведущий выключил ваш микрофон"},
    {Prompt::you_are_unmuted, "", "Ваш микрофон включён"},
    {Prompt::you_are_unmuted, "host", "Ведущий включил ваш микрофон"},
    {Prompt::please_unmute, "", "Ведущий просит вас включить микрофон"},
    {Prompt::hand_up, "", "Ваша рука поднята"},
    {Prompt::hand_down, "", "Ваша рука опущена"},
    {Prompt::guests_muted, "", "Микрофоны гостей выключены"},
    {Prompt::guests_unmuted, "", "Микрофоны гостей включены"},
    {Prompt::newcomers_muted, "", "Входящие будут с выключенным микрофоном"},
    {Prompt::newcomers_unmuted, "", "Входящие будут с включённым микрофоном"},
    {Prompt::layout_changed, "", "Вид: {layout}"},
    {Prompt::keys_help, "",
     "Звёздочка 4: поднять или опустить руку. Звёздочка 6: выключить или включить микрофон. Звёздочка 0: "
     "список клавиш."},
    {Prompt::keys_help, "host",
     "Звёздочка 4: поднять или опустить руку. Звёздочка 5: выключить или включить микрофоны гостей. "
     "Звёздочка 6: выключить или включить микрофон. Звёздочка 7: закрыть или открыть встречу. Звёздочка 8: "
     "следующий вид. Звёздочка 9: кто ждёт. Звёздочка звёздочка 1: комната и её участники. Решётка решётка: "
     "завершить для всех. Звёздочка 0: список клавиш."},
    {Prompt::confirm_end, "", "Нажмите решётку ещё раз, чтобы завершить встречу для всех"},
    {Prompt::cancelled, "", "Отменено"},
    {Prompt::not_allowed, "", "Это может только ведущий"},
    {Prompt::done, "", "Готово"},
    {Prompt::you_are_host, "", "Теперь вы ведущий"},
    {Prompt::you_are_guest, "", "Теперь вы гость"},
    {Prompt::right_granted, "", "Теперь вы можете: {right}"},
    {Prompt::right_revoked, "", "Вы больше не можете: {right}"},
    {Prompt::minutes_left, "", "До конца встречи минут: {minutes}"},
    {Prompt::minutes_left, "one", "До конца встречи одна минута"},
    {Prompt::awaiting_host, "", "Встреча начнётся, когда придёт ведущий"},
    {Prompt::waiting_locked, "", "Встреча закрыта: ведущий впустит вас"},
    {Prompt::waiting_held, "", "Ведущий отправил вас в зал ожидания"},
    {Prompt::slow_down, "", "Слишком много попыток: подождите"},
    {Prompt::pin_wrong, "", "Неверный ПИН-код"},
    {Prompt::pin_timeout, "", "ПИН-код не введён"},
    {Prompt::lobby_timeout, "", "Вас никто не впустил"},
    {Prompt::lone_timeout, "", "Вы слишком долго были одни"},
    {Prompt::removed, "", "Вас удалили из встречи"},
    {Prompt::meeting_ended, "", "Встреча завершена"},
    {Prompt::room_full, "", "Мест больше нет"},
    {Prompt::encryption_required, "", "Для этой встречи нужно шифрованное соединение"},
};

}  // namespace

const Language kRussian{
    .code = "ru",
    .phrases = kRussianPhrases,
    .somebody = "Кто-то",
    .rights = {"впускать", "выключать микрофоны", "менять вид", "записывать"},
    .layouts = {"говорящий", "все поровну", "один", "содержание"},
};

}  // namespace vmr::bridge
