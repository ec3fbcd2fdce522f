// INFO in a call: keys, and keyframes where RTCP cannot ask for them (RFC 5168).
#include "daemon/legs/sip/dialog/media_control.hpp"
#include "daemon/legs/sip/dialog/session.hpp"

namespace vmr::sip {
namespace {

constexpr std::int64_t kGivenEach = 500;   // ms between two keyframes that a peer gets so
constexpr std::int64_t kAskedEach = 1000;  // ms between two that we ask for

}  // namespace

char info_key(const Message& info) {
    std::string_view text = trim(info.body);
    if (info.content_type == "application/dtmf-relay") {
        const std::string lowered = lower(text);
        const std::size_t signal = lowered.find("signal");
        const std::size_t equals = signal == std::string::npos ? signal : text.find('=', signal);
        if (equals == std::string_view::npos) {
            return 0;
        }
        text = trim(text.substr(equals + 1));
        text = trim(text.substr(0, text.find_first_of("\r\n")));
    } else if (info.content_type != "application/dtmf") {
        return 0;
    }
    if (text == "10" || text == "11") {
        return text == "10" ? '*' : '#';  // some gateways send the event number of RFC 4733
    }
    if (text.size() != 1) {
        return 0;
    }
    const char key = text.front() >= 'a' && text.front() <= 'd' ? static_cast<char>(text.front() - 'a' + 'A')
                                                                : text.front();
    return std::string_view("0123456789*#ABCD").find(key) == std::string_view::npos ? '\0' : key;
}

void Session::receive_info(const std::string& transaction, const Message& info, std::int64_t now) {
    if (info.content_type == kMediaControlType) {
        const MediaControl asked = read_media_control(info.body);
        reply(transaction, info, {.status = asked == MediaControl::malformed ? 400 : 200});
        if (asked == MediaControl::picture && established_ && media_ && now >= picture_given_until_) {
            picture_given_until_ = now + kGivenEach;
            media_->send_keyframe();
        }
        return;
    }
    const char key = info_key(info);
    if (key == 0 && !info.body.empty()) {
        const bool digits = info.content_type.starts_with("application/dtmf");
        reply(transaction, info,
              {.status = digits ? 400 : 415,
               .headers = {{"Accept", "application/dtmf-relay, application/dtmf, " + kMediaControlType}}});
        return;
    }
    reply(transaction, info, {.status = 200});
    if (key != 0 && established_) {
        host_.on_key_received(key);
    }
}

void Session::ask_for_keyframe(std::int64_t now) {
    if (state_ != State::confirmed || info_ != 0 || !peer_gives_pictures_ || now < picture_asked_until_) {
        return;
    }
    picture_asked_until_ = now + kAskedEach;
    info_ = requests_.send(
        dialog_, {.method = "INFO", .body = write_picture_fast_update(), .content_type = kMediaControlType});
}

void Session::receive_info_response(const Message& response) {
    info_ = 0;
    // Who knows neither INFO nor this body is not asked again.
    const int status = response.status;
    peer_gives_pictures_ = status < 300 || status == 408 || (status >= 500 && status != 501);
}

}  // namespace vmr::sip
