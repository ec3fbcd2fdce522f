// Our INVITE until it is answered (RFC 3261 sections 9 and 13.2): early dialogs, one for each To tag, with
// reliable provisional responses (RFC 3262), our offer or theirs, credentials, CANCEL. The first 2xx becomes
// a Session; later ones are acknowledged and hung up. Pure: time is an argument.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/sip/dialog/authorizations.hpp"
#include "daemon/legs/sip/dialog/session.hpp"
#include "daemon/legs/sip/dialog/turn_down.hpp"
#include "daemon/legs/sip/message/digest.hpp"

namespace vmr::sip {

// What is asked of whom.
struct Invite {
    std::string uri;        // Request-URI
    std::string from_name;  // for display
    std::string from_user;
    std::string from_host;     // empty: the address that we call from
    std::string contact_host;  // as SipConfig's
    DigestIdentity identity;
    bool focus = false;    // we are a conference's
    std::string replaces;  // the call there whose place it takes (RFC 3891); or empty
    DialogTerms terms;
    std::vector<Header> headers;        // of the trunk by which it goes
    std::vector<std::string> require;   // option tags
    int dscp = -1;                      // of what we send; -1: not marked
    bool late_offer = false;            // the offer is theirs
    std::int64_t ring_timeout = 60000;  // ms, over all targets
};

// RFC 3326: why a phone stops to ring that lists the calls it missed.
inline constexpr const char* kCompletedElsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";

class InvitationHost {
public:
    virtual ~InvitationHost() = default;
    virtual void on_progressed(LegProgress progress) = 0;
    // `resync`: another branch's description is in force; offer again.
    virtual void on_invitation_accepted(Established established, bool resync) = 0;
    // Once for each start(), unless accepted or cancelled.
    virtual void on_invitation_refused(const Refusal& refusal) = 0;
};

class Invitation {
public:
    Invitation(SessionHost& network, InvitationHost& host, Invite invite, std::string call_id,
               std::string local_tag);

    // Another Request-URI than the address that is called, for the next start(): a contact of a device.
    void aim(std::string uri) { half_.target = std::move(uri); }
    // To one target; again for the next when it was refused with try_next.
    void start(const Flow& flow, std::shared_ptr<MediaSession> media, std::int64_t now);
    // Nothing is reported afterwards. CANCEL goes out at once, or after the first provisional response;
    // whoever answers all the same is hung up. Both say why, in a Reason header (RFC 3326): `reason`, or for
    // the hang-up what the cause says.
    void cancel(EndCause cause, std::int64_t now, std::string reason = {});

    void receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    void request_timed_out(std::uint64_t id, std::int64_t now);
    void connection_closed(std::uint64_t connection, std::int64_t now);
    // A request of the far side in an early dialog.
    void receive(const std::string& transaction, const Message& request);
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    // An early dialog of this INVITE, by Dialog::key(): the far side rings. Null: there is no such.
    const Flow* early_flow(const std::string& key) const;
    // The far side that has this tag has said something.
    bool has_heard(const std::string& remote_tag) const { return early_.contains(remote_tag); }
    bool over() const { return state_ == State::over; }  // nothing more can come

    // The client transaction is the INVITE's, or that of a request in a dialog that is no session's.
    bool is_own(std::uint64_t id) const { return id != 0 && (id == transaction_ || requests_.has(id)); }
    const std::string& call_id() const { return half_.call_id; }
    const std::string& local_tag() const { return half_.local_tag; }
    std::uint32_t cseq() const { return half_.cseq; }
    // Before the first start: this number was used in the same call.
    void count_from(std::uint32_t cseq) { half_.cseq = cseq; }

private:
    enum class State {
        idle,        // before the first start, between targets
        calling,     // nothing came back yet
        proceeding,  // a provisional response did
        cancelling,
        settled,  // accepted, refused or cancelled: stragglers may come
        over
    };
    struct Early {
        Dialog dialog;
        std::uint32_t rseq = 0;  // of the last reliable response
        std::string answer;      // their answer to our offer; in force once they accept
        bool reliable = false;   // it came reliably: the 2xx need not repeat it
        bool answered = false;   // late: our answer to their offer went out
    };

    void send_invite(std::int64_t now);
    std::string write(const std::string& method, const std::string& body) const;
    void receive_provisional(const Message& response, std::int64_t now);
    void take_description(Early& early, const Message& response, bool reliable, RequestParts& prack);
    void receive_accepted(const Message& response, std::int64_t now);
    std::optional<MediaProblem> agree(const Early& early, const Message& response, std::string& ack_body);
    void hang_up(Dialog dialog, EndCause cause, std::int64_t now);
    void receive_response_within(std::uint64_t id, const Message& response);
    void receive_refused(const Message& response, std::int64_t now);
    bool retry(const Message& response, std::int64_t now);
    bool drop_required(const Message& response);
    void send_cancel();
    void settle(std::int64_t now);
    void refuse(const Refusal& refusal, std::int64_t now);
    Early* early(const Message& response);

    SessionHost& network_;
    DialogRequests requests_{network_};
    InvitationHost& host_;
    const Invite invite_;
    State state_ = State::idle;
    std::shared_ptr<MediaSession> media_;
    SessionTimer timer_;
    CallerHalf half_;
    std::string offer_;
    std::string branch_;
    std::uint64_t transaction_ = 0;
    Authorizations credentials_;
    std::vector<std::string> require_;
    int attempts_with_timer_ = 0;
    bool provisional_ = false;  // one came: CANCEL may go out
    bool cancel_sent_ = false;
    EndCause cancel_cause_ = EndCause::cancelled;
    std::string cancel_reason_;
    std::map<std::string, Early> early_;       // by To tag
    std::map<std::string, std::string> acks_;  // to each 2xx, by To tag
    std::map<std::string, Dialog> left_;       // hung up, by To tag
    std::string media_tag_;                    // late: whose offer is in force
    std::int64_t ring_until_ = -1;
    std::int64_t over_at_ = -1;
};

}  // namespace vmr::sip
