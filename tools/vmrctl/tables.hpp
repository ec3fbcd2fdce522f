// What vmrctl prints for people.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace vmr::ctl {

void print_rooms(const nlohmann::json& body);
void print_participants(const nlohmann::json& body);
void print_devices(const nlohmann::json& body);
void print_calls(const nlohmann::json& body);
void print_object(const nlohmann::json& body);
std::string event_line(const nlohmann::json& event);

}  // namespace vmr::ctl
