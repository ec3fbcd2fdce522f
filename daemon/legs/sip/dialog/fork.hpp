// Our INVITE to several devices at a time, as a forking proxy sends it (RFC 3261 section 16.6): one Call-ID,
// From and offer, a branch each. So a device that is reached twice sees that it is one call (section 8.2.2.2)
// and rings once, and the call needs one media session: no answer is applied before the first 2xx, which
// wins. The others are taken back, a second 2xx is acknowledged and hung up; of refusals the one that says
// most is told, once all branches have failed. A call to one target is a fork with one branch. Pure: time is
// an argument.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/sip/dialog/invitation.hpp"

namespace vmr::sip {

class Fork {
public:
    struct Way {
        std::string uri;  // to ask for
        Flow flow;
    };
    // Ways to the same device: the next one is for when one fails.
    using Device = std::deque<Way>;

    Fork(SessionHost& network, InvitationHost& host, Invite invite, std::string call_id,
         std::string local_tag);
    ~Fork();

    // Another Request-URI than the address that is called, for the next start() with a flow.
    void aim(std::string uri) { aim_ = std::move(uri); }
    // To one target; again for the next when it was refused with try_next.
    void start(const Flow& flow, std::shared_ptr<MediaSession> media, std::int64_t now);
    // To all of these at once; again for others when they were refused with try_next. They ring for their
    // share of the time that is left to so many starts, this one included.
    void start(std::vector<Device> devices, std::shared_ptr<MediaSession> media, std::size_t starts,
               std::int64_t now);
    // Nothing is reported afterwards. `reason` as of Invitation.
    void cancel(EndCause cause, std::int64_t now, const std::string& reason = {});

    void receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    void request_timed_out(std::uint64_t id, std::int64_t now);
    void connection_closed(std::uint64_t connection, std::int64_t now);
    void receive(const std::string& transaction, const Message& request);
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    const Flow* early_flow(const std::string& key) const;
    bool is_own(std::uint64_t id) const;
    bool over() const;
    const std::string& call_id() const { return call_id_; }
    const std::string& local_tag() const { return local_tag_; }

private:
    class SharedOffer;
    struct Branch;

    Branch& add_branch(std::uint32_t cseq);
    void try_way(Branch& branch);
    void on_progressed(LegProgress progress);
    void on_accepted(Branch& branch, Established established, bool resync);
    void on_refused(Branch& branch, const Refusal& refusal);
    void decide(EndCause cause, const std::string& reason);
    void settle();

    SessionHost& network_;
    InvitationHost& host_;
    const Invite invite_;
    const std::string call_id_, local_tag_;
    std::string aim_;
    std::vector<std::unique_ptr<Branch>> branches_;  // of all starts: stragglers come for a while
    std::shared_ptr<MediaSession> media_;
    bool together_ = false;  // several at once
    bool decided_ = true;    // nothing is reported before the next start
    std::optional<Refusal> best_;
    bool rings_ = false, sounds_ = false;  // as reported
    std::int64_t now_ = 0;                 // of what is being dealt with
    std::int64_t ring_until_ = -1;         // all of them
    std::int64_t start_until_ = -1;        // those of this start
};

// Which refusal of several is told: the lowest (section 16.7 step 6, and what says more to people).
int rank_of_refusal(const Refusal& refusal);

}  // namespace vmr::sip
