#include "daemon/api/router.hpp"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace vmr::api {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxQueryParameters = 16;

int hex_value(char digit) {
    return g_ascii_xdigit_value(digit);
}

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> segments;
    std::size_t begin = 1;
    while (begin <= path.size()) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        segments.emplace_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return segments;
}

bool is_parameter(const std::string& segment) {
    return segment.size() > 2 && segment.front() == '{';
}

Operation make_operation(const json& description, const json& path_parameters, const json& document) {
    json parameters = path_parameters;
    for (const json& parameter : description.value("parameters", json::array())) {
        parameters.push_back(parameter);
    }
    json properties = json::object();
    json required = json::array();
    std::vector<Parameter> list;
    for (const json& raw : parameters) {
        const json parameter = schema::resolve(raw, document);
        Parameter item{parameter.at("name"), parameter.at("in") == "path", parameter.value("required", false),
                       parameter.at("schema")};
        properties[item.name] = item.schema;
        if (item.required) {
            required.push_back(item.name);
        }
        list.push_back(std::move(item));
    }
    json all = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
    if (!required.empty()) {
        all["required"] = required;
    }
    Operation operation{description.at("operationId"),
                        description.value("x-vmr-websocket", false),
                        false,
                        false,
                        false,
                        false,
                        std::move(list),
                        schema::Validator(all),
                        std::nullopt};
    for (const json& caller : description.at("x-vmr-callers")) {
        operation.admins = operation.admins || caller == "admin";
        operation.participants = operation.participants || caller == "participant";
        operation.devices = operation.devices || caller == "device";
        operation.anonymous = operation.anonymous || caller == "anonymous";
    }
    if (description.contains("requestBody")) {
        const json& body = description.at("requestBody").at("content").at("application/json").at("schema");
        operation.body.emplace(schema::resolve(body, document));
    }
    return operation;
}

// Query and path values are text: give them the type that their schema names.
json typed(const std::string& text, const json& schema) {
    if (schema.value("type", "") == "integer") {
        std::int64_t number = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
        if (result.ec == std::errc() && result.ptr == text.data() + text.size()) {
            return number;
        }
    }
    return text;
}

Response invalid(std::string_view what, const std::vector<schema::Finding>& findings) {
    Response response = problem(400, what);
    response.body["errors"] = json::array();
    for (const schema::Finding& finding : findings) {
        response.body["errors"].push_back(
            {{"pointer", finding.pointer.substr(0, 256)}, {"detail", finding.message.substr(0, 512)}});
    }
    return response;
}

}  // namespace

std::optional<std::string> decode_segment(std::string_view encoded) {
    std::string decoded;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] != '%') {
            decoded += encoded[i];
            continue;
        }
        if (i + 2 >= encoded.size() || hex_value(encoded[i + 1]) < 0 || hex_value(encoded[i + 2]) < 0) {
            return std::nullopt;
        }
        decoded += static_cast<char>(hex_value(encoded[i + 1]) * 16 + hex_value(encoded[i + 2]));
        i += 2;
    }
    const bool has_nul = decoded.find('\0') != std::string::npos;
    return has_nul ? std::nullopt : std::optional(decoded);
}

std::optional<std::map<std::string, std::string>> parse_query(std::string_view query) {
    std::map<std::string, std::string> values;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) {
            continue;
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decode_segment(pair.substr(0, equals));
        const auto value = decode_segment(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value || values.size() >= kMaxQueryParameters ||
            !values.emplace(*name, *value).second) {
            return std::nullopt;
        }
    }
    return values;
}

Router::Router(const json& document) {
    for (const auto& [path, item] : document.at("paths").items()) {
        Route route{split(path), {}};
        for (const auto& [key, description] : item.items()) {
            if (key == "parameters") {
                continue;
            }
            std::string method = key;
            std::transform(method.begin(), method.end(), method.begin(),
                           [](unsigned char c) { return std::toupper(c); });
            route.operations.emplace(
                method, make_operation(description, item.value("parameters", json::array()), document));
        }
        routes_.push_back(std::move(route));
    }
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
    const std::vector<std::string> segments = split(path);
    for (const Route& route : routes_) {
        Match match;
        bool fits = route.segments.size() == segments.size();
        for (std::size_t i = 0; fits && i < segments.size(); ++i) {
            if (!is_parameter(route.segments[i])) {
                fits = route.segments[i] == segments[i];
                continue;
            }
            const auto value = decode_segment(segments[i]);
            fits = value.has_value() && !value->empty();
            if (fits) {
                match.path[route.segments[i].substr(1, route.segments[i].size() - 2)] = *value;
            }
        }
        if (!fits) {
            continue;
        }
        for (const auto& [name, operation] : route.operations) {
            match.allowed += (match.allowed.empty() ? "" : ", ") + name;
            if (name == method) {
                match.operation = &operation;
            }
        }
        return match;
    }
    return {};
}

Router::Params Router::params(const Match& match, const std::map<std::string, std::string>& query,
                              std::string_view content_type, std::string_view body) {
    const Operation& operation = *match.operation;
    Params params;
    for (const auto& [name, value] : match.path) {
        params.values[name] = value;
    }
    for (const auto& [name, value] : query) {
        const auto known =
            std::find_if(operation.parameters.begin(), operation.parameters.end(),
                         [&name = name](const Parameter& p) { return p.name == name && !p.in_path; });
        // What the document does not name stays, and is refused by the validator.
        if (!params.values.contains(name)) {
            params.values[name] =
                typed(value, known != operation.parameters.end() ? known->schema : json::object());
        } else {
            params.refused = problem(400, "query parameter repeats a path parameter");
            return params;
        }
    }
    if (auto findings = operation.parameter_validator.check(params.values); !findings.empty()) {
        params.refused = invalid("the parameters do not fit the document", findings);
        return params;
    }
    for (const Parameter& parameter : operation.parameters) {
        if (!params.values.contains(parameter.name) && parameter.schema.contains("default")) {
            params.values[parameter.name] = parameter.schema["default"];
        }
    }
    if (!operation.body) {
        if (!body.empty()) {
            params.refused = problem(400, "this operation takes no body");
        }
        return params;
    }
    if (content_type != "application/json") {
        params.refused = problem(415, "the body must be application/json");
        return params;
    }
    const auto value = schema::parse_untrusted(body);
    if (!value) {
        params.refused = problem(400, "the body is " + value.error());
        return params;
    }
    if (auto findings = operation.body->check(*value); !findings.empty()) {
        params.refused = invalid("the body does not fit the document", findings);
        return params;
    }
    params.values.update(*value);
    return params;
}

}  // namespace vmr::api
