// The bytes of one stream, cut into messages. Pure.
#pragma once
#include <string>
#include <string_view>

#include "daemon/legs/sip/message/bounds.hpp"

namespace vmr::sip {

class Framer {
public:
    struct Found {
        Frame frame = Frame::incomplete;
        std::string_view bytes;  // valid until add() or drop(); of what is no SIP: all that is there
        bool ping = false;       // of a keep-alive: wants an answer (RFC 5626 section 3.5.1)
    };

    void add(std::string_view bytes) { buffer_.append(bytes); }
    // What is in front, again and again until it is dropped.
    Found look();
    void drop(const Found& found);
    bool empty() const { return buffer_.empty(); }
    std::size_t size() const { return buffer_.size() - begin_; }

private:
    std::string buffer_;
    std::size_t begin_ = 0;     // what is before it was dropped
    std::size_t searched_ = 0;  // from begin_: no header end before this offset
    std::size_t needed_ = 0;    // bytes that the message in front takes
    bool half_ping_ = false;    // a CRLF came, and nothing since
};

}  // namespace vmr::sip
