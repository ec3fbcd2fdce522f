// Rooms made, changed and deleted by the API.
#include "daemon/bridge/room_settings.hpp"

#include <algorithm>
#include <cctype>

#include "daemon/bridge/bridge.hpp"
#include "daemon/bridge/room_json.hpp"

namespace vmr::bridge {

using nlohmann::json;

namespace {

// At the reception: a telephone has no "+".
bool can_be_typed(const std::string& name) {
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

void merge(ops::RoomConfig& config, const json& params) {
    config.title = params.value("title", config.title);
    config.locale = params.value("locale", config.locale);
    config.aliases = params.value("aliases", config.aliases);
    config.host_pin = params.value("host_pin", config.host_pin);
    config.guest_pin = params.value("guest_pin", config.guest_pin);
    config.guests_allowed = params.value("guests_allowed", config.guests_allowed);
    config.chat_allowed = params.value("chat_allowed", config.chat_allowed);
    config.min_key_bits = params.value("min_key_bits", config.min_key_bits);
    config.max_participants = params.value("max_participants", config.max_participants);
    const auto take_seconds = [&](const char* key, std::chrono::seconds& field) {
        field = std::chrono::seconds(params.value(key, static_cast<std::int64_t>(field.count())));
    };
    take_seconds("grace", config.grace);
    take_seconds("lobby_timeout", config.lobby_timeout);
    take_seconds("lone_timeout", config.lone_timeout);
    take_seconds("max_duration", config.max_duration);
    const auto pick = [&](const char* key, auto& field, auto... values) {
        const std::string wanted = params.value(key, std::string(ops::text(field)));
        ((wanted == ops::text(values) ? void(field = values) : void()), ...);
    };
    pick("layout", config.layout, ops::Layout::speaker, ops::Layout::equal, ops::Layout::single,
         ops::Layout::content);
    pick("encryption", config.encryption, ops::Encryption::required, ops::Encryption::best_effort,
         ops::Encryption::off);
    pick("host_absence", config.host_absence, ops::HostAbsence::end, ops::HostAbsence::continue_,
         ops::HostAbsence::rehold);
}

json Bridge::room_json(const RoomHost& room) const {
    json object = to_json(room.core().view());
    const ops::RoomConfig& config = configs_.at(room.core().config().id);
    const bool by_keys = can_be_typed(config.id) || std::ranges::any_of(config.aliases, can_be_typed) ||
                         std::ranges::any_of(config.numbers, can_be_typed);
    std::set<std::string> dial_in;
    for (const auto& [number, target] : dial_in_) {
        if (target == config.id || (target == "reception" && by_keys)) {
            dial_in.insert(number);
        }
    }
    object["numbers"] = config.numbers;
    object["dial_in"] = dial_in;
    return object;
}

void Bridge::create_room(const json& params, api::Reply reply) {
    ops::RoomConfig config;
    config.id = params.at("id");
    config.guests_allowed = !params.value("guest_pin", "").empty();  // as in the configuration
    merge(config, params);
    if (rooms_.contains(config.id) || configs_.contains(config.id) || takes_others_name(config)) {
        return reply(api::problem(409, "a room of this name exists"));
    }
    if (const std::string fault = ops::guest_pin_fault(config); !fault.empty()) {
        return reply(api::problem(422, "guest_pin " + fault));
    }
    from_file_.erase(config.id);  // it is the API's now
    set_room(config, [this, id = config.id, reply](const Status& done) {
        if (!done) {
            return reply(api::problem(503, done.error()));
        }
        reply({201, room_json(*host(id))});
    });
}

void Bridge::update_room(RoomHost& room, const json& params, api::Reply reply) {
    ops::RoomConfig config = configs_.at(room.core().config().id);
    merge(config, params);
    if (takes_others_name(config)) {
        return reply(api::problem(409, "another room has this alias"));
    }
    if (const std::string fault = ops::guest_pin_fault(config); !fault.empty()) {
        return reply(api::problem(422, "guest_pin " + fault));
    }
    set_room(config, [this, id = config.id, reply](const Status& done) {
        const RoomHost* changed = host(id);
        if (!done || changed == nullptr) {
            return reply(api::problem(503, done ? "the room is gone" : done.error()));
        }
        reply({200, room_json(*changed)});
    });
}

void Bridge::delete_room(RoomHost& room) {
    const std::string id = room.core().config().id;
    forget_room(id);  // nobody arrives any more
    room.end(room::Cause::ended_by_admin);
    drop_forgotten_rooms();
}

}  // namespace vmr::bridge
