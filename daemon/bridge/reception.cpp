#include "daemon/bridge/reception.hpp"

#include <utility>

namespace vmr::bridge {
namespace {

constexpr unsigned kAttempts = 3;
constexpr unsigned kMaxDigits = 20;

}  // namespace

Reception::~Reception() {
    for (auto& [leg, caller] : callers_) {
        pipeline_->detach(leg);
    }
}

void Reception::arrive(std::shared_ptr<Leg> leg, std::shared_ptr<media::Session> session,
                       const Arrival& arrival) {
    if (!pipeline_.ensure(!callers_.empty(),
                          [this] { return new_pipeline(services_, "reception", *this); })) {
        services_.records.refuse(
            refused_record(arrival, {}, EndCause::internal_error, services_.server_version));
        leg->refuse(EndCause::internal_error);
        return;
    }
    Caller& caller = callers_[arrival.leg];
    caller.seat.id = arrival.leg;
    caller.seat.arrival = arrival;
    caller.seat.leg = leg;
    caller.seat.session = std::move(session);
    caller.seat.record = opened_record(arrival, {}, services_.server_version);
    services_.records.begin(caller.seat.record);
    GstElement* ivr = caller.seat.session->bin().ivr();
    set_up_prompts(caller.seat.session->bin(), services_.prompts, arrival.kind);
    g_object_set(ivr, "max-digits", kMaxDigits, nullptr);
    pipeline_->attach(arrival.leg, caller.seat.session->bin(), arrival.display_name);
    caller.seat.session->set_on_changed([this, name = arrival.leg] { pipeline_->refresh(name); });
    g_signal_emit_by_name(ivr, "ask", "meeting-number");
    leg->accept();
}

void Reception::on_key(const std::string& leg, char key) {
    const auto found = callers_.find(leg);
    if (found != callers_.end()) {
        const char text[] = {key, '\0'};
        g_signal_emit_by_name(found->second.seat.session->bin().ivr(), "digit", text);
    }
}

void Reception::on_digits_entered(const std::string& leg, const std::string& digits) {
    const auto found = callers_.find(leg);
    if (found == callers_.end()) {
        return;
    }
    Caller& caller = found->second;
    pipeline_->detach(leg);
    if (transfer_(digits, caller.seat.leg, caller.seat.session, caller.seat.arrival)) {
        // The room writes the call's record; the one begun here ends as the same call's first part.
        caller.seat.record.end_cause = "transferred";
        caller.seat.record.ended_at = std::chrono::system_clock::now();
        services_.records.finish(caller.seat.record, [](Status) {});
        callers_.erase(found);
        return;
    }
    pipeline_->attach(leg, caller.seat.session->bin(), caller.seat.arrival.display_name);
    ++caller.attempts;
    caller.seat.leg->blame();
    const unsigned left = kAttempts - caller.attempts;
    g_signal_emit_by_name(caller.seat.session->bin().ivr(), "reject", left);
    if (left == 0) {
        release(leg, EndCause::not_found);
    }
}

void Reception::release(const std::string& leg, EndCause cause) {
    const auto found = callers_.find(leg);
    if (found != callers_.end()) {
        const auto held = found->second.seat.leg;
        held->end(cause);
    }
}

void Reception::on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) {
    const auto found = callers_.find(leg);
    if (found == callers_.end()) {
        return;
    }
    Seat& seat = found->second.seat;
    if (found->second.attempts == 0 && cause != EndCause::shutdown && cause != EndCause::internal_error) {
        seat.leg->blame();  // a call that led nowhere; each wrong number was counted by itself
    }
    pipeline_->detach(leg);
    room::RecordDraft draft;
    draft.participant = seat.id;
    draft.name = seat.record.name;
    draft.start = std::chrono::floor<std::chrono::milliseconds>(seat.record.started_at);
    draft.stop = now();
    draft.crypto = room_receipt(seat.session->crypto_receipt());
    draft.pin_attempts = draft.pin_wrong = found->second.attempts;
    complete_record(seat.record, draft);
    add_streams(seat.record, *seat.session);
    seat.record.end_cause = vmr::to_string(cause);
    services_.records.finish(seat.record, [receipt](Status) {});
    callers_.erase(found);
}

void Reception::end_all(EndCause cause) {
    while (!callers_.empty()) {
        const std::string leg = callers_.begin()->first;
        release(leg, cause);
        // A leg that reports later than at once is gone from here all the same.
        on_leg_ended(leg, cause, nullptr);
    }
}

void Reception::on_pin_timed_out(const std::string& leg) {
    release(leg, EndCause::pin_timeout);
}

void Reception::on_leg_failed(const std::string& leg, const std::string& text) {
    g_warning("leg %s at the reception: %s", leg.c_str(), text.c_str());
    release(leg, EndCause::media_failed);
}

void Reception::on_room_failed(const std::string& text) {
    g_critical("reception: %s", text.c_str());
    pipeline_.give_up();
    end_all(EndCause::internal_error);
}

}  // namespace vmr::bridge
