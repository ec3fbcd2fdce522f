#include "daemon/bfcp/floor_server.hpp"

#include <algorithm>

namespace vmr::bfcp {
namespace {

constexpr std::uint16_t kOtherUser = 0xffff;  // stands for whoever shares without BFCP
constexpr std::uint16_t kOtherRequest = 0xffff;

std::uint16_t next_of(std::uint16_t& counter) {  // 1 to 0xfffe
    const std::uint16_t value = counter;
    counter = counter == 0xfffe ? 1 : counter + 1;
    return value;
}

}  // namespace

void FloorServer::receive(std::string_view bytes, std::int64_t now) {
    const std::optional<Header> header = parse_header(bytes);
    if (!header || repeat_answer(*header, now)) {
        return;
    }
    if (header->version != (reliable_ ? kReliable : kUnreliable)) {
        refuse(*header, ErrorCode::unsupported_version, now);
        return;
    }
    const Result<Message> message = parse(bytes);
    if (!message) {
        const bool whole = message_length(bytes) == bytes.size();
        refuse(*header, whole ? ErrorCode::unreadable : ErrorCode::incorrect_length, now);
        return;
    }
    handle(*message, now);
}

bool FloorServer::repeat_answer(const Header& header, std::int64_t now) {
    std::erase_if(answers_, [now](const Answer& answer) { return answer.forgotten_at <= now; });
    const auto known = std::ranges::find(answers_, header.transaction, &Answer::transaction);
    const bool repeated = !header.response && known != answers_.end();
    if (repeated) {
        host_.send(known->bytes);
    }
    return repeated;
}

// What every request must satisfy (section 13).
ErrorCode FloorServer::problem_with(const Message& message) const {
    if (message.header.conference != conference_) {
        return ErrorCode::no_conference;
    }
    if (message.header.user != user_ || message.beneficiary.value_or(user_) != user_) {
        return ErrorCode::no_user;
    }
    if (!message.unknown_mandatory.empty()) {
        return ErrorCode::unknown_mandatory_attribute;
    }
    const auto unknown = [](std::uint16_t floor) { return floor != kContentFloor; };
    return std::ranges::any_of(message.floors, unknown) ? ErrorCode::invalid_floor : ErrorCode::none;
}

void FloorServer::handle(const Message& message, std::int64_t now) {
    const Header& header = message.header;
    if (header.response || header.primitive == Primitive::error ||
        header.primitive == Primitive::floor_request_status_ack ||
        header.primitive == Primitive::floor_status_ack) {
        acknowledged(header.transaction, now);  // answers are not answered; an Error ends it as well
        return;
    }
    if (const ErrorCode problem = problem_with(message); problem != ErrorCode::none) {
        answer(header, now,
               [&](Header reply) { return write_error(reply, problem, message.unknown_mandatory); });
        return;
    }
    switch (header.primitive) {
        case Primitive::hello:
            return answer(header, now, write_hello_ack);
        case Primitive::floor_request:
            return request_floor(message, now);
        case Primitive::floor_release:
            return release_floor(message, now);
        case Primitive::floor_request_query:
            if (request_ == 0 || message.floor_request != request_) {
                return refuse(header, ErrorCode::no_floor_request, now);
            }
            return answer(header, now, [this](Header reply) {
                return write_floor_request_status(reply, own_request(RequestStatus::granted));
            });
        case Primitive::user_query:
            return answer(header, now, [this](Header reply) {
                return write_user_status(reply, request_ != 0 ? holder_info() : std::nullopt);
            });
        case Primitive::floor_query:
            watches_ = !message.floors.empty();  // without a floor: no more of it (section 12.1.1)
            return answer(header, now, [this](Header reply) {
                return write_floor_status(reply, kContentFloor, holder_info());
            });
        case Primitive::goodbye:
            answer(header, now, [](Header reply) {
                reply.primitive = Primitive::goodbye_ack;
                return write(reply);
            });
            return lose_client();
        case Primitive::chair_action:
            return refuse(header, ErrorCode::unauthorized, now);
        default:
            return refuse(header, ErrorCode::unknown_primitive, now);
    }
}

void FloorServer::answer(const Header& request, std::int64_t now, const Writer& write) {
    Header header = request;
    header.version = reliable_ ? kReliable : kUnreliable;
    header.response = !reliable_;
    std::string bytes = write(header);
    host_.send(bytes);
    if (reliable_) {
        return;
    }
    answers_.push_back({request.transaction, std::move(bytes), now + kT2});
    if (answers_.size() > kMaxAnswers) {
        answers_.pop_front();
    }
}

void FloorServer::refuse(const Header& request, ErrorCode code, std::int64_t now) {
    if (!request.response && request.primitive != Primitive::error) {
        answer(request, now, [code](Header header) { return write_error(header, code); });
    }
}

FloorRequestInfo FloorServer::own_request(RequestStatus status) const {
    return {request_, kContentFloor, status, 0, user_};
}

std::optional<FloorRequestInfo> FloorServer::holder_info() const {
    switch (holder_) {
        case Holder::participant:
            return own_request(RequestStatus::granted);
        case Holder::other:
            return FloorRequestInfo{kOtherRequest, kContentFloor, RequestStatus::granted, 0, kOtherUser};
        case Holder::nobody:
            break;
    }
    return {};
}

void FloorServer::request_floor(const Message& message, std::int64_t now) {
    if (message.floors.empty()) {
        refuse(message.header, ErrorCode::invalid_floor, now);
        return;
    }
    if (request_ == 0) {
        request_ = next_of(next_request_);
    }
    const bool granted = holder_ == Holder::participant || host_.begin_sharing();
    const FloorRequestInfo outcome = own_request(granted ? RequestStatus::granted : RequestStatus::denied);
    if (!granted) {
        request_ = 0;
    }
    answer(message.header, now, [&](Header reply) { return write_floor_request_status(reply, outcome); });
    if (granted) {
        set_holder(Holder::participant, now);
    }
}

void FloorServer::release_floor(const Message& message, std::int64_t now) {
    if (request_ == 0 || message.floor_request != request_) {
        refuse(message.header, ErrorCode::no_floor_request, now);
        return;
    }
    const FloorRequestInfo released = own_request(RequestStatus::released);
    request_ = 0;
    answer(message.header, now, [&](Header reply) { return write_floor_request_status(reply, released); });
    set_holder(Holder::nobody, now);
    host_.end_sharing();
}

void FloorServer::set_holder(Holder holder, std::int64_t now) {
    if (holder == holder_) {
        return;
    }
    holder_ = holder;
    if (request_ != 0 && holder != Holder::participant) {
        const FloorRequestInfo revoked = own_request(RequestStatus::revoked);
        request_ = 0;
        notify(now, [&](Header header) { return write_floor_request_status(header, revoked); });
    }
    if (watches_) {
        notify(now,
               [this](Header header) { return write_floor_status(header, kContentFloor, holder_info()); });
    }
}

void FloorServer::lose_client() {
    const bool shared = request_ != 0;
    request_ = 0;
    watches_ = false;
    pending_.clear();
    holder_ = shared ? Holder::nobody : holder_;
    if (shared) {
        host_.end_sharing();
    }
    host_.on_client_lost();
}

void FloorServer::notify(std::int64_t now, const Writer& write) {
    Header header;
    header.version = reliable_ ? kReliable : kUnreliable;
    header.conference = conference_;
    header.user = user_;
    if (reliable_) {
        host_.send(write(header));  // transaction 0: nothing answers it (section 8.2)
        return;
    }
    header.transaction = next_of(next_transaction_);
    if (pending_.size() >= kMaxPending) {
        pending_.erase(pending_.begin() + 1);  // the newest state is what counts
    }
    pending_.push_back({header.transaction, write(header), 0, 0});
    if (pending_.size() == 1) {
        send_first(now);
    }
}

void FloorServer::send_first(std::int64_t now) {
    Notification& first = pending_.front();
    host_.send(first.bytes);
    first.again_at = now + (kT1 << first.sent);
    ++first.sent;
}

void FloorServer::acknowledged(std::uint16_t transaction, std::int64_t now) {
    if (pending_.empty() || pending_.front().transaction != transaction) {
        return;
    }
    pending_.pop_front();
    if (!pending_.empty()) {
        send_first(now);
    }
}

void FloorServer::tick(std::int64_t now) {
    if (pending_.empty() || pending_.front().again_at > now) {
        return;
    }
    if (pending_.front().sent > kRetransmissions) {
        lose_client();
    } else {
        send_first(now);
    }
}

std::optional<std::int64_t> FloorServer::next_deadline() const {
    return pending_.empty() ? std::nullopt : std::optional(pending_.front().again_at);
}

}  // namespace vmr::bfcp
