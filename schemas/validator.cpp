#include "schemas/validator.hpp"

#include <gio/gio.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

extern "C" GResource* vmr_schemas_get_resource(void);

namespace vmr::schema {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxFindings = 20;

// UTF-8 code points, as JSON Schema counts a string's length.
std::size_t code_points(const std::string& text) {
    std::size_t count = 0;
    for (const char byte : text) {
        count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

// Sizes come before anything else: std::regex recurses once a character, so that a long
// string must never reach a `pattern`.
void check_sizes(const json& schema, const json& value, const std::string& pointer,
                 std::vector<Finding>& out) {
    if (out.size() >= kMaxFindings || !schema.is_object()) {
        return;
    }
    for (const char* any : {"anyOf", "oneOf"}) {
        if (schema.contains(any)) {
            for (const json& option : schema[any]) {
                const bool same_type = option.value("type", json()) == json(value.type_name());
                if (same_type) {
                    check_sizes(option, value, pointer, out);
                }
            }
        }
    }
    if (value.is_string()) {
        const auto limit = schema.find("maxLength");
        if (limit != schema.end() &&
            code_points(value.get_ref<const std::string&>()) > limit->get<std::size_t>()) {
            out.push_back({pointer, "must not be longer than " + limit->dump() + " characters"});
        }
    } else if (value.is_array()) {
        const auto limit = schema.find("maxItems");
        if (limit != schema.end() && value.size() > limit->get<std::size_t>()) {
            out.push_back({pointer, "must not have more than " + limit->dump() + " items"});
            return;
        }
        const auto items = schema.find("items");
        for (std::size_t i = 0; items != schema.end() && i < value.size(); ++i) {
            check_sizes(*items, value[i], pointer + "/" + std::to_string(i), out);
        }
    } else if (value.is_object() && schema.contains("properties")) {
        for (const auto& [name, member] : value.items()) {
            const auto property = schema["properties"].find(name);
            if (property != schema["properties"].end()) {
                check_sizes(*property, member, pointer + "/" + name, out);
            }
        }
    }
}

// valijson names the place as {"<root>", "[rooms]", "[0]"}.
std::string pointer_of(const std::vector<std::string>& context) {
    std::string pointer;
    for (std::size_t i = 1; i < context.size(); ++i) {
        const std::string& step = context[i];
        const bool bracketed = step.size() >= 2 && step.front() == '[' && step.back() == ']';
        pointer += "/" + (bracketed ? step.substr(1, step.size() - 2) : step);
    }
    return pointer;
}

std::string human(const std::string& description, const json& schema) {
    const auto has = [&](const char* text) { return description.find(text) != std::string::npos; };
    if (has("'pattern'")) {
        return "must match " + schema.value("pattern", std::string("the pattern"));
    }
    if (has("enum")) {
        return "must be one of " + schema.value("enum", json::array()).dump();
    }
    if (has("type")) {
        return "must be of type " + schema.value("type", json("the schema's")).dump();
    }
    return description;
}

const json& schema_at(const json& schema, const std::string& pointer) {
    static const json kNone = json::object();
    const json* at = &schema;
    std::size_t begin = 1;
    while (begin <= pointer.size() && !pointer.empty()) {
        const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
        const std::string step = pointer.substr(begin, end - begin);
        if (at->contains("properties") && (*at)["properties"].contains(step)) {
            at = &(*at)["properties"][step];
        } else if (at->contains("items")) {
            at = &(*at)["items"];
        } else {
            return kNone;
        }
        begin = end + 1;
    }
    return *at;
}

// "must be text, { file = … } or { env = … }": for people, who do not see the schema.
std::string choice_text(const json& options) {
    std::string text = "must be ";
    for (std::size_t i = 0; i < options.size(); ++i) {
        text += i == 0 ? "" : i + 1 < options.size() ? ", " : " or ";
        const std::string type = options[i].value("type", "");
        if (type == "object") {
            std::string members;
            for (const json& name : options[i].value("required", json::array())) {
                members += (members.empty() ? "" : ", ") + name.get<std::string>() + " = …";
            }
            text += "{ " + members + " }";
        } else {
            text += type == "string" ? "text" : type;
        }
    }
    return text;
}

// The first value on the way to `pointer` that may be one of several things: what is wrong with it as each of
// them is of no help.
std::optional<Finding> choice_at(const json& schema, const std::string& pointer) {
    for (std::size_t end = 0; end != std::string::npos;) {
        end = pointer.find('/', end + 1);
        const json& at = schema_at(schema, pointer.substr(0, end));
        if (at.contains("anyOf")) {
            return Finding{pointer.substr(0, end), choice_text(at["anyOf"])};
        }
    }
    return std::nullopt;
}

// An unknown member is named in the text alone: "…constraints: 'name'."
Finding finding_of(const std::string& pointer, const std::string& description, const json& schema) {
    constexpr std::string_view kUnknown = "'additionalProperties' constraints: '";
    const std::size_t at = description.find(kUnknown);
    if (at != std::string::npos) {
        const std::size_t begin = at + kUnknown.size();
        const std::string name = description.substr(begin, description.rfind('\'') - begin);
        return {pointer + "/" + name.substr(0, 128), "is not known here"};
    }
    return {pointer, human(description, schema)};
}

}  // namespace

struct Validator::Impl {
    json document;
    valijson::Schema schema;
};

Validator::Validator(json schema) : impl_(std::make_unique<Impl>()) {
    impl_->document = std::move(schema);
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(impl_->document), impl_->schema);
}

Validator::~Validator() = default;
Validator::Validator(Validator&&) noexcept = default;
Validator& Validator::operator=(Validator&&) noexcept = default;

const json& Validator::schema() const {
    return impl_->document;
}

std::vector<Finding> Validator::check(const json& value) const {
    std::vector<Finding> findings;
    check_sizes(impl_->document, value, "", findings);
    if (!findings.empty()) {
        return findings;
    }
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    if (validator.validate(impl_->schema, valijson::adapters::NlohmannJsonAdapter(value), &results)) {
        return findings;
    }
    valijson::ValidationResults::Error error;
    while (findings.size() < kMaxFindings && results.popError(error)) {
        const std::string pointer = pointer_of(error.context);
        // An object's error "failed to validate member" only repeats what its member said.
        if (error.description.find("Failed to validate against schema associated with") !=
                std::string::npos ||
            error.description.find("Failed to validate item") != std::string::npos) {
            continue;
        }
        const auto choice = choice_at(impl_->document, pointer);
        Finding finding =
            choice ? *choice : finding_of(pointer, error.description, schema_at(impl_->document, pointer));
        if (!choice || std::ranges::find(findings, finding.pointer, &Finding::pointer) == findings.end()) {
            findings.push_back(std::move(finding));
        }
    }
    if (findings.empty()) {
        findings.push_back({"", "does not fit the schema"});
    }
    return findings;
}

json resolve(const json& node, const json& document) {
    if (node.is_object()) {
        if (const auto reference = node.find("$ref"); reference != node.end()) {
            const std::string path = reference->get<std::string>();
            if (!path.starts_with("#/")) {
                throw std::invalid_argument("schema reference outside the document: " + path);
            }
            return resolve(document.at(json::json_pointer(path.substr(1))), document);
        }
        json copy = json::object();
        for (const auto& [name, member] : node.items()) {
            copy[name] = resolve(member, document);
        }
        return copy;
    }
    if (node.is_array()) {
        json copy = json::array();
        for (const json& item : node) {
            copy.push_back(resolve(item, document));
        }
        return copy;
    }
    return node;
}

const json& embedded(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, json> documents;
    const std::scoped_lock lock(mutex);
    const auto found = documents.find(name);
    if (found != documents.end()) {
        return found->second;
    }
    GBytes* bytes = g_resource_lookup_data(vmr_schemas_get_resource(), ("/vmr/schemas/" + name).c_str(),
                                           G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr);
    if (bytes == nullptr) {
        throw std::invalid_argument("no embedded schema " + name);
    }
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(bytes, &size));
    json document = json::parse(data, data + size);
    g_bytes_unref(bytes);
    return documents.emplace(name, std::move(document)).first->second;
}

Result<json> parse_untrusted(std::string_view text, std::size_t max_depth) {
    bool too_deep = false;
    const auto callback = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > static_cast<int>(max_depth);
        return !too_deep;
    };
    json value = json::parse(text.begin(), text.end(), callback, false);
    if (too_deep) {
        return Error{"nested too deeply"};
    }
    if (value.is_discarded()) {
        return Error{"not JSON"};
    }
    return value;
}

}  // namespace vmr::schema
