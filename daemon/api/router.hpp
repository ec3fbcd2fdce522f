// Which operation of the OpenAPI document a request is, and whether it fits it.
#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/control.hpp"
#include "schemas/validator.hpp"

namespace vmr::api {

inline constexpr std::string_view kApiPrefix = "/api/v1";

struct Parameter {
    std::string name;
    bool in_path = false;
    bool required = false;
    nlohmann::json schema;
};

struct Operation {
    std::string id;
    bool websocket = false;
    bool admins = false, participants = false, devices = false, anonymous = false;
    std::vector<Parameter> parameters;
    schema::Validator parameter_validator;
    std::optional<schema::Validator> body;
};

class Router {
public:
    // `document` as embedded; a fault in it is a bug and throws.
    explicit Router(const nlohmann::json& document);

    struct Match {
        const Operation* operation = nullptr;     // null: see `allowed`
        std::map<std::string, std::string> path;  // decoded path parameters
        std::string allowed;                      // methods of this path ("GET, POST"); empty: no such path
    };
    // `path` is still percent-encoded, below kApiPrefix.
    Match match(std::string_view method, std::string_view path) const;

    // Path, query and body merged and validated, or a problem to answer with.
    struct Params {
        nlohmann::json values = nlohmann::json::object();
        std::optional<Response> refused;
    };
    static Params params(const Match& match, const std::map<std::string, std::string>& query,
                         std::string_view content_type, std::string_view body);

private:
    struct Route {
        std::vector<std::string> segments;            // "{name}" is a parameter
        std::map<std::string, Operation> operations;  // by method, upper case
    };
    std::vector<Route> routes_;
};

// Percent-decoding of one segment; nothing when it is malformed or holds NUL.
std::optional<std::string> decode_segment(std::string_view encoded);
// "a=1&b=2"; nothing when it is malformed, has a name twice or more than 16 of them.
std::optional<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace vmr::api
