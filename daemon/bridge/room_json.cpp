#include "daemon/bridge/room_json.hpp"

#include <ctime>

#include "daemon/bridge/prompts.hpp"

namespace vmr::bridge {

std::string rfc3339(room::TimePoint time) {
    const auto since_epoch = time.time_since_epoch();
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    char whole[48];
    std::snprintf(whole, sizeof whole, "%s.%03dZ", text, static_cast<int>(since_epoch.count() % 1000));
    return whole;
}

nlohmann::json to_json(const room::Participant& participant, bool with_address) {
    const auto& crypto = participant.crypto;
    const std::string media = crypto.suite.empty() ? "none"
                                                   : crypto.key_exchange + " " + crypto.suite + " (" +
                                                         std::to_string(crypto.key_bits) + " bit)";
    nlohmann::json grants = nlohmann::json::array();
    for (const room::Right right : participant.grants) {
        grants.push_back(room::to_string(right));
    }
    nlohmann::json object{
        {"id", participant.id},
        {"name", participant.name},
        {"role", room::to_string(participant.role)},
        {"state", room::to_string(participant.state)},
        {"leg", room::to_string(participant.leg)},
        {"muted", participant.muted},
        {"self_muted", participant.self_muted},
        {"talking", participant.talking},
        {"hand", participant.hand},
        {"spotlight", participant.spotlight},
        {"sharing", participant.sharing},
        {"joined_at", rfc3339(participant.joined_at.value_or(participant.arrived_at))},
        {"user_agent", participant.user_agent},
        {"crypto",
         {{"signalling", crypto.signalling.empty() ? "none" : crypto.signalling},
          {"media", media},
          {"encrypted", participant.encrypted}}},
        {"grants", grants},
    };
    object["lobby_reason"] = participant.state == room::State::lobby
                                 ? nlohmann::json(room::to_string(participant.lobby_reason))
                                 : nlohmann::json();
    if (participant.call != room::CallProgress::none) {
        object["call"] = room::to_string(participant.call);
    }
    if (!participant.verification.empty()) {
        object["caller_verification"] = participant.verification;
    }
    if (with_address && !participant.withheld) {
        object["address"] = participant.address;
    }
    return object;
}

nlohmann::json to_json(const room::RoomView& room) {
    return {
        {"id", room.id},
        {"title", room.title},
        {"aliases", room.aliases},
        {"locked", room.locked},
        {"layout", room::to_string(room.layout)},
        {"guests_allowed", room.guests_allowed},
        {"has_host_pin", room.has_host_pin},
        {"has_guest_pin", room.has_guest_pin},
        {"host_present", room.host_present},
        {"unencrypted", room.unencrypted},
        {"muted_guests", room.muted_guests},
        {"mute_newcomers", room.mute_newcomers},
        {"chat_allowed", room.chat_allowed},
        {"encryption", room::to_string(room.encryption)},
        {"host_absence", room::to_string(room.host_absence)},
        {"started_at", room.started_at ? nlohmann::json(rfc3339(*room.started_at)) : nlohmann::json()},
        {"recording", room.recording},
        {"participant_count", room.participant_count},
    };
}

nlohmann::json to_json(const room::Announce& announcement) {
    return {{"kind", room::to_string(announcement.prompt)}, {"text", text_of(announcement)}};
}

}  // namespace vmr::bridge
