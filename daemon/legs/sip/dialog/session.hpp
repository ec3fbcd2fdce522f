// One call: the INVITE usage of a dialog (RFC 3261 sections 13-15): UAS side from the
// INVITE on, UAC side from the answer on (invitation.hpp is before it); with re-INVITE, UPDATE (RFC 3311),
// reliable provisional responses (RFC 3262), session timers (RFC 4028) and keys by INFO. Pure: time is an
// argument, sending goes through the host.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/dialog/dialog_requests.hpp"
#include "daemon/legs/sip/dialog/session_timer.hpp"
#include "daemon/legs/sip/dialog/terms.hpp"
#include "daemon/legs/sip/message/message.hpp"
#include "daemon/legs/sip/message/writer.hpp"

namespace vmr::sip {

class SessionHost {
public:
    virtual ~SessionHost() = default;
    virtual void respond(const std::string& transaction, int status, const std::string& bytes) = 0;
    virtual std::uint64_t request(const Flow& flow, const std::string& method, const std::string& branch,
                                  const std::string& bytes, const std::string& ack) = 0;
    // Once more, under the number of the one that was challenged.
    virtual void request_again(std::uint64_t id, const Flow& flow, const std::string& method,
                               const std::string& branch, const std::string& bytes,
                               const std::string& ack) = 0;
    virtual void send(const Flow& flow, const std::string& bytes) = 0;  // outside transactions
    virtual std::string new_branch() = 0;
    virtual std::uint32_t random(std::uint32_t limit) = 0;  // 0 .. limit-1
    virtual void on_session_answered() = 0;
    virtual void on_key_received(char key) = 0;
    virtual std::string allow() const { return kAllow; }
    // A request in the dialog came by this way, which further ones of ours take where it may be trusted.
    virtual void follow(Dialog& dialog, const Flow& flow) {
        if (may_follow(dialog.flow(), flow, false)) {
            dialog.move_to(flow);
        }
    }
    // A request in the dialog that is none of the session's. False: none of anybody's (405).
    virtual bool on_other_request(const std::string& /*transaction*/, const Message& /*request*/) {
        return false;
    }
    // Something whose last release answers `transaction` with these bytes.
    virtual std::shared_ptr<void> receipt(const std::string& transaction, const std::string& bytes) = 0;
    // Once. `receipt` answers the peer's BYE.
    virtual void on_session_ended(EndCause cause, std::shared_ptr<void> receipt) = 0;
};

// A call of ours that was answered and acknowledged.
struct Established {
    Dialog dialog;
    SessionTimer timer;
    std::shared_ptr<MediaSession> media;
    bool peer_updates = false;
    bool peer_refers = false;  // or does not say
    bool peer_messages = false;
    bool precedence = false;    // as of DialogTerms
    DigestIdentity identity{};  // for those who challenge
};

class Session {
public:
    Session(SessionHost& host, Established established);
    Session(SessionHost& host, const std::string& transaction, Message invite, std::string local_tag,
            const std::string& contact_host, std::int64_t now, const DialogTerms& terms = {});

    void attach(std::shared_ptr<MediaSession> media) { media_ = std::move(media); }

    // From the bridge
    void ring(std::int64_t now);
    void accept(std::int64_t now);
    void end(EndCause cause, std::int64_t now);
    void give_way(std::int64_t now);  // half-open, for another call: nothing is left of it
    void renegotiate(std::int64_t now);
    void ask_for_keyframe(std::int64_t now);  // where RTCP cannot (session_info.cpp)

    // From the network
    void receive(const std::string& transaction, const Message& request, std::int64_t now);
    void cancel(std::int64_t now);  // CANCEL for the first INVITE
    void receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    void request_timed_out(std::uint64_t id, std::int64_t now);
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;

    const Dialog& dialog() const { return dialog_; }
    Dialog& dialog() { return dialog_; }
    // In which all requests within the call go out.
    DialogRequests& requests() { return requests_; }
    bool incoming() const { return state_ == State::incoming; }
    bool peer_refers() const { return peer_refers_; }
    bool peer_messages() const { return peer_messages_; }
    bool half_open() const { return state_ == State::incoming || state_ == State::accepted; }
    bool over() const { return state_ == State::ended; }  // nothing more to send or to wait for
    SessionTimer::Outcome timer_outcome() const { return timer_outcome_; }
    std::uint32_t least_expires() const { return timer_.least(); }
    bool leaving() const { return state_ == State::leaving || state_ == State::ended; }
    bool gave_way() const { return reported_ || leaving(); }  // its place is free

private:
    enum class State { incoming, accepted, confirmed, leaving, ended };

    // answering (session.cpp)
    void refuse(EndCause cause, std::int64_t now, const std::string& text = {});
    Header warning(bool encryption, const std::string& words) const;
    void receive_ack(const Message& ack, std::int64_t now);
    void receive_bye(const std::string& transaction, const Message& bye);
    void receive_info(const std::string& transaction, const Message& info, std::int64_t now);
    void receive_info_response(const Message& response);
    void send_bye(EndCause cause);
    void finish(EndCause cause, std::shared_ptr<void> receipt);
    void reply(const std::string& transaction, const Message& request, Reply reply);
    void tick_accepted(std::int64_t now);

    // offers within the call (session_offers.cpp)
    void receive_reinvite(const std::string& transaction, const Message& request, std::int64_t now);
    void receive_update(const std::string& transaction, const Message& request, std::int64_t now);
    bool answer_offer(const std::string& transaction, const Message& request, Reply& ok);
    std::optional<SessionTimer> negotiate_timer(const std::string& transaction, const Message& request,
                                                Reply& ok);
    void reply_problem(const std::string& transaction, const Message& request, const MediaProblem& problem);
    void send_2xx(const std::string& transaction, const Message& request, Reply ok, std::int64_t now);
    void send_wanted(std::int64_t now);
    void send_reinvite(std::int64_t now);
    void send_update();
    void receive_reinvite_response(std::uint64_t id, const DialogRequests::Request& request,
                                   const Message& response, std::int64_t now);
    void receive_update_response(const Message& response, std::int64_t now);
    // What a request of ours was for, that was refused (session_refusals.cpp).
    struct Purpose {
        bool offer = false, refresh = false;
    };
    void on_refused(const Message& response, Purpose purpose, std::int64_t now);
    void try_later(const Message& response, Purpose purpose, std::int64_t now);
    void want(Purpose purpose, std::int64_t at);

    // reliable provisional responses (session_offers.cpp)
    void receive_prack(const std::string& transaction, const Message& prack);
    void tick_provisional(std::int64_t now);

    SessionHost& host_;
    DialogRequests requests_{host_};
    const bool placed_ = false;  // the Call-ID is ours
    State state_ = State::incoming;
    Message invite_;           // the request that is being answered: the first INVITE, later a re-INVITE
    std::string transaction_;  // of invite_; empty when answered
    Dialog dialog_;
    std::shared_ptr<MediaSession> media_;
    Reliable reliable_ = Reliable::offered;
    const bool precedence_ = false;  // may be required
    SessionTimer timer_;
    SessionTimer::Outcome timer_outcome_ = SessionTimer::Outcome::off;
    std::int64_t incoming_until_ = -1;  // then the caller is told that nobody answers
    bool reported_ = false;             // on_session_ended was called
    bool established_ = false;          // the first ACK came
    bool peer_updates_ = false;         // the peer allows UPDATE
    bool peer_refers_ = false;          // ... REFER, or does not say
    bool peer_messages_ = false;        // ... chat
    bool offered_ = false;              // our offer travels in a 2xx; the answer comes in the ACK
    std::optional<EndCause> bye_after_ack_;

    // 2xx to invite_, sent again until its ACK comes (section 13.3.1.4)
    std::string ok_bytes_;
    std::uint32_t ok_cseq_ = 0;
    std::int64_t ok_at_ = -1, ok_interval_ = 0, ok_until_ = -1;

    // RFC 3262: one provisional response at a time
    std::string provisional_, rack_;  // the bytes; what its PRACK names, until that comes
    std::int64_t provisional_at_ = -1, provisional_interval_ = 0, provisional_until_ = -1;

    // our own requests
    std::uint64_t reinvite_ = 0, update_ = 0, bye_ = 0, info_ = 0;  // client transactions; 0 = none
    std::string reinvite_ack_;                               // ACK to its 2xx, again for each repeated 2xx
    std::uint64_t reinvite_done_ = 0;                        // the transaction that reinvite_ack_ belongs to
    bool reinvite_wanted_ = false, refresh_wanted_ = false;  // as soon as nothing is under way
    Purpose reinvite_for_;                                   // the one that is under way
    unsigned offer_refusals_ = 0;                            // for the moment, one after the other
    std::int64_t retry_at_ = -1;                             // not before, after 491 (section 14.1)
    bool raised_ = false;                                    // by a 422; again only after a 2xx
    std::int64_t picture_given_until_ = 0, picture_asked_until_ = 0;  // no keyframe before
    bool peer_gives_pictures_ = true;
};

// A key from application/dtmf-relay or application/dtmf; 0 when there is none.
char info_key(const Message& info);

}  // namespace vmr::sip
