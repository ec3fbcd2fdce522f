#include "daemon/legs/sip/network/framer.hpp"

#include <algorithm>

namespace vmr::sip {

Framer::Found Framer::look() {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const std::size_t before_end = std::max<std::size_t>(rest.size(), 3) - 3;
    if (rest.empty() || rest.size() < needed_) {
        return {};
    }
    if (needed_ == 0 && searched_ > 0 && rest.size() <= kMaxMessage &&
        rest.find("\r\n\r\n", searched_) == std::string_view::npos) {
        searched_ = before_end;
        return {};
    }
    const Inspection found = inspect(rest, true);
    if (found.frame == Frame::incomplete) {
        needed_ = found.length;
        searched_ = before_end;
        return {};
    }
    const std::string_view bytes = rest.substr(0, found.length);
    const bool ping = found.frame == Frame::keep_alive && (half_ping_ || bytes.starts_with("\r\n\r\n"));
    return {found.frame, bytes, ping};
}

void Framer::drop(const Found& found) {
    half_ping_ = found.frame == Frame::keep_alive && !found.ping;
    begin_ += found.bytes.size();
    needed_ = 0;
    searched_ = 0;
    if (begin_ == buffer_.size()) {
        std::string().swap(buffer_);  // thousands of devices say nothing for minutes
        begin_ = 0;
    } else if (begin_ > buffer_.size() / 2) {
        buffer_.erase(0, begin_);
        begin_ = 0;
    }
}

}  // namespace vmr::sip
