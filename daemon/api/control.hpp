// What the API asks of the bridge: operations of schemas/api/openapi.json.
#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vmr::api {

struct Caller {
    enum class Kind { anonymous, participant, device, admin };
    Kind kind = Kind::anonymous;
    std::string room;         // participants only: the room they are in
    std::string participant;  // participants only
    std::string address;      // where the request came from, without the port
    std::string device = {};  // devices only: its name
};

// A body for status >= 400 is a problem (RFC 9457); `problem()` makes one.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a json never throws
struct Response {
    int status = 200;
    nlohmann::json body;  // null: no body
};

Response problem(int status, std::string_view detail = {});
const char* phrase_of(int status);

using Reply = std::function<void(Response)>;

class Control {
public:
    virtual ~Control() = default;
    // Whether a participant may follow its room's events now: who is still at the PIN or in the lobby learns
    // nothing of the room. Asked at each subscription and before each event.
    virtual bool may_follow_events(const Caller& caller) const = 0;
    // The newest event before a participant (last) entered the room: it and older ones are none of theirs.
    virtual std::uint64_t events_hidden_until(const Caller& caller) const = 0;
    // `operation_id` is one of the OpenAPI document's; `params` is an object that holds
    // path, query and body members merged, already validated against the document and
    // with its defaults set. The caller kind is allowed for the operation, and a participant's `room` is its
    // own; who is a host is for the room to check. `reply` is called once, on the main
    // context, at once or later. createSession and deleteSession never come here.
    virtual void perform(const Caller& caller, std::string_view operation_id, const nlohmann::json& params,
                         Reply reply) = 0;
};

}  // namespace vmr::api
