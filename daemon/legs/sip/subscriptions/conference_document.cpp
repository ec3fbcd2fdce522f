#include "daemon/legs/sip/subscriptions/conference_document.hpp"

#include <glib.h>

#include <set>
#include <utility>

namespace vmr::sip {
namespace {

std::string element(const char* name, const std::string& content) {
    return std::string("<") + name + ">" + content + "</" + name + ">";
}

// RFC 4575 section 5.7.3
const char* status_name(ConferenceUser::Status status) {
    switch (status) {
        case ConferenceUser::Status::dialling:
            return "dialing-out";
        case ConferenceUser::Status::ringing:
            return "alerting";
        case ConferenceUser::Status::waiting:
            return "pending";
        case ConferenceUser::Status::on_hold:
            return "on-hold";
        case ConferenceUser::Status::muted:
            return "muted-via-focus";
        case ConferenceUser::Status::connected:
            break;
    }
    return "connected";
}

// Directions are the participant's (section 5.8.5).
std::string media(const char* id, const char* label, const char* type, const char* direction) {
    return std::string("<media id=\"") + id + "\">" + element("display-text", label) + element("type", type) +
           element("status", direction) + "</media>";
}

std::string media_of(const ConferenceUser& user) {
    const bool here =
        user.status == ConferenceUser::Status::connected || user.status == ConferenceUser::Status::muted;
    if (!here) {
        return {};
    }
    return media("1", "audio", "audio", user.audible ? "sendrecv" : "recvonly") +
           (user.video ? media("2", "video", "video", "sendrecv") : std::string()) +
           (user.content ? media("3", "content", "video", "sendonly") : std::string());
}

// No address or number of anybody: the RFC's form for who stays anonymous (section 5.6).
std::string entity_of(const std::string& id) {
    return "sip:" + xml_text(id) + "@anonymous.invalid";
}

std::string user_element(const ConferenceUser& user) {
    const std::string entity = entity_of(user.id);
    const std::string joined = user.joined_at.empty()
                                   ? std::string()
                                   : element("joining-info", element("when", xml_text(user.joined_at)));
    return "<user entity=\"" + entity + "\" state=\"full\">" + element("display-text", xml_text(user.name)) +
           element("roles", element("entry", user.host ? "host" : "guest")) + "<endpoint entity=\"" + entity +
           "\">" + element("status", status_name(user.status)) +
           element("joining-method", user.dialled ? "dialed-out" : "dialed-in") + joined + media_of(user) +
           "</endpoint></user>";
}

}  // namespace

std::string xml_text(const std::string& text) {
    char* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
    std::string result;
    for (const char* at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar c = g_utf8_get_char(at);
        if (c == '&') {
            result += "&amp;";
        } else if (c == '<') {
            result += "&lt;";
        } else if (c == '>') {
            result += "&gt;";
        } else if (c == '"') {
            result += "&quot;";
        } else if (c >= 0x20 && c != 0x7f && c != 0xfffe && c != 0xffff) {
            result.append(at, static_cast<std::size_t>(g_utf8_next_char(at) - at));
        }
    }
    g_free(valid);
    return result;
}

std::string ConferenceTopic::document(bool full, const std::string& content) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<conference-info "
           "xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"" +
           xml_text(entity_) + "\" state=\"" + (full ? "full" : "partial") + "\" version=\"" +
           std::to_string(++version_) + "\">" + content + "</conference-info>\n";
}

// False: it must wait for the next document.
bool ConferenceTopic::takes_one(std::string& users, std::size_t& taken, const ConferenceUser* user,
                                const std::string& id) {
    if (taken == max_users_) {
        more_ = true;
        return false;
    }
    ++taken;
    users +=
        user != nullptr ? user_element(*user) : "<user entity=\"" + entity_of(id) + "\" state=\"deleted\"/>";
    return true;
}

// Who is new or changed, and who has gone, as far as there is place. Brings users_ up to what is told.
std::string ConferenceTopic::write_users(const Conference& conference, bool full) {
    std::string users;
    std::size_t taken = 0;
    more_ = false;
    std::set<std::string> here;
    for (const auto& user : conference.users) {
        here.insert(user->id);
    }
    for (auto known = users_.begin(); known != users_.end();) {
        const bool gone = !here.contains(known->first);
        known =
            gone && takes_one(users, taken, nullptr, known->first) ? users_.erase(known) : std::next(known);
    }
    for (const auto& user : conference.users) {
        const auto known = users_.find(user->id);
        if (known != users_.end() && (known->second == user || *known->second == *user)) {
            continue;
        }
        if (!takes_one(users, taken, user.get(), user->id)) {
            break;
        }
        users_[user->id] = user;
    }
    if (users.empty() && !full) {
        return {};
    }
    return std::string("<users state=\"") + (full && !more_ ? "full" : "partial") + "\">" + users +
           "</users>";
}

std::optional<Topic::Notice> ConferenceTopic::write(bool full) {
    const std::shared_ptr<const Conference> conference = see_();
    if (!conference) {
        const bool known = std::exchange(visible_, false);
        users_.clear();
        more_ = false;
        // What was known is taken back by a full state that holds nothing.
        if (!known && !full) {
            return std::nullopt;
        }
        return Notice{true, version_ == 0 ? std::string() : document(true, "")};
    }
    full = !std::exchange(visible_, true) || full;
    if (full) {
        users_.clear();
    }
    std::string content;
    if (full || title_ != conference->title) {
        title_ = conference->title;
        content += element("conference-description",
                           element("display-text", xml_text(title_)) +
                               element("maximum-user-count", std::to_string(conference->max_users)));
    }
    if (full || locked_ != conference->locked || count_ != conference->users.size()) {
        locked_ = conference->locked;
        count_ = conference->users.size();
        content += element("conference-state", element("user-count", std::to_string(count_)) +
                                                   element("active", "true") +
                                                   element("locked", locked_ ? "true" : "false"));
    }
    content += write_users(*conference, full);
    return content.empty() ? std::nullopt : std::optional(Notice{false, document(full, content)});
}

}  // namespace vmr::sip
