#include "daemon/legs/sip/dialog/dialog.hpp"

#include <algorithm>
#include <cctype>

#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

std::string contact_for(const Flow& flow, const std::string& contact_host, const std::string& user,
                        bool secure) {
    Address address = flow.local;
    if (!contact_host.empty()) {
        address.ip = contact_host;
    }
    const bool plain = std::all_of(user.begin(), user.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
    });
    const bool sips = secure && flow.transport == Transport::tls;
    std::string uri =
        (sips ? "<sips:" : "<sip:") + (plain && !user.empty() ? user + "@" : std::string()) + address.text();
    if (flow.transport != Transport::udp && !sips) {
        uri += std::string(";transport=") + uri_param(flow.transport);
    }
    return uri + ">";
}

Dialog::Dialog(const Message& invite, std::string local_tag, const std::string& contact_host)
    : call_id_(invite.call_id),
      local_tag_(std::move(local_tag)),
      remote_tag_(invite.from.tag),
      routes_(invite.record_route),  // a UAS takes them in order (section 12.1.1)
      remote_cseq_(invite.cseq),
      contact_(contact_for(invite.flow, contact_host, invite.uri.user, invite.uri.scheme == "sips")),
      flow_(invite.response_flow()) {
    const std::string* to = invite.header("to");
    const std::string* from = invite.header("from");
    local_ = (to != nullptr ? *to : std::string()) + ";tag=" + local_tag_;
    remote_ = from != nullptr ? *from : std::string();
    remote_target_ = invite.contacts.empty() ? invite.from.uri.text : invite.contacts.front().uri.text;
}

Dialog::Dialog(const CallerHalf& caller, const Message& response)
    : call_id_(caller.call_id),
      local_tag_(caller.local_tag),
      remote_tag_(response.to.tag),
      local_(caller.local),
      remote_target_(caller.target),
      local_cseq_(caller.cseq),
      contact_(caller.contact),
      flow_(caller.flow) {
    const std::string* to = response.header("to");
    remote_ = to != nullptr ? *to : caller.remote;
    confirm(response);
}

void Dialog::confirm(const Message& response) {
    routes_.assign(response.record_route.rbegin(), response.record_route.rend());  // section 12.1.2
    if (!response.contacts.empty()) {
        remote_target_ = response.contacts.front().uri.text;
    }
}

bool Dialog::accept_order(const Message& request) {
    if (request.method == "ACK" || request.method == "CANCEL") {
        return true;
    }
    if (request.cseq <= remote_cseq_) {
        return false;
    }
    remote_cseq_ = request.cseq;
    return true;
}

void Dialog::refresh_target(const Message& message) {
    if (!message.contacts.empty() &&
        (message.method == "INVITE" || message.method == "UPDATE" || message.method == "SUBSCRIBE")) {
        remote_target_ = message.contacts.front().uri.text;
    }
}

void Dialog::move_to(const Flow& flow) {
    const int dscp = flow_.dscp;
    flow_ = flow;
    flow_.dscp = dscp;
}

// Over TLS the tags are the two sides' own; who may only have seen them go by is at another address.
bool may_follow(const Flow& before, const Flow& now, bool known) {
    if (before.transport == Transport::tls) {
        return now.transport == Transport::tls;
    }
    return known || now.remote.ip == before.remote.ip;
}

// A strict router wants itself in the Request-URI and the target last (section 12.2.1.1).
std::string Dialog::request_uri() const {
    const bool strict = !routes_.empty() && !routes_.front().uri.has_param("lr");
    return strict ? routes_.front().uri.text : remote_target_;
}

std::string Dialog::write(const std::string& method, std::uint32_t cseq, const std::string& branch) const {
    std::string routes;
    for (const NameAddr& route : routes_) {
        routes += "Route: <" + route.uri.text + ">" + route.params + "\r\n";
    }
    if (!routes_.empty() && !routes_.front().uri.has_param("lr")) {
        routes = routes.substr(routes.find("\r\n") + 2) + "Route: <" + remote_target_ + ">\r\n";
    }
    return method + " " + request_uri() + " SIP/2.0\r\n" + write_via(flow_, branch) + routes +
           "Max-Forwards: 70\r\nFrom: " + local_ + "\r\nTo: " + remote_ + "\r\nCall-ID: " + call_id_ +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\n";
}

std::string Dialog::write_request(const RequestParts& parts) {
    std::string text = write(parts.method, ++local_cseq_, parts.branch);
    for (const Header& header : parts.headers) {
        text += header.name + ": " + header.value + "\r\n";
    }
    append_body(text, parts.content_type, parts.body);
    return text;
}

std::string Dialog::write_ack(std::uint32_t cseq, const std::string& branch,
                              const std::vector<Header>& headers, const std::string& body) const {
    std::string text = write("ACK", cseq, branch);
    for (const Header& header : headers) {
        text += header.name + ": " + header.value + "\r\n";
    }
    append_body(text, "application/sdp", body);
    return text;
}

}  // namespace vmr::sip
