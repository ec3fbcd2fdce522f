// BFCP messages (RFC 8855 section 5) as plain data. Pure; libre reads and writes the bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmr::bfcp {

enum class Primitive : std::uint8_t {
    floor_request = 1,
    floor_release,
    floor_request_query,
    floor_request_status,
    user_query,
    user_status,
    floor_query,
    floor_status,
    chair_action,
    chair_action_ack,
    hello,
    hello_ack,
    error,
    floor_request_status_ack,
    floor_status_ack,
    goodbye,
    goodbye_ack,
};

enum class RequestStatus : std::uint8_t {
    pending = 1,
    accepted,
    granted,
    denied,
    cancelled,
    released,
    revoked
};

// Section 5.2.6.
enum class ErrorCode : std::uint8_t {
    none = 0,
    no_conference = 1,
    no_user = 2,
    unknown_primitive = 3,
    unknown_mandatory_attribute = 4,
    unauthorized = 5,
    invalid_floor = 6,
    no_floor_request = 7,
    too_many_requests = 8,
    use_tls = 9,
    unreadable = 10,
    use_dtls = 11,
    unsupported_version = 12,
    incorrect_length = 13,
    generic = 14,
};

inline constexpr std::uint8_t kReliable = 1;  // version over TCP
inline constexpr std::uint8_t kUnreliable =
    2;  // version over UDP: responses carry the R bit, all is answered

inline constexpr std::size_t kMaxMessage = 1024;  // bytes; ours have under 100. Fragments are refused
inline constexpr std::size_t kMaxFloors = 8;      // in one message

struct Header {
    std::uint8_t version = kUnreliable;
    bool response = false;  // the R bit
    Primitive primitive = Primitive::hello;
    std::uint32_t conference = 0;
    std::uint16_t transaction = 0;
    std::uint16_t user = 0;
};

// What a floor control client may say to us, with the attributes that matter to a server.
struct Message {
    Header header;
    std::vector<std::uint16_t> floors;
    std::optional<std::uint16_t> floor_request;
    std::optional<std::uint16_t> beneficiary;
    std::optional<RequestStatus> request_status;  // in FloorRequestStatus: its overall status
    ErrorCode error = ErrorCode::none;            // in Error
    std::vector<std::uint8_t> unknown_mandatory;  // types of attributes that we do not know and must
};

struct FloorRequestInfo {
    std::uint16_t request = 0;
    std::uint16_t floor = 0;
    RequestStatus status = RequestStatus::pending;
    std::uint8_t queue_position = 0;
    std::uint16_t beneficiary = 0;
};

// Length in bytes of the message that begins here, for framing on a stream; empty: the header is not there
// yet.
std::optional<std::size_t> message_length(std::string_view bytes);

// The header alone, for the answer to what cannot be read any further.
std::optional<Header> parse_header(std::string_view bytes);
Result<Message> parse(std::string_view bytes);

// Without attributes: Hello, Goodbye and all acknowledgements but HelloAck.
std::string write(const Header& header);
std::string write_hello_ack(Header header);
std::string write_error(Header header, ErrorCode code, const std::vector<std::uint8_t>& unknown = {});
std::string write_floor_request(Header header, std::uint16_t floor);
std::string write_floor_release(Header header, std::uint16_t request);
std::string write_floor_query(Header header, std::uint16_t floor);
std::string write_floor_request_status(Header header, const FloorRequestInfo& info);
// Of nobody: the floor is free, or (UserStatus) the user asked for none.
std::string write_floor_status(Header header, std::uint16_t floor,
                               const std::optional<FloorRequestInfo>& info);
std::string write_user_status(Header header, const std::optional<FloorRequestInfo>& info);

}  // namespace vmr::bfcp
