// A TOML file as JSON that remembers lines: what config.cpp reads and complains with.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "daemon/ops/config.hpp"

namespace vmr::ops {

class ConfigDocument {
public:
    static Result<ConfigDocument> parse(std::string_view text, std::string name, std::string directory);

    bool validate(const nlohmann::json& schema);
    nlohmann::json table(const char* key) const { return root_.value(key, nlohmann::json::object()); }
    nlohmann::json array(const char* key) const { return root_.value(key, nlohmann::json::array()); }

    // All name their place by JSON pointer; what is wrong becomes a fault.
    std::vector<Endpoint> endpoints(const std::string& pointer);
    Endpoint endpoint(const std::string& pointer);
    std::string host(const std::string& pointer);    // a name or an address; empty: not given
    std::string secret(const std::string& pointer);  // text, {file=…} or {env=…}
    std::string pin(const std::string& pointer);     // a secret of 4 to 20 digits
    void fault(const std::string& pointer, const std::string& message);
    // One line each, in the file's order.
    std::string faults() const;

private:
    int line_of(const std::string& pointer) const;

    std::string name_;
    std::string directory_;
    nlohmann::json root_ = nlohmann::json::object();
    std::map<std::string, int> lines_;
    std::set<std::pair<int, std::string>> faults_;
};

// "host:port" or "[v6]:port"; without a port `otherwise`, and port 0 where it is none.
Endpoint split_endpoint(const std::string& text, std::uint16_t otherwise = 0);
// "192.0.2.0/24", "2001:db8::1".
bool is_network(const std::string& text);

}  // namespace vmr::ops
