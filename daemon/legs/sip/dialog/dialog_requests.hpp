// Requests of ours within a dialog, until they are answered: one that is challenged goes out once more, with
// credentials and the next CSeq, under its own number (RFC 3261 sections 22.2 and 22.3); whoever waits for it
// knows nothing of that. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/legs/sip/dialog/authorizations.hpp"
#include "daemon/legs/sip/dialog/dialog.hpp"

namespace vmr::sip {

class SessionHost;

class DialogRequests {
public:
    explicit DialogRequests(SessionHost& host) : host_(host) {}
    // Whom we are to those who challenge; nobody: their challenges stand.
    void identify(DigestIdentity identity) { identity_ = std::move(identity); }

    // The branch is filled in. The number of the transaction; 0: it could not be sent.
    std::uint64_t send(Dialog& dialog, RequestParts parts);
    // The response was a challenge, and the request went out once more.
    bool ask_again(std::uint64_t id, const Message& response, Dialog& dialog);

    struct Request {
        RequestParts parts;
        Authorizations credentials;
        std::uint32_t cseq = 0;
    };
    // It is answered, or never will be.
    Request take(std::uint64_t id);
    bool has(std::uint64_t id) const { return requests_.contains(id); }

private:
    std::string write(Dialog& dialog, Request& request, std::string& ack);

    SessionHost& host_;
    DigestIdentity identity_;
    std::unordered_map<std::uint64_t, Request> requests_;
};

}  // namespace vmr::sip
