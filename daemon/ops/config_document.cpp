#include "daemon/ops/config_document.hpp"

#include <gio/gio.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "base/cidr.hpp"
#include "daemon/ops/host_names.hpp"
#include "schemas/validator.hpp"

namespace vmr::ops {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxSecret = 512;  // characters

json to_json(const toml::node& node, const std::string& pointer, std::map<std::string, int>& lines) {
    lines[pointer] = static_cast<int>(node.source().begin.line);
    if (const toml::table* table = node.as_table()) {
        json object = json::object();
        for (const auto& [key, value] : *table) {
            const std::string name(key.str());
            const std::string at = pointer + "/" + name;
            object[name] = to_json(value, at, lines);
            // A table's own place is where its body is: the key's line is what a reader looks for.
            lines[at] = static_cast<int>(key.source().begin.line);
        }
        return object;
    }
    if (const toml::array* list = node.as_array()) {
        json array = json::array();
        for (const toml::node& item : *list) {
            array.push_back(to_json(item, pointer + "/" + std::to_string(array.size()), lines));
        }
        return array;
    }
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    if (const auto* number = node.as_integer()) {
        return number->get();
    }
    if (const auto* number = node.as_floating_point()) {
        return number->get();
    }
    if (const auto* flag = node.as_boolean()) {
        return flag->get();
    }
    return "a date";  // no key takes one: refused by its type or pattern
}

// "/rooms/0/host_pin" → "rooms[0].host_pin"
std::string key_of(const std::string& pointer) {
    std::string key;
    std::size_t begin = 1;
    while (begin < pointer.size()) {
        const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
        const std::string step = pointer.substr(begin, end - begin);
        const bool index = !key.empty() &&
                           std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
        key += index ? "[" + step + "]" : (key.empty() ? "" : ".") + step;
        begin = end + 1;
    }
    return key;
}

}  // namespace

Endpoint split_endpoint(const std::string& text, std::uint16_t otherwise) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string::npos;
    const bool bracketed = bracket != std::string::npos;
    const std::size_t colon = text.find(':', bracketed ? bracket : 0);
    Endpoint endpoint{bracketed ? text.substr(1, bracket - 1) : text.substr(0, colon), otherwise};
    if (bracketed && colon != bracket + 1 && bracket + 1 != text.size()) {
        return {text, 0};  // "[::1]x:80"
    }
    if (colon != std::string::npos) {
        const char* end = text.data() + text.size();
        const auto result = std::from_chars(text.data() + colon + 1, end, endpoint.port);
        endpoint.port = result.ec == std::errc() && result.ptr == end ? endpoint.port : 0;
    }
    return endpoint;
}

bool is_network(const std::string& text) {
    GInetAddressMask* mask = g_inet_address_mask_new_from_string(text.c_str(), nullptr);
    const bool valid = mask != nullptr && parse_cidr(text).ok();
    g_clear_object(&mask);
    return valid;
}

Result<ConfigDocument> ConfigDocument::parse(std::string_view text, std::string name, std::string directory) {
    const toml::parse_result parsed = toml::parse(text, name);
    if (!parsed) {
        const auto& error = parsed.error();
        return Error{name + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description())};
    }
    ConfigDocument document;
    document.name_ = std::move(name);
    document.directory_ = std::move(directory);
    document.root_ = to_json(parsed.table(), "", document.lines_);
    return document;
}

bool ConfigDocument::validate(const json& schema) {
    for (const schema::Finding& finding : schema::Validator(schema).check(root_)) {
        fault(finding.pointer, finding.message);
    }
    return faults_.empty();
}

int ConfigDocument::line_of(const std::string& pointer) const {
    std::string at = pointer;
    while (!at.empty()) {
        const auto found = lines_.find(at);
        if (found != lines_.end()) {
            return found->second;
        }
        at.resize(at.rfind('/'));
    }
    return 1;
}

void ConfigDocument::fault(const std::string& pointer, const std::string& message) {
    const std::string key = key_of(pointer);
    faults_.insert({line_of(pointer), (key.empty() ? "" : key + ": ") + message});
}

std::string ConfigDocument::faults() const {
    std::string text;
    for (const auto& [line, message] : faults_) {
        text += (text.empty() ? "" : "\n") + name_ + ":" + std::to_string(line) + ": " + message;
    }
    return text;
}

std::vector<Endpoint> ConfigDocument::endpoints(const std::string& pointer) {
    std::vector<Endpoint> list;
    const json::json_pointer where(pointer);
    for (std::size_t i = 0; root_.contains(where) && i < root_.at(where).size(); ++i) {
        list.push_back(endpoint(pointer + "/" + std::to_string(i)));
    }
    return list;
}

Endpoint ConfigDocument::endpoint(const std::string& pointer) {
    const Endpoint endpoint = split_endpoint(root_.at(json::json_pointer(pointer)).get<std::string>());
    if (endpoint.port == 0 || !is_address(endpoint.address)) {
        fault(pointer, "must be address:port or [v6]:port, with a numeric address");
    }
    return endpoint;
}

std::string ConfigDocument::host(const std::string& pointer) {
    const std::string host = root_.value(json::json_pointer(pointer), "");
    if (!host.empty() && !is_host(host)) {
        fault(pointer, "must be a host name or a numeric address, without port");
    }
    return host;
}

std::string ConfigDocument::secret(const std::string& pointer) {
    const json::json_pointer where(pointer);
    if (!root_.contains(where)) {
        return {};
    }
    const json& value = root_.at(where);
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.contains("env")) {
        const std::string variable = value.at("env");
        const char* content = std::getenv(variable.c_str());
        if (content == nullptr || *content == '\0') {
            fault(pointer, "environment variable " + variable + " is not set");
        }
        return content != nullptr ? content : "";
    }
    const std::string path = value.at("file");
    std::ifstream file(path.starts_with('/') ? path : directory_ + "/" + path, std::ios::binary);
    std::string content(kMaxSecret + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) {
        content.pop_back();
    }
    if (content.empty() || content.size() > kMaxSecret) {
        fault(pointer, "file " + path + " cannot be read, is empty or too long");
    }
    return content;
}

// The message never repeats the value: it may be most of a real PIN.
std::string ConfigDocument::pin(const std::string& pointer) {
    const std::string value = secret(pointer);
    const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!value.empty() && (!digits || value.size() < 4 || value.size() > 20)) {
        fault(pointer, "must be 4 to 20 digits");
    }
    return value;
}

}  // namespace vmr::ops
