#include "daemon/legs/sip/dialog/fork.hpp"

#include <algorithm>
#include <utility>

namespace vmr::sip {

// One offer for all branches, made with the first. Whoever discards it is one of several; the answer that is
// taken is the winner's.
class Fork::SharedOffer final : public MediaSession {
public:
    explicit SharedOffer(std::shared_ptr<MediaSession> media) : media_(std::move(media)) {}

    SdpResult offer() override {
        if (!offer_) {
            offer_ = media_->offer();
        }
        return *offer_;
    }
    SdpResult answer(std::string_view offer) override { return media_->answer(offer); }
    SdpResult accept_answer(std::string_view answer) override { return media_->accept_answer(answer); }
    void set_callbacks(Callbacks callbacks) override { media_->set_callbacks(std::move(callbacks)); }
    void set_signalling(const std::string& protection) override { media_->set_signalling(protection); }

private:
    const std::shared_ptr<MediaSession> media_;
    std::optional<SdpResult> offer_;
};

struct Fork::Branch final : InvitationHost {
    explicit Branch(Fork& fork)
        : owner(fork), invitation(fork.network_, *this, fork.invite_, fork.call_id_, fork.local_tag_) {}

    void on_progressed(LegProgress progress) override { owner.on_progressed(progress); }
    void on_invitation_accepted(Established established, bool resync) override {
        owner.on_accepted(*this, std::move(established), resync);
    }
    void on_invitation_refused(const Refusal& refusal) override { owner.on_refused(*this, refusal); }

    Fork& owner;
    Invitation invitation;
    std::shared_ptr<MediaSession> media;  // until it is decided
    Device ways;                          // that were not tried yet
    bool live = false;
};

Fork::Fork(SessionHost& network, InvitationHost& host, Invite invite, std::string call_id,
           std::string local_tag)
    : network_(network),
      host_(host),
      invite_(std::move(invite)),
      call_id_(std::move(call_id)),
      local_tag_(std::move(local_tag)) {}

Fork::~Fork() = default;

Fork::Branch& Fork::add_branch(std::uint32_t cseq) {
    Branch& branch = *branches_.emplace_back(std::make_unique<Branch>(*this));
    branch.invitation.count_from(cseq);
    return branch;
}

void Fork::start(const Flow& flow, std::shared_ptr<MediaSession> media, std::int64_t now) {
    Branch& branch = branches_.empty() ? add_branch(0) : *branches_.front();
    together_ = decided_ = false;
    now_ = now;
    branch.live = true;
    if (!aim_.empty()) {
        branch.invitation.aim(std::exchange(aim_, {}));
    }
    branch.invitation.start(flow, std::move(media), now);
}

void Fork::start(std::vector<Device> devices, std::shared_ptr<MediaSession> media, std::size_t starts,
                 std::int64_t now) {
    media_ = std::move(media);
    together_ = true;
    decided_ = false;
    best_.reset();
    now_ = now;
    ring_until_ = ring_until_ < 0 ? now + invite_.ring_timeout : ring_until_;
    start_until_ = now + (ring_until_ - now) / static_cast<std::int64_t>(std::max<std::size_t>(starts, 1));
    std::uint32_t used = 0;
    for (const auto& branch : branches_) {
        used = std::max(used, branch->invitation.cseq());
    }
    const auto shared = std::make_shared<SharedOffer>(media_);
    std::vector<Branch*> started;
    for (Device& device : devices) {
        Branch& branch = add_branch(used);
        branch.ways = std::move(device);
        branch.media = shared;
        branch.live = true;
        started.push_back(&branch);
    }
    for (Branch* branch : started) {
        if (branch->live) {
            try_way(*branch);
        }
    }
}

void Fork::try_way(Branch& branch) {
    const Way way = std::move(branch.ways.front());
    branch.ways.pop_front();
    branch.invitation.aim(way.uri);
    branch.invitation.start(way.flow, branch.media, now_);
}

void Fork::on_progressed(LegProgress progress) {
    bool& reported = progress == LegProgress::ringing ? rings_ : sounds_;
    if (!decided_ && !std::exchange(reported, true)) {
        host_.on_progressed(progress);
    }
}

void Fork::on_accepted(Branch& branch, Established established, bool resync) {
    branch.live = false;
    if (together_) {
        established.media = media_;
    }
    decide(EndCause::cancelled, kCompletedElsewhere);
    media_.reset();
    host_.on_invitation_accepted(std::move(established), resync);
}

void Fork::on_refused(Branch& branch, const Refusal& refusal) {
    if (!together_) {
        branch.live = false;
        decided_ = true;
        host_.on_invitation_refused(refusal);
        return;
    }
    if (refusal.try_next && !branch.ways.empty() && !decided_) {
        try_way(branch);
        return;
    }
    branch.live = false;
    if (decided_) {
        return;
    }
    if (!best_ || rank_of_refusal(refusal) < rank_of_refusal(*best_)) {
        best_ = refusal;
    }
    if (refusal.why.status >= 600) {
        decide(refusal.cause, "SIP;cause=" + std::to_string(refusal.why.status));
        settle();
    } else if (std::ranges::none_of(branches_, [](const auto& other) { return other->live; })) {
        settle();
    }
}

// The others are taken back, with a Reason unless it is empty.
void Fork::decide(EndCause cause, const std::string& reason) {
    decided_ = true;
    for (const auto& branch : branches_) {
        branch->media.reset();
        if (std::exchange(branch->live, false)) {
            branch->invitation.cancel(cause, now_, reason);
        }
    }
}

// All have failed.
void Fork::settle() {
    decide(EndCause::no_answer, {});
    media_->discard_offer();
    media_.reset();
    Refusal told = *best_;
    told.try_next = told.why.status < 600 && now_ < ring_until_;
    host_.on_invitation_refused(told);
}

void Fork::cancel(EndCause cause, std::int64_t now, const std::string& reason) {
    now_ = now;
    decided_ = true;
    media_.reset();
    for (const auto& branch : branches_) {
        branch->live = false;
        branch->media.reset();
        branch->invitation.cancel(cause, now, reason);
    }
}

// What comes may start further branches: these have nothing to do with it.
void Fork::receive_response(std::uint64_t id, const Message& response, std::int64_t now) {
    now_ = now;
    for (std::size_t index = branches_.size(); index-- > 0;) {
        if (branches_[index]->invitation.is_own(id)) {
            branches_[index]->invitation.receive_response(id, response, now);
            return;
        }
    }
}

void Fork::request_timed_out(std::uint64_t id, std::int64_t now) {
    now_ = now;
    for (std::size_t index = branches_.size(); index-- > 0;) {
        branches_[index]->invitation.request_timed_out(id, now);
    }
}

void Fork::connection_closed(std::uint64_t connection, std::int64_t now) {
    now_ = now;
    for (std::size_t index = branches_.size(); index-- > 0;) {
        branches_[index]->invitation.connection_closed(connection, now);
    }
}

void Fork::receive(const std::string& transaction, const Message& request) {
    const auto of = std::ranges::find_if(
        branches_, [&request](const auto& branch) { return branch->invitation.has_heard(request.from.tag); });
    if (of != branches_.end()) {
        (*of)->invitation.receive(transaction, request);
    } else {
        network_.respond(transaction, 481, write_response(request, {.status = 481}));
    }
}

void Fork::tick(std::int64_t now) {
    now_ = now;
    if (together_ && !decided_ && now >= start_until_) {
        const Refusal refusal = local_refusal(EndCause::no_answer, "No answer", false);
        if (!best_ || rank_of_refusal(refusal) < rank_of_refusal(*best_)) {
            best_ = refusal;
        }
        settle();
    }
    for (std::size_t index = branches_.size(); index-- > 0;) {
        branches_[index]->invitation.tick(now);
    }
}

std::optional<std::int64_t> Fork::next_deadline() const {
    std::optional<std::int64_t> next = together_ && !decided_ ? std::optional(start_until_) : std::nullopt;
    for (const auto& branch : branches_) {
        const std::optional<std::int64_t> at = branch->invitation.next_deadline();
        next = at && (!next || *at < *next) ? at : next;
    }
    return next;
}

const Flow* Fork::early_flow(const std::string& key) const {
    for (const auto& branch : branches_) {
        if (const Flow* flow = branch->invitation.early_flow(key)) {
            return flow;
        }
    }
    return nullptr;
}

bool Fork::is_own(std::uint64_t id) const {
    return std::ranges::any_of(branches_, [id](const auto& branch) { return branch->invitation.is_own(id); });
}

bool Fork::over() const {
    return std::ranges::all_of(branches_, [](const auto& branch) { return branch->invitation.over(); });
}

int rank_of_refusal(const Refusal& refusal) {
    const int status = refusal.why.status;
    if (status == 0) {
        return refusal.cause == EndCause::no_answer ? 6 : 7;
    }
    if (status == 408 || status == 481 || status == 482) {
        return 5;  // nothing of whom it is for
    }
    return status >= 600 ? 0 : status == 486 ? 1 : status >= 500 ? 4 : status >= 400 ? 2 : 3;
}

}  // namespace vmr::sip
