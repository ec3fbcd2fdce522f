// The door: arrival, encryption, PIN.
#include <algorithm>

#include "base/utf8.hpp"
#include "daemon/room/core.hpp"

namespace vmr::room {
namespace {

constexpr std::size_t kMaxDialled = 256;                    // bytes
constexpr std::size_t kMaxText = 128;                       // bytes of a name, address or user agent
constexpr Duration kWorkerTime = std::chrono::seconds(20);  // for one hash comparison

// What strangers call themselves: bounded, no control characters, cut at a UTF-8 boundary.
std::string tidy(const std::string& text) {
    std::string tidied = without_controls(text);
    if (tidied.size() > kMaxText) {
        std::size_t end = kMaxText;
        while (end > 0 && (static_cast<unsigned char>(tidied[end]) & 0xc0) == 0x80) {
            --end;
        }
        tidied.resize(end);
    }
    return tidied;
}

std::string source_of(const Participant& p) {
    return PinThrottle::source_key(p.address, p.trunk);
}

void wipe(std::string& secret) {
    std::fill(secret.begin(), secret.end(), '\0');
    secret.clear();
}

}  // namespace

std::optional<Cause> Core::refusal(const Arrived& arrived) const {
    if (arrived.receipt && config.encryption == Encryption::required &&
        !counts_as_encrypted(*arrived.receipt, config.encryption_floor_bits)) {
        return Cause::encryption_required;
    }
    if (arrived.trusted_host) {
        return std::nullopt;  // the crowd at the door does not stop who is known
    }
    const std::string source = PinThrottle::source_key(tidy(arrived.address), tidy(arrived.trunk));
    unsigned at_door = 0;
    unsigned of_source = 0;
    for (const auto& [id, seat] : seats) {
        if (!seat.p.invited && (seat.p.state == State::connecting || seat.p.state == State::pin)) {
            ++at_door;
            of_source += source_of(seat.p) == source ? 1 : 0;
        }
    }
    if (at_door >= config.max_at_door || of_source >= config.max_at_door_per_source) {
        return Cause::room_full;
    }
    return std::nullopt;
}

void Core::on(const Arrived& arrived) {
    if (arrived.id.empty() || find(arrived.id) != nullptr) {
        return;
    }
    Arrived tidied = arrived;
    for (std::string* text : {&tidied.name, &tidied.address, &tidied.trunk, &tidied.user_agent, &tidied.alias,
                              &tidied.verification}) {
        *text = tidy(*text);
    }
    if (const auto cause = refusal(tidied)) {
        refuse(tidied, *cause);
        return;
    }
    Participant p;
    p.id = tidied.id;
    p.name = tidied.name;
    p.leg = tidied.leg;
    p.address = tidied.address;
    p.trunk = tidied.trunk;
    p.withheld = tidied.withheld;
    p.verification = tidied.verification;
    p.user_agent = tidied.user_agent;
    p.alias = tidied.alias;
    p.trusted_host = tidied.trusted_host;
    Seat& seat = take_seat(std::move(p));
    take_receipt(seat, tidied.receipt.value_or(CryptoReceipt{}));
    seat.deadline = now_ + config.connect_timeout;
    emit(Answer{seat.p.id});
    emit(ParticipantJoined{seat.p});
}

Seat& Core::take_seat(Participant p) {
    Seat& seat = seats[p.id];
    seat.p = std::move(p);
    seat.p.arrived_at = now_;
    seat.order = next_order_++;
    seat.gate_reason = GateReason::connecting;
    seat.span_start = now_;
    seat.record.room = config.id;
    seat.record.room_title = config.title;
    seat.record.alias = seat.p.alias;
    seat.record.participant = seat.p.id;
    seat.record.leg = seat.p.leg;
    seat.record.address = seat.p.address;
    seat.record.trunk = seat.p.trunk;
    seat.record.user_agent = seat.p.user_agent;
    seat.record.start = now_;
    seat.record.states.push_back({State::connecting, LobbyReason::none, now_});
    return seat;
}

// Whoever may dial out may let in: who is called comes past the PIN and the lock, and waits for a host alone.
Core::Result Core::apply(const DialOut& action) {
    if (!config.can_dial_out) {
        return {Outcome::conflict, "dialling out is not available"};
    }
    if (action.id.empty() || find(action.id) != nullptr || action.address.empty() ||
        action.address.size() > kMaxDialled) {
        return {Outcome::invalid, "an address has 1 to 256 bytes"};
    }
    if (const Seat* dialling = find(acting_); dialling != nullptr && !dialling->p.trunk.empty()) {
        return {Outcome::not_allowed, "a telephone call may not place others"};
    }
    if (seats.size() >= config.max_participants + config.max_waiting) {
        return {Outcome::conflict, "the room is full"};
    }
    Participant p;
    p.id = action.id;
    p.name = tidy(action.name.empty() ? action.address : action.name);
    p.leg = action.leg;
    const Entry entry = entry_for(config, false);
    p.role = action.role.value_or(entry.ask_pin ? Role::guest : entry.role);
    p.invited = p.role;
    p.call = CallProgress::dialling;
    p.address = p.alias = tidy(action.address);
    Seat& seat = take_seat(std::move(p));
    seat.deadline = now_ + config.dial_timeout;
    emit(ParticipantJoined{seat.p});
    emit(PlaceCall{action.id, action.address, acting_});
    return {};
}

void Core::on(const Progressed& event) {
    Seat* seat = find(event.id);
    if (seat != nullptr && seat->p.call != CallProgress::none && seat->p.call != event.call &&
        event.call != CallProgress::none) {
        seat->p.call = event.call;
        touch(*seat);
    }
}

void Core::take_receipt(Seat& seat, const CryptoReceipt& receipt) {
    seat.p.crypto = receipt;
    seat.p.encrypted = counts_as_encrypted(receipt, config.encryption_floor_bits);
    const bool before_media = seat.p.state == State::connecting;
    if (before_media || is_weaker(receipt, seat.record.crypto)) {
        seat.record.crypto = receipt;
    }
    seat.record.encrypted = seat.p.encrypted && (before_media || seat.record.encrypted);
    touch(seat);
}

bool Core::encryption_suffices(const Seat& seat) const {
    return config.encryption != Encryption::required || seat.p.encrypted;
}

void Core::on(const MediaUp& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || seat->p.state != State::connecting) {
        return;
    }
    take_receipt(*seat, event.receipt);
    if (!encryption_suffices(*seat)) {
        leave(*seat, Cause::encryption_required, true, Prompt::encryption_required);
        return;
    }
    seat->media = true;
    seat->p.call = CallProgress::none;
    if (seat->p.invited) {
        seat->p.role = *seat->p.invited;
        seat_in(*seat);
        return;
    }
    const Entry entry = entry_for(config, seat->p.trusted_host);
    if (entry.ask_pin) {
        advance(*seat, State::pin, LobbyReason::none);
        seat->give_up = now_ + config.lobby_timeout;
        ask_pin(*seat);
        return;
    }
    seat->p.role = entry.role;
    seat_in(*seat);
}

void Core::ask_pin(Seat& seat) {
    seat.deadline = now_ + config.pin_timeout;
    const Entry entry = entry_for(config, false);
    emit(AskPin{seat.p.id, entry.guest_entry, longest_pin(config),
                std::max(1U, config.pin_attempts - std::min(config.pin_attempts, seat.p.pin_attempts))});
}

void Core::on(const Digits& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || seat->p.state != State::pin || seat->pin.step != PinCheck::Step::idle) {
        return;
    }
    ++seat->record.pin_attempts;
    if (event.digits.empty() && entry_for(config, false).guest_entry) {
        judge(*seat, PinMatch::guest, true);
    } else if (!could_be_pin(event.digits)) {
        judge(*seat, PinMatch::none, false);
    } else {
        seat->pin.digits = event.digits;
        try_to_verify(*seat);
    }
}

// Rule 5: a source's further guesses wait until the window has room for them; they are not refused.
void Core::try_to_verify(Seat& seat) {
    PinCheck& pin = seat.pin;
    const std::string source = source_of(seat.p);
    if (!throttle_->begin(source, now_)) {
        if (pin.step == PinCheck::Step::idle) {
            audit_pin(seat, "throttled");
            tell(seat, Prompt::slow_down);
        }
        pin.step = PinCheck::Step::queued;
        pin.at = std::max(throttle_->free_at(source, now_), now_ + Duration{1});
        return;
    }
    pin.step = PinCheck::Step::verifying;
    pin.slot = now_;
    pin.at = now_ + kWorkerTime;
    pin.ticket = next_ticket_++;
    emit(VerifyPin{seat.p.id, pin.ticket, pin.digits});
    wipe(pin.digits);
}

void Core::on(const PinVerified& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || seat->p.state != State::pin || seat->pin.step != PinCheck::Step::verifying ||
        seat->pin.ticket != event.ticket) {
        return;
    }
    const PinMatch match = worth(config, event.match);
    if (match != PinMatch::none) {
        throttle_->succeeded(source_of(seat->p), seat->pin.slot);
    }
    judge(*seat, match, false);
    if (match == PinMatch::none) {
        throttle_->failed(config.id, now_);  // what no source's limit counted is no guess at the room
    }
}

// The answer is known; a room under attack keeps all but hosts waiting for it.
void Core::judge(Seat& seat, PinMatch match, bool guest_entry) {
    const Duration delay = throttle_->guest_delay(config.id, now_);
    seat.pin.match = match;
    seat.pin.guest_entry = guest_entry;
    if (match != PinMatch::host && delay > Duration{0}) {
        seat.pin.step = PinCheck::Step::delayed;
        seat.pin.at = now_ + delay;
        return;
    }
    answer_entry(seat);
}

void Core::answer_entry(Seat& seat) {
    const PinMatch match = seat.pin.match;
    const bool guest_entry = seat.pin.guest_entry;
    seat.pin = {};
    if (match == PinMatch::none) {
        audit_pin(seat, "wrong");
        ++seat.record.pin_wrong;
        ++seat.p.pin_attempts;
        if (seat.p.pin_attempts >= config.pin_attempts) {
            leave(seat, Cause::pin_wrong, true, Prompt::pin_wrong);
            return;
        }
        seat.deadline = now_ + config.pin_timeout;
        emit(RejectPin{seat.p.id, config.pin_attempts - seat.p.pin_attempts});
        return;
    }
    audit_pin(seat, match == PinMatch::host ? "host" : guest_entry ? "guest_entry" : "guest");
    seat.p.role = match == PinMatch::host ? Role::host : Role::guest;
    seat.p.by_host_pin = match == PinMatch::host;
    emit(AcceptPin{seat.p.id, seat.p.role});
    seat_in(seat);
}

void Core::audit_pin(const Seat& seat, const char* result) {
    audit(seat.p.id, PinThrottle::source_name(seat.p.address, seat.p.trunk), "pin", config.id, result);
}

void Core::on(const PinTimedOut& event) {
    Seat* seat = find(event.id);
    if (seat != nullptr && seat->p.state == State::pin && seat->pin.step == PinCheck::Step::idle) {
        audit_pin(*seat, "timeout");
        leave(*seat, Cause::pin_timeout, true, Prompt::pin_timeout);
    }
}

void Core::on(const ReceiptChanged& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || seat->p.crypto == event.receipt) {
        return;
    }
    take_receipt(*seat, event.receipt);
    if (!encryption_suffices(*seat) && seat->p.state != State::connecting) {
        leave(*seat, Cause::encryption_required, true, Prompt::encryption_required);
    }
}

void Core::on(const Reconnecting& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || !seat->p.connected) {
        return;
    }
    if (!seat->in_room() && !seat->in_lobby()) {
        leave(*seat, Cause::network, true);
        return;
    }
    seat->p.connected = false;
    seat->p.talking = false;
    seat->p.sharing = false;
    if (talking_.erase(seat->p.id) > 0) {
        emit(TalkingChanged{{talking_.begin(), talking_.end()}});
    }
    seat->media = false;
    seat->dropped_at = now_;
    seat->keys.reset();
    sync_gate(*seat);
    touch(*seat);
}

void Core::on(const Resumed& event) {
    Seat* seat = find(event.id);
    if (seat == nullptr || seat->p.connected) {
        return;
    }
    ++seat->record.reconnects;
    seat->p.connected = true;
    seat->media = true;
    take_receipt(*seat, event.receipt);
    if (!encryption_suffices(*seat)) {
        leave(*seat, Cause::encryption_required, true, Prompt::encryption_required);
        return;
    }
    // A new leg: it knows nothing of what the old one was told.
    seat->mixer_muted.reset();
    seat->gate_open = false;
    seat->gate_reason.reset();
    sync_mute(*seat);
    sync_gate(*seat);
    if (seat->p.spotlight && seat->in_room()) {
        emit(Spotlight{spotlight_});
    }
}

void Core::on(const ConfigChanged& event) {
    const std::string id = config.id;  // a room does not turn into another
    if (config.chat_allowed != event.config.chat_allowed) {
        chat_allowed_ = event.config.chat_allowed;  // else as a host has it
    }
    config = event.config;
    config.id = id;
    config.pin_attempts = std::max(1U, config.pin_attempts);
    std::vector<ParticipantId> everyone;
    for (const Seat* seat : by_arrival()) {
        everyone.push_back(seat->p.id);
    }
    for (const ParticipantId& who : everyone) {
        Seat* seat = find(who);
        if (seat == nullptr) {
            continue;  // the last one's leaving ended the meeting
        }
        take_receipt(*seat, seat->p.crypto);
        if (seat->p.state == State::connecting) {
            continue;
        }
        if (!encryption_suffices(*seat)) {
            leave(*seat, Cause::encryption_required, true, Prompt::encryption_required);
        } else if (seat->p.state == State::pin && !entry_for(config, false).ask_pin) {
            seat->pin = {};
            seat->p.role = entry_for(config, false).role;
            emit(AcceptPin{who, seat->p.role});
            seat_in(*seat);
        } else if (seat->p.state == State::pin && seat->pin.step == PinCheck::Step::idle) {
            ask_pin(*seat);
        }
    }
}

}  // namespace vmr::room
