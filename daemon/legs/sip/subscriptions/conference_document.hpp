// The conference event package's document (RFC 4575) of one subscription: what changed since the last one,
// of bounded size. Pure.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/legs/conference.hpp"
#include "daemon/legs/sip/subscriptions/subscription.hpp"

namespace vmr::sip {

inline const std::string kConferenceEvent = "conference";
inline const std::string kConferenceType = "application/conference-info+xml";

class ConferenceTopic final : public Topic {
public:
    // `see`: the meeting as the subscriber may see it now; null while that is nothing. `max_users`: of one
    // document; others follow in the next.
    using See = std::function<std::shared_ptr<const Conference>()>;
    ConferenceTopic(std::string event, std::string entity, See see, std::size_t max_users)
        : event_(std::move(event)), entity_(std::move(entity)), see_(std::move(see)), max_users_(max_users) {}

    const std::string& event() const override { return event_; }
    const std::string& content_type() const override { return kConferenceType; }
    std::optional<Notice> write(bool full) override;
    bool has_more() const override { return more_; }

private:
    bool takes_one(std::string& users, std::size_t& taken, const ConferenceUser* user, const std::string& id);
    std::string write_users(const Conference& conference, bool full);
    std::string document(bool full, const std::string& content);

    const std::string event_, entity_;
    const See see_;
    const std::size_t max_users_;
    std::uint32_t version_ = 0;
    bool visible_ = false;  // as told last
    bool more_ = false;
    std::string title_;  // as told last, with what follows
    bool locked_ = false;
    std::size_t count_ = 0;
    std::map<std::string, std::shared_ptr<const ConferenceUser>> users_;
};

// Text between tags or quotes: escaped, valid UTF-8, without what XML 1.0 has no place for.
std::string xml_text(const std::string& text);

}  // namespace vmr::sip
