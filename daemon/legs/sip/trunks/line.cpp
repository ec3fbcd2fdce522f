#include "daemon/legs/sip/trunks/line.hpp"

#include <algorithm>

#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {
namespace {

constexpr std::int64_t kAnswerTime =
    8000;  // ms for an OPTIONS: a proxy that is busier than that takes no call
constexpr std::int64_t kFirstRetry = 5000;  // ms after a failure, doubled with each up to the interval
constexpr std::int64_t kAfterLoss = 1000;   // ms until a connection that broke is opened again

int dscp_of(const TrunkSettings& settings) {
    return settings.dscp_signalling.empty() ? -1 : static_cast<int>(settings.dscp_signalling.front());
}

}  // namespace

Line::Line(LineHost& host, const TrunkConfig& trunk, const std::string& proxy,
           const std::string& contact_host)
    : host_(host),
      trunk_(trunk.name),
      proxy_(proxy),
      contact_host_(trunk.settings.contact_host.empty() ? contact_host : trunk.settings.contact_host),
      user_(trunk.account.user),
      interval_(std::int64_t{trunk.settings.options_interval} * 1000),
      max_failures_(std::max(trunk.settings.options_failures, 1)),
      first_(trunk.settings.options_first),
      dscp_(dscp_of(trunk.settings)),
      call_id_(host.new_token()),
      tag_(host.new_token()) {
    if (const std::optional<Uri> uri = parse_uri(proxy)) {
        domain_ = trunk.settings.domain.empty() ? uri->host : trunk.settings.domain;
        if (const Result<Destination> destination = destination_of(*uri)) {
            destination_ = *destination;
        }
    }
    if (trunk.settings.registers) {
        registration_.emplace(host, RegistrationConfig{trunk.account, domain_, contact_host_,
                                                       trunk.settings.register_interval});
    }
    if (!watched()) {
        reach_ = Reach::up;  // nobody asks
    }
}

LineStatus Line::status() const {
    return {trunk_, proxy_, reach_ == Reach::up, registration_ && registration_->registered(host_.now()),
            why_};
}

void Line::tick(std::int64_t now) {
    if (!watched() || !destination_) {
        return;
    }
    if (answer_by_ >= 0 && now >= answer_by_) {
        options_ = 0;
        answer_by_ = -1;
        try_next("OPTIONS: no answer");
    }
    const bool options_due = interval_ > 0 && now >= options_at_;
    const bool register_due = registration_ && registration_->due(now);
    if (!over_ && !in_round_ && (options_due || register_due)) {
        begin_round();
    }
    if (registration_) {
        registration_->tick(now);
    }
    judge();
}

std::optional<std::int64_t> Line::next_deadline() const {
    if (!watched() || !destination_) {
        return std::nullopt;
    }
    std::optional<std::int64_t> next;
    const auto consider = [&next](std::int64_t at) {
        next = at >= 0 && (!next || at < *next) ? std::optional(at) : next;
    };
    consider(answer_by_);
    if (!in_round_ && !over_) {
        if (interval_ > 0) {
            consider(options_at_);
        }
        if (registration_) {
            consider(registration_->next_deadline());
        }
    }
    return next;
}

// Each time anew: names change, and an answer from where nobody is any more helps nobody.
void Line::begin_round() {
    in_round_ = true;
    host_.resolve(*destination_, [weak = weak_from_this()](const Result<std::vector<Target>>& targets) {
        if (const auto line = weak.lock()) {
            line->take_targets(targets);
        }
    });
}

void Line::take_targets(const Result<std::vector<Target>>& targets) {
    if (!targets) {
        fail(targets.error());
        return;
    }
    targets_.assign(targets->begin(), targets->end());
    std::set<std::string> found;
    for (const Target& target : *targets) {
        found.insert(target.address.ip);
    }
    if (found != addresses_) {
        addresses_ = std::move(found);
        host_.on_trunk_found(trunk_);
    }
    try_next("no address");
}

void Line::try_next(const std::string& why) {
    if (targets_.empty()) {
        fail(why);
        return;
    }
    const Target target = targets_.front();
    targets_.pop_front();
    host_.open(target, destination_->host, [weak = weak_from_this(), target](const Result<Flow>& flow) {
        if (const auto line = weak.lock()) {
            line->take_flow(target, flow);
        }
    });
}

void Line::take_flow(const Target& target, const Result<Flow>& flow) {
    if (over_) {
        return;
    }
    if (!flow) {
        try_next(flow.error());
        return;
    }
    opened_ = Opening{target, destination_->host};
    flow_ = *flow;
    flow_->dscp = dscp_;
    const std::int64_t now = host_.now();
    if (registration_ && registration_->due(now)) {
        registration_->send(*flow_, now);
    }
    if (interval_ > 0) {
        send_options();
    } else {
        in_round_ = false;
    }
}

void Line::send_options() {
    const std::string branch = "z9hG4bK" + host_.new_token();
    Address own{contact_host_.empty() ? flow_->local.ip : contact_host_, 0};
    const std::string host = own.ip.find(':') == std::string::npos ? own.ip : "[" + own.ip + "]";
    const std::string at = user_.empty() ? host : user_ + "@" + host;
    std::string text = "OPTIONS " + proxy_ + " SIP/2.0\r\n" + write_via(*flow_, branch) +
                       "Max-Forwards: 70\r\nFrom: <sip:" + at + ">;tag=" + tag_ + "\r\nTo: <" + proxy_ +
                       ">\r\nCall-ID: " + call_id_ + "\r\nCSeq: " + std::to_string(++cseq_) +
                       " OPTIONS\r\nContact: " + contact_for(*flow_, contact_host_, user_) +
                       "\r\nAllow: " + kAllow + "\r\nAccept: application/sdp\r\n";
    append_body(text, {}, {});
    answer_by_ = host_.now() + kAnswerTime;
    options_ = host_.request(*flow_, "OPTIONS", branch, text, {});
}

bool Line::receive_response(std::uint64_t id, const Message& response, std::int64_t now) {
    if (id != 0 && id == options_) {
        if (response.status >= 200) {
            take_options_answer(response);
        }
        return true;
    }
    if (!registration_) {
        return false;
    }
    return take_registration(registration_->receive_response(id, response, now));
}

bool Line::request_timed_out(std::uint64_t id, std::int64_t now) {
    if (id != 0 && id == options_) {
        options_ = 0;
        answer_by_ = -1;
        try_next("OPTIONS: no answer");
        return true;
    }
    if (!registration_) {
        return false;
    }
    return take_registration(registration_->request_timed_out(id, now));
}

// Where OPTIONS go, they choose among the proxy's servers.
bool Line::take_registration(Registration::Outcome outcome) {
    if (outcome == Registration::Outcome::no_answer && interval_ == 0 && !targets_.empty() && !over_) {
        registration_->hurry(host_.now());
        in_round_ = true;
        try_next(registration_->why());
    }
    judge();
    return outcome != Registration::Outcome::not_mine;
}

// Any answer tells that somebody is there (RFC 3261 section 11), unless it says that nobody works; where
// calls wait for a 200, nothing less will do.
void Line::take_options_answer(const Message& response) {
    options_ = 0;
    answer_by_ = -1;
    const int status = response.status;
    const bool ok = first_ ? status < 300 : status < 500 ? status != 408 : status == 501 || status == 505;
    if (ok) {
        succeed();
    } else {
        try_next("OPTIONS: " + std::to_string(status) + " " + reason_phrase(status));
    }
}

void Line::succeed() {
    in_round_ = false;
    targets_.clear();
    failures_ = 0;
    answered_ = true;
    options_at_ = host_.now() + interval_;
    judge();
}

void Line::fail(const std::string& why) {
    in_round_ = false;
    flow_.reset();
    ++failures_;
    const std::int64_t pause = kFirstRetry << std::min(failures_ - 1, 6);
    options_at_ = host_.now() + (interval_ > 0 ? std::min(interval_, pause) : pause);
    if (registration_) {
        registration_->postpone(options_at_);
    }
    why_ = why;
    if (failures_ >= max_failures_) {
        answered_ = false;
    }
    judge();
}

void Line::judge() {
    if (!watched() || over_) {
        return;
    }
    const bool there = interval_ == 0 || answered_;
    const bool registered = !registration_ || registration_->registered(host_.now());
    Reach now = reach_;
    if (there && registered) {
        now = Reach::up;
        why_.clear();
    } else if (failures_ >= max_failures_ ||
               (registration_ && !registered && !registration_->why().empty())) {
        now = Reach::down;
        why_ = there ? registration_->why() : why_;
    } else if (there && !registered && reach_ == Reach::up) {
        now = Reach::down;
        why_ = "the registration has run out";
    }
    if (now != reach_) {
        reach_ = now;
        host_.on_line_changed(status());
    }
}

void Line::connection_closed(std::uint64_t connection, std::int64_t now) {
    if (!flow_ || connection == 0 || flow_->connection != connection || over_) {
        return;
    }
    flow_.reset();
    options_at_ = std::min(options_at_, now + kAfterLoss);
    if (registration_) {
        registration_->lose_way(now + kAfterLoss);
    }
    if (options_ != 0) {
        options_ = 0;
        answer_by_ = -1;
        try_next("the connection broke");
    }
}

void Line::withdraw(std::int64_t now) {
    over_ = true;
    if (registration_) {
        registration_->withdraw(now);
    }
}

}  // namespace vmr::sip
