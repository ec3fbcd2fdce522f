// What one request of ours shows of who we are: an answer to each realm that challenged it (RFC 3261
// sections 22.2 and 22.3). Pure.
#pragma once
#include <string>
#include <vector>

#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

class Authorizations {
public:
    // False: the challenge stands. It cannot be met, or what was shown to its realm was wrong and not just
    // stale.
    bool answer(const Message& challenge, const DigestIdentity& identity, const std::string& uri,
                const std::string& cnonce);
    const std::vector<Header>& headers() const { return headers_; }

private:
    std::vector<Header> headers_;
    int answers_ = 0;
};

}  // namespace vmr::sip
