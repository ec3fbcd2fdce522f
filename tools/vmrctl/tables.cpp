#include "tools/vmrctl/tables.hpp"

#include <algorithm>
#include <iostream>
#include <vector>

#include "base/utf8.hpp"

namespace vmr::ctl {

using nlohmann::json;

namespace {

using Row = std::vector<std::string>;

// Names come from the network: a terminal must not take orders from them.
std::string plain(std::string_view text) {
    return without_controls(text, "?");
}

std::string cell(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return "-";
    }
    return plain(found->is_string()    ? found->get<std::string>()
                 : found->is_boolean() ? (*found ? "yes" : "no")
                                       : found->dump());
}

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void print_table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - width_of(row[i]) + 2, ' ') : "");
        }
        std::cout << line << "\n";
    }
}

void print_list(const json& list, const Row& titles, const std::vector<const char*>& keys) {
    std::vector<Row> rows{titles};
    for (const json& item : list) {
        Row row;
        for (const char* key : keys) {
            row.push_back(cell(item, key));
        }
        rows.push_back(std::move(row));
    }
    print_table(rows);
}

}  // namespace

void print_rooms(const json& body) {
    print_list(body.value("rooms", json::array()),
               {"ROOM", "TITLE", "PEOPLE", "LOCKED", "HOST", "LAYOUT", "ENCRYPTION"},
               {"id", "title", "participant_count", "locked", "host_present", "layout", "encryption"});
}

void print_participants(const json& body) {
    json list = body.value("participants", json::array());
    for (json& item : list) {
        item["encrypted"] = item.value("crypto", json::object()).value("encrypted", false);
    }
    print_list(
        list,
        {"PARTICIPANT", "NAME", "ROLE", "STATE", "LOBBY", "LEG", "MUTED", "SELF-MUTED", "HAND", "ENCRYPTED"},
        {"id", "name", "role", "state", "lobby_reason", "leg", "muted", "self_muted", "hand", "encrypted"});
}

void print_devices(const json& body) {
    json list = body.value("devices", json::array());
    for (json& item : list) {
        const json contacts = item.value("contacts", json::array());
        item["address"] = contacts.empty() ? json() : contacts.front().value("remote_address", json());
    }
    print_list(list, {"DEVICE", "NAME", "MODEL", "STATE", "ADDRESS", "USER-AGENT", "LAST-SEEN"},
               {"name", "display_name", "model", "state", "address", "user_agent", "last_seen"});
}

void print_calls(const json& body) {
    print_list(body.value("calls", json::array()),
               {"STARTED", "ENDED", "ROOM", "NAME", "ROLE", "LEG", "FROM", "CAUSE"},
               {"started_at", "ended_at", "room", "name", "role", "leg", "from", "end_cause"});
}

void print_object(const json& body) {
    std::vector<Row> rows;
    for (const auto& [key, value] : body.items()) {
        rows.push_back({key, cell(body, key.c_str())});
    }
    if (!rows.empty()) {
        print_table(rows);
    }
}

std::string event_line(const json& event) {
    const json data = event.value("data", json::object());
    std::string line = cell(event, "time") + " " + cell(event, "id") + " " + cell(event, "type");
    if (!event.value("subject", "").empty()) {
        line += " " + cell(event, "subject");
    }
    for (const char* key :
         {"id",      "participant", "name",  "role",  "state", "kind", "status",  "text", "cause", "device",
          "contact", "reason",      "trunk", "proxy", "why",   "file", "expires", "room", "spent", "limit"}) {
        if (data.contains(key) && !data[key].is_structured()) {
            line += std::string(" ") + key + "=" + cell(data, key);
        }
    }
    // Of a call that came to nothing.
    if (const auto ended = data.find("ended"); ended != data.end() && ended->is_object()) {
        line += " cause=" + cell(*ended, "cause");
    }
    return line;
}

}  // namespace vmr::ctl
