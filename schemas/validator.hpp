// JSON Schema validation (draft-07 subset) of nlohmann::json values, and the embedded schemas.
#pragma once
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmr::schema {

struct Finding {
    std::string pointer;  // JSON pointer to the value ("/rooms/0/host_pin"); empty: the whole
    std::string message;
};

class Validator {
public:
    // `schema` must be self-contained (see `resolve`). Throws when it is not a schema: a bug.
    explicit Validator(nlohmann::json schema);
    ~Validator();
    Validator(Validator&&) noexcept;
    Validator& operator=(Validator&&) noexcept;

    // What does not fit, at most 20 findings. Empty: valid.
    std::vector<Finding> check(const nlohmann::json& value) const;
    const nlohmann::json& schema() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Replaces each {"$ref": "#/…"} in `node` by what it names in `document` (not for recursive schemas).
nlohmann::json resolve(const nlohmann::json& node, const nlohmann::json& document);

// An embedded document: "config.json", "cdr.json", "event.json", "api/openapi.json".
const nlohmann::json& embedded(const std::string& name);

// Parses text from outside: no exceptions, and no nesting deeper than `max_depth`.
Result<nlohmann::json> parse_untrusted(std::string_view text, std::size_t max_depth = 16);

}  // namespace vmr::schema
