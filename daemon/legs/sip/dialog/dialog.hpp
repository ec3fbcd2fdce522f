// A dialog as RFC 3261 section 12 has it: identity, targets, routes, sequence numbers,
// and requests written from them. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

struct RequestParts {
    std::string method;
    std::string branch;
    std::vector<Header> headers;
    std::string body;
    std::string content_type = "application/sdp";
};

// The caller's half of a dialog, before there is another.
struct CallerHalf {
    std::string call_id, local_tag;
    std::string local, remote;  // values of From and To
    std::string target;         // the Request-URI
    std::string contact;        // value of ours
    std::uint32_t cseq = 0;     // of the INVITE
    Flow flow;
};

class Dialog {
public:
    // The UAC side of a dialog that this response forms, early or not.
    Dialog(const CallerHalf& caller, const Message& response);
    // The 2xx after provisional responses: its routes and target are the dialog's (section 13.2.2.4).
    void confirm(const Message& response);

    // The UAS side of a dialog that this request forms. `contact_host` overrides the host
    // of our Contact; empty: the address the request came to.
    Dialog(const Message& invite, std::string local_tag, const std::string& contact_host);

    // Call-ID and both tags; the lookup key of in-dialog requests.
    static std::string key(const Message& request) {
        return request.call_id + "|" + request.to.tag + "|" + request.from.tag;
    }
    std::string key() const { return call_id_ + "|" + local_tag_ + "|" + remote_tag_; }

    // False: out of order (section 12.2.2 asks for a 500). ACK and CANCEL are not counted.
    bool accept_order(const Message& request);
    // Follows a target refresh.
    void refresh_target(const Message& message);
    // Further requests take this way.
    void move_to(const Flow& flow);
    // Where the other side's first proxy, or without any itself, says to be: a URI.
    const std::string& next_hop() const {
        return routes_.empty() ? remote_target_ : routes_.front().uri.text;
    }

    std::string write_request(const RequestParts& parts);  // takes the next CSeq; not for ACK
    // The ACK to the INVITE that was sent with `cseq`; `headers` are its credentials (section 13.2.2.4).
    std::string write_ack(std::uint32_t cseq, const std::string& branch,
                          const std::vector<Header>& headers = {}, const std::string& body = {}) const;

    const std::string& remote_tag() const { return remote_tag_; }
    const std::string& local_tag() const { return local_tag_; }
    const std::string& remote() const { return remote_; }  // To of our requests
    const std::string& contact() const { return contact_; }
    void be_focus() { contact_ += ";isfocus"; }           // of a conference (RFC 4579 section 5.1)
    bool has_routes() const { return !routes_.empty(); }  // proxies stay between the peer and us
    std::string request_uri() const;                      // of what is sent now
    const Flow& flow() const { return flow_; }
    std::uint32_t local_cseq() const { return local_cseq_; }

private:
    std::string write(const std::string& method, std::uint32_t cseq, const std::string& branch) const;

    std::string call_id_, local_tag_, remote_tag_;
    std::string local_, remote_;  // From and To values of our requests
    std::string remote_target_;   // URI text
    std::vector<NameAddr> routes_;
    std::uint32_t local_cseq_ = 0;
    std::int64_t remote_cseq_ = -1;  // -1: no request came yet
    std::string contact_;
    Flow flow_;
};

// Whether requests of a dialog may follow one that came by another way than `before`. It had the dialog's
// tags; who else may have heard them decides. `known`: the other way is a trunk's, a proxy's or the device's.
bool may_follow(const Flow& before, const Flow& now, bool known);

// <sip:host:port;transport=tls>; a sips URI, which many clients cannot use, only over TLS and where `secure`:
// who was called by one (RFC 3261 sections 8.1.1.8 and 12.1.1).
std::string contact_for(const Flow& flow, const std::string& contact_host, const std::string& user,
                        bool secure = false);

}  // namespace vmr::sip
