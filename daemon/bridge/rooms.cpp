// Which rooms there are, and their settings. PINs are hashed on the worker: a room's settings take effect
// together, when its hashes are there.
#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "base/text.hpp"
#include "daemon/bridge/bridge.hpp"

namespace vmr::bridge {
namespace {

room::RoomConfig core_config(const ops::RoomConfig& config) {
    room::RoomConfig core;
    core.id = config.id;
    core.title = config.title.empty() ? config.id : config.title;
    core.aliases = config.aliases;
    if (std::ranges::find(core.aliases, config.id) == core.aliases.end()) {
        core.aliases.insert(core.aliases.begin(), config.id);
    }
    core.locale = config.locale;
    core.can_dial_out = true;  // whom to, the dialler says
    core.guests_allowed = config.guests_allowed;
    core.chat_allowed = config.chat_allowed;
    core.host_pin_length = static_cast<unsigned>(config.host_pin.size());
    core.guest_pin_length = static_cast<unsigned>(config.guest_pin.size());
    core.layout = room::parse_layout(ops::text(config.layout)).value_or(room::Layout::speaker);
    core.encryption =
        room::parse_encryption(ops::text(config.encryption)).value_or(room::Encryption::best_effort);
    core.encryption_floor_bits = static_cast<unsigned>(config.min_key_bits);
    core.host_absence =
        room::parse_host_absence(ops::text(config.host_absence)).value_or(room::HostAbsence::end);
    core.max_participants = static_cast<unsigned>(config.max_participants);
    core.host_grace = config.grace;
    core.lobby_timeout = config.lobby_timeout;
    core.lone_timeout = config.lone_timeout;
    core.max_duration = config.max_duration;
    return core;
}

// Argument and result of PinHasher for a room: host's PIN, guests' PIN.
std::vector<std::string> pins_of(const ops::RoomConfig& config) {
    return {config.host_pin, config.guest_pin};
}

}  // namespace

bool Bridge::takes_others_name(const ops::RoomConfig& config) const {
    const auto is_taken = [&](const std::string& name) {
        const auto found = aliases_.find(lower_case(name));
        return found != aliases_.end() && found->second != config.id;
    };
    return is_taken(config.id) || std::ranges::any_of(config.aliases, is_taken) ||
           std::ranges::any_of(config.numbers, is_taken);
}

void Bridge::name_room(const ops::RoomConfig& config) {
    std::erase_if(aliases_, [&](const auto& entry) { return entry.second == config.id; });
    aliases_[lower_case(config.id)] = config.id;
    take_free_names(config);
}

void Bridge::take_free_names(const ops::RoomConfig& config) {
    aliases_.emplace(lower_case(config.id), config.id);
    for (const auto* names : {&config.aliases, &config.numbers}) {
        for (const std::string& name : *names) {
            aliases_.emplace(lower_case(name), config.id);
        }
    }
}

void Bridge::forget_room(const std::string& id, const std::string& why) {
    configs_.erase(id);
    hashed_.erase(id);
    std::erase_if(aliases_, [&](const auto& alias) { return alias.second == id; });
    settle_room(id, Error{why});
}

void Bridge::drop_forgotten_rooms() {
    std::erase_if(rooms_, [this](const auto& entry) {
        const auto& [id, room] = entry;
        if (configs_.contains(id) || !room->core().idle() || !room->is_empty()) {
            return false;
        }
        services_.events.forget_room(id);
        return true;
    });
}

void Bridge::settle_room(const std::string& id, const Status& result) {
    if (const auto pending = pending_.extract(id)) {
        for (const auto& done : pending.mapped().on_done) {
            done(result);
        }
    }
}

void Bridge::refuse_settings(const std::string& id, const std::string& why) {
    if (auto& in_force = pending_.at(id).in_force) {
        configs_[id] = std::move(*in_force);
        name_room(configs_.at(id));
        settle_room(id, Error{why});
    } else {
        forget_room(id, why);
    }
}

void Bridge::set_room(const ops::RoomConfig& config, OnRoomSet on_done) {
    const auto [entry, is_only] = pending_.try_emplace(config.id);
    Pending& pending = entry->second;  // what was on its way is outdated
    if (const auto before = configs_.find(config.id); is_only && before != configs_.end()) {
        pending.in_force = before->second;
    }
    configs_[config.id] = config;
    take_free_names(config);  // those that the room has are its own until these settings are in force
    pending.number = ++last_pending_;
    pending.on_done.push_back(std::move(on_done));
    const auto known = hashed_.find(config.id);
    if (known != hashed_.end() && known->second.pins == pins_of(config)) {
        apply_room(config.id, HashedPins(known->second));
        return;
    }
    if (config.host_pin.empty() && config.guest_pin.empty()) {
        apply_room(config.id, {pins_of(config), {}});
        return;
    }
    const auto on_hashed = [this, alive = std::weak_ptr(alive_), id = config.id, pins = pins_of(config),
                            number = pending.number](const Result<std::vector<std::string>>& hashes) {
        if (alive.expired()) {
            return;
        }
        const auto waiting = pending_.find(id);
        if (waiting == pending_.end() || waiting->second.number != number) {
            return;  // gone, or changed again meanwhile
        }
        if (hashes) {
            apply_room(id, {pins, {hashes->at(0), hashes->at(1)}});
        } else {
            refuse_settings(id, hashes.error());
        }
    };
    if (!services_.hasher.hash_later(pins_of(config), on_hashed)) {
        refuse_settings(config.id, "too many PINs wait to be hashed");
    }
}

void Bridge::apply_room(const std::string& id, HashedPins pins) {
    const PinHashes hashes = pins.hashes;
    hashed_[id] = std::move(pins);
    const ops::RoomConfig& config = configs_.at(id);
    name_room(config);
    if (RoomHost* existing = host(id)) {
        existing->set_pins(core_config(config), hashes);
    } else {
        rooms_[id] = std::make_unique<RoomHost>(services_, core_config(config), hashes);
    }
    settle_room(id, Ok{});
}

void Bridge::start_rooms(const std::vector<ops::RoomConfig>& rooms) {
    for (const ops::RoomConfig& room : rooms) {
        const auto hashes = services_.hasher.hash(pins_of(room));
        if (!hashes) {
            throw std::runtime_error(hashes.error());
        }
        configs_[room.id] = room;
        apply_room(room.id, {pins_of(room), {hashes->at(0), hashes->at(1)}});
        from_file_.insert(room.id);
    }
}

void Bridge::reload_rooms(const std::vector<ops::RoomConfig>& rooms) {
    std::set<std::string> listed;
    for (const ops::RoomConfig& room : rooms) {
        listed.insert(room.id);
    }
    std::set<std::string> gone;
    std::ranges::set_difference(from_file_, listed, std::inserter(gone, gone.end()));
    for (const std::string& id : gone) {
        const RoomHost* room = host(id);
        if (room == nullptr || room->is_empty()) {
            forget_room(id);
            from_file_.erase(id);
        }
    }
    from_file_.merge(listed);
    // Names move between rooms, whichever of the two comes first; who stays without being listed gives way.
    std::erase_if(aliases_, [this](const auto& alias) { return from_file_.contains(alias.second); });
    std::ranges::for_each(rooms, [this](const auto& room) { take_free_names(room); });
    for (const std::string& id : gone) {
        if (const auto config = configs_.find(id); config != configs_.end()) {
            take_free_names(config->second);
        }
    }
    for (const ops::RoomConfig& room : rooms) {
        set_room(room, [id = room.id](const Status& done) {
            if (!done) {
                g_critical("new settings of room %s are not taken: %s", id.c_str(), done.error().c_str());
            }
        });
    }
    drop_forgotten_rooms();
}

}  // namespace vmr::bridge
