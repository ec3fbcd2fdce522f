#include "daemon/bfcp/message.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <type_traits>

#include "base/bytes.hpp"
#include "base/libre.hpp"

namespace vmr::bfcp {
namespace {

// libre's enumerations hold whatever came: one that has no such value may not be read as one.
template <typename Enumeration>
std::uint8_t number_of(const Enumeration& value) {
    std::underlying_type_t<Enumeration> number;
    std::memcpy(&number, &value, sizeof number);
    return static_cast<std::uint8_t>(number);
}

constexpr std::size_t kHeaderSize = 12;

struct MemDeref {
    void operator()(void* memory) const noexcept { mem_deref(memory); }
};
template <typename T>
using MemPtr = std::unique_ptr<T, MemDeref>;

MemPtr<mbuf> make_buffer(std::size_t size) {
    MemPtr<mbuf> buffer(mbuf_alloc(size));
    if (!buffer) {
        throw std::bad_alloc();
    }
    return buffer;
}

template <typename... Attributes>
std::string encode(const Header& header, unsigned count, Attributes... attributes) {
    const MemPtr<mbuf> buffer = make_buffer(64);
    const int error = bfcp_msg_encode(buffer.get(), header.version, header.response,
                                      static_cast<bfcp_prim>(header.primitive), header.conference,
                                      header.transaction, header.user, count, attributes...);
    if (error != 0) {
        throw std::runtime_error("a BFCP message could not be written");
    }
    return {reinterpret_cast<const char*>(buffer->buf), buffer->end};
}

// What follows a grouped attribute's value are the attributes inside it, as many as its second argument says.
std::string encode_with_info(Header header, Primitive primitive, const FloorRequestInfo& info) {
    header.primitive = primitive;
    const bfcp_reqstatus status{static_cast<bfcp_reqstat>(info.status), info.queue_position};
    return encode(header, 1, BFCP_FLOOR_REQ_INFO, 3U, &info.request,  //
                  BFCP_OVERALL_REQ_STATUS, 1U, &info.request, BFCP_REQUEST_STATUS, 0U, &status,
                  BFCP_FLOOR_REQ_STATUS, 0U, &info.floor,  //
                  BFCP_BENEFICIARY_INFO, 0U, &info.beneficiary);
}

void read_attribute(const bfcp_attr& attribute, Message& message) {
    switch (attribute.type) {
        case BFCP_FLOOR_ID:
            if (message.floors.size() < kMaxFloors) {
                message.floors.push_back(attribute.v.floorid);
            }
            break;
        case BFCP_FLOOR_REQUEST_ID:
            message.floor_request = attribute.v.floorreqid;
            break;
        case BFCP_BENEFICIARY_ID:
            message.beneficiary = attribute.v.beneficiaryid;
            break;
        case BFCP_ERROR_CODE:
            message.error = static_cast<ErrorCode>(number_of(attribute.v.errcode.code));
            break;
        case BFCP_FLOOR_REQ_INFO:
            message.floor_request = attribute.v.floorreqid;
            if (const bfcp_attr* overall = bfcp_attr_subattr(&attribute, BFCP_OVERALL_REQ_STATUS)) {
                if (const bfcp_attr* status = bfcp_attr_subattr(overall, BFCP_REQUEST_STATUS)) {
                    message.request_status =
                        static_cast<RequestStatus>(number_of(status->v.reqstatus.status));
                }
            }
            break;
        default:
            break;
    }
}

}  // namespace

std::optional<std::size_t> message_length(std::string_view bytes) {
    if (bytes.size() < kHeaderSize) {
        return {};
    }
    return kHeaderSize + std::size_t{4} * read16(bytes_of(bytes), 2);
}

std::optional<Header> parse_header(std::string_view bytes) {
    if (bytes.size() < kHeaderSize) {
        return {};
    }
    const auto first = static_cast<uint8_t>(bytes[0]);
    Header header;
    header.version = first >> 5;
    header.response = (first & 0x10) != 0;
    header.primitive = static_cast<Primitive>(bytes[1]);
    const Bytes numbers = bytes_of(bytes);
    header.conference = read32(numbers, 4);
    header.transaction = read16(numbers, 8);
    header.user = read16(numbers, 10);
    return header;
}

Result<Message> parse(std::string_view bytes) {
    const std::optional<Header> header = parse_header(bytes);
    if (!header || bytes.size() > kMaxMessage) {
        return Error{"no BFCP header, or too long"};
    }
    if (message_length(bytes) != bytes.size()) {
        return Error{"the length is not that of the message"};
    }
    const bool fragment = (static_cast<uint8_t>(bytes[0]) & 0x08) != 0;
    if (fragment) {
        return Error{"a fragment"};
    }
    const MemPtr<mbuf> buffer = make_buffer(bytes.size());
    mbuf_write_mem(buffer.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    mbuf_set_pos(buffer.get(), 0);
    bfcp_msg* decoded = nullptr;
    const int error = bfcp_msg_decode(&decoded, buffer.get());
    const MemPtr<bfcp_msg> owner(decoded);
    if (error != 0) {
        return Error{"unreadable attributes"};
    }
    Message message;
    message.header = *header;
    const auto read = [](const bfcp_attr* attribute, void* data) {
        read_attribute(*attribute, *static_cast<Message*>(data));
        return false;
    };
    bfcp_msg_attr_apply(decoded, read, &message);
    const std::size_t unknown = std::min(decoded->uma.typec, std::size(decoded->uma.typev));
    for (std::size_t i = 0; i < unknown; ++i) {
        message.unknown_mandatory.push_back(decoded->uma.typev[i] >> 1);
    }
    return message;
}

std::string write(const Header& header) {
    return encode(header, 0);
}

std::string write_hello_ack(Header header) {
    header.primitive = Primitive::hello_ack;
    bfcp_prim primitives[] = {BFCP_FLOOR_REQUEST,
                              BFCP_FLOOR_RELEASE,
                              BFCP_FLOOR_REQUEST_QUERY,
                              BFCP_FLOOR_REQUEST_STATUS,
                              BFCP_USER_QUERY,
                              BFCP_USER_STATUS,
                              BFCP_FLOOR_QUERY,
                              BFCP_FLOOR_STATUS,
                              BFCP_HELLO,
                              BFCP_HELLO_ACK,
                              BFCP_ERROR,
                              BFCP_FLOOR_REQ_STATUS_ACK,
                              BFCP_FLOOR_STATUS_ACK,
                              BFCP_GOODBYE,
                              BFCP_GOODBYE_ACK};
    bfcp_attrib attributes[] = {BFCP_BENEFICIARY_ID,   BFCP_FLOOR_ID,          BFCP_FLOOR_REQUEST_ID,
                                BFCP_REQUEST_STATUS,   BFCP_ERROR_CODE,        BFCP_SUPPORTED_ATTRS,
                                BFCP_SUPPORTED_PRIMS,  BFCP_BENEFICIARY_INFO,  BFCP_FLOOR_REQ_INFO,
                                BFCP_FLOOR_REQ_STATUS, BFCP_OVERALL_REQ_STATUS};
    bfcp_supprim supported_primitives{primitives, std::size(primitives)};
    bfcp_supattr supported_attributes{attributes, std::size(attributes)};
    return encode(header, 2, BFCP_SUPPORTED_PRIMS, 0U, &supported_primitives, BFCP_SUPPORTED_ATTRS, 0,
                  &supported_attributes);
}

std::string write_error(Header header, ErrorCode code, const std::vector<std::uint8_t>& unknown) {
    header.primitive = Primitive::error;
    // Error-specific details of code 4: one octet for each attribute, its type in the upper seven bits.
    std::vector<std::uint8_t> details;
    details.reserve(unknown.size());
    for (const std::uint8_t type : unknown) {
        details.push_back(static_cast<std::uint8_t>(type << 1));
    }
    bfcp_errcode error{static_cast<bfcp_err>(code), details.data(), details.size()};
    return encode(header, 1, BFCP_ERROR_CODE, 0U, &error);
}

std::string write_floor_request(Header header, std::uint16_t floor) {
    header.primitive = Primitive::floor_request;
    return encode(header, 1, BFCP_FLOOR_ID | BFCP_MANDATORY, 0U, &floor);
}

std::string write_floor_release(Header header, std::uint16_t request) {
    header.primitive = Primitive::floor_release;
    return encode(header, 1, BFCP_FLOOR_REQUEST_ID | BFCP_MANDATORY, 0U, &request);
}

std::string write_floor_query(Header header, std::uint16_t floor) {
    header.primitive = Primitive::floor_query;
    return encode(header, 1, BFCP_FLOOR_ID | BFCP_MANDATORY, 0U, &floor);
}

std::string write_floor_request_status(Header header, const FloorRequestInfo& info) {
    return encode_with_info(header, Primitive::floor_request_status, info);
}

std::string write_floor_status(Header header, std::uint16_t floor,
                               const std::optional<FloorRequestInfo>& info) {
    header.primitive = Primitive::floor_status;
    if (!info) {
        return encode(header, 1, BFCP_FLOOR_ID, 0U, &floor);
    }
    const bfcp_reqstatus status{static_cast<bfcp_reqstat>(info->status), info->queue_position};
    return encode(header, 2, BFCP_FLOOR_ID, 0U, &floor,     //
                  BFCP_FLOOR_REQ_INFO, 3U, &info->request,  //
                  BFCP_OVERALL_REQ_STATUS, 1U, &info->request, BFCP_REQUEST_STATUS, 0U, &status,
                  BFCP_FLOOR_REQ_STATUS, 0U, &info->floor,  //
                  BFCP_BENEFICIARY_INFO, 0U, &info->beneficiary);
}

std::string write_user_status(Header header, const std::optional<FloorRequestInfo>& info) {
    if (info) {
        return encode_with_info(header, Primitive::user_status, *info);
    }
    header.primitive = Primitive::user_status;
    return encode(header, 0);
}

}  // namespace vmr::bfcp
