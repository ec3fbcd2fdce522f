// Reads a message with libre's parser into plain data. Bytes have passed inspect() first.

#include <algorithm>
#include <optional>

#include "daemon/legs/sip/bounds.hpp"
#include "base/libre.hpp"
#include "daemon/legs/sip/stack.hpp"
#include "daemon/legs/sip/uri.hpp"

namespace vmr::sip {
namespace {

struct MemDeref {
    void operator()(void* memory) const noexcept { mem_deref(memory); }
};
template <typename T>
using MemPtr = std::unique_ptr<T, MemDeref>;

std::string_view view(const pl& text) {
    return text.p == nullptr ? std::string_view() : std::string_view(text.p, text.l);
}

// A header value on one line: folds become one space (RFC 3261 section 7.3.1).
std::string unfold(std::string_view value) {
    std::string result(trim(value));
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c == '\r' || c == '\n' || c == '\t'; }, ' ');
    return result;
}

Status read_names(Message& message, const char* header, std::size_t limit, std::vector<NameAddr>& into) {
    for (const std::string& value : message.values(header)) {
        if (into.size() >= limit) {
            return Error{std::string("too many values in ") + header};
        }
        std::optional<NameAddr> name = parse_name_addr(value);
        if (!name && value != "*") {
            return Error{std::string("unreadable ") + header};
        }
        if (name) {
            into.push_back(std::move(*name));
        }
    }
    return Ok{};
}

Status read_parties(Message& message) {
    for (const auto& [header, into] : {std::pair{"from", &message.from}, std::pair{"to", &message.to}}) {
        const std::string* value = message.header(header);
        std::optional<NameAddr> name = value != nullptr ? parse_name_addr(*value) : std::nullopt;
        if (!name) {
            return Error{std::string("missing or unreadable ") + header};
        }
        *into = std::move(*name);
    }
    if (message.from.tag.empty() && message.request && message.branch.starts_with("z9hG4bK")) {
        return Error{"From without a tag"};
    }
    if (const Status contacts = read_names(message, "contact", kMaxContacts, message.contacts); !contacts) {
        return contacts;
    }
    return read_names(message, "record-route", kMaxRoutes, message.record_route);
}

void copy_headers(const sip_msg& parsed, Message& message) {
    for (const le* element = parsed.hdrl.head; element != nullptr; element = element->next) {
        const auto* header = static_cast<const sip_hdr*>(element->data);
        message.headers.push_back({canonical_header_name(view(header->name)), unfold(view(header->val))});
    }
}

Status read_start_line(const sip_msg& parsed, Message& message) {
    message.request = parsed.req;
    if (parsed.req) {
        message.method = view(parsed.met);
        std::optional<Uri> uri = parse_uri(view(parsed.ruri));
        if (!uri) {
            return Error{"unreadable Request-URI"};
        }
        message.uri = std::move(*uri);
        if (message.method != view(parsed.cseq.met)) {
            return Error{"CSeq does not match the method"};
        }
    } else {
        message.status = parsed.scode;
        message.reason = view(parsed.reason);
        message.method = view(parsed.cseq.met);
        if (message.status < 100 || message.status > 699) {
            return Error{"status out of range"};
        }
    }
    return Ok{};
}

}  // namespace

Result<Message> parse_message(std::string_view bytes, const Flow& flow) {
    const MemPtr<mbuf> buffer(mbuf_alloc(bytes.size()));
    if (!buffer || mbuf_write_mem(buffer.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  bytes.size()) != 0) {
        return Error{"out of memory"};
    }
    mbuf_set_pos(buffer.get(), 0);
    sip_msg* raw = nullptr;
    if (sip_msg_decode(&raw, buffer.get()) != 0) {
        return Error{"not a SIP message"};
    }
    const MemPtr<sip_msg> parsed(raw);
    Message message;
    message.flow = flow;
    if (view(parsed->ver) != "SIP/2.0" && !view(parsed->ver).empty() && view(parsed->ver) != "2.0") {
        return Error{"not SIP/2.0"};
    }
    message.call_id = view(parsed->callid);
    message.cseq = parsed->cseq.num;
    message.branch = view(parsed->via.branch);
    message.sent_by = lower(view(parsed->via.sentby));
    copy_headers(*parsed, message);
    if (message.call_id.empty() || parsed->cseq.met.l == 0 || message.sent_by.empty() ||
        message.cseq > 0x7fffffffU) {
        return Error{"missing or bad Call-ID, CSeq or Via"};
    }
    if (const Status start = read_start_line(*parsed, message); !start) {
        return Error{start.error()};
    }
    if (const Status parties = read_parties(message); !parties) {
        return Error{parties.error()};
    }
    message.content_type = lower(view(parsed->ctyp.type)) + "/" + lower(view(parsed->ctyp.subtype));
    if (message.content_type == "/") {
        message.content_type.clear();
    }
    message.body.assign(reinterpret_cast<const char*>(mbuf_buf(buffer.get())), mbuf_get_left(buffer.get()));
    return message;
}

}  // namespace vmr::sip
