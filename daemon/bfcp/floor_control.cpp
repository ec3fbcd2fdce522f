#include "daemon/bfcp/floor_control.hpp"

#include <algorithm>
#include <vector>

namespace vmr::bfcp {

void FloorControl::add(std::uint16_t user, bool reliable) {
    clients_[user] = Client{reliable, false, 0, 1, {}, {}};
}

void FloorControl::remove(std::uint16_t user, std::int64_t now) {
    clients_.erase(user);
    if (holder_ == user) {
        set_holder(0, now);
    }
}

void FloorControl::receive(std::uint16_t user, std::string_view bytes, std::int64_t now) {
    const auto found = clients_.find(user);
    const std::optional<Header> header = parse_header(bytes);
    if (found == clients_.end() || !header) {
        return;
    }
    Client& client = found->second;
    if (header->version != (client.reliable ? kReliable : kUnreliable)) {
        refuse(user, client, *header, ErrorCode::unsupported_version, now);
        return;
    }
    const auto repeated = [&](const Answer& answer) { return answer.transaction == header->transaction; };
    const auto known = std::ranges::find_if(client.answers, repeated);
    if (!client.reliable && !header->response && known != client.answers.end() && known->forgotten_at > now) {
        host_.send(user, known->bytes);
        return;
    }
    const Result<Message> message = parse(bytes);
    if (!message) {
        const bool whole = message_length(bytes) == bytes.size();
        refuse(user, client, *header, whole ? ErrorCode::unreadable : ErrorCode::incorrect_length, now);
        return;
    }
    handle(user, client, *message, now);
}

// Section 13: what every message must satisfy.
bool FloorControl::belongs(std::uint16_t user, Client& client, const Message& message, std::int64_t now) {
    ErrorCode code = ErrorCode::none;
    if (message.header.conference != conference_) {
        code = ErrorCode::no_conference;
    } else if (message.header.user != user || message.beneficiary.value_or(user) != user) {
        code = ErrorCode::no_user;
    } else if (!message.unknown_mandatory.empty()) {
        answer(user, client, message.header, now, [&](Header header) {
            return write_error(header, ErrorCode::unknown_mandatory_attribute, message.unknown_mandatory);
        });
        return false;
    } else {
        const auto wrong = [](std::uint16_t floor) { return floor != kContentFloor; };
        code = std::ranges::any_of(message.floors, wrong) ? ErrorCode::invalid_floor : ErrorCode::none;
    }
    if (code != ErrorCode::none) {
        refuse(user, client, message.header, code, now);
    }
    return code == ErrorCode::none;
}

void FloorControl::handle(std::uint16_t user, Client& client, const Message& message, std::int64_t now) {
    const Header& header = message.header;
    const bool acknowledges = header.primitive == Primitive::floor_request_status_ack ||
                              header.primitive == Primitive::floor_status_ack;
    if (acknowledges || header.response || header.primitive == Primitive::error) {
        // Answers are never answered; an Error to a notification ends it as well.
        acknowledged(user, client, header.transaction, now);
        return;
    }
    if (!belongs(user, client, message, now)) {
        return;
    }
    switch (header.primitive) {
        case Primitive::hello:
            answer(user, client, header, now, write_hello_ack);
            break;
        case Primitive::floor_request:
            request_floor(user, client, message, now);
            break;
        case Primitive::floor_release:
            release_floor(user, client, message, now);
            break;
        case Primitive::floor_request_query:
            if (message.floor_request != client.request || client.request == 0) {
                refuse(user, client, header, ErrorCode::no_floor_request, now);
                break;
            }
            answer(user, client, header, now, [&](Header reply) {
                return write_floor_request_status(reply, info(user, client, RequestStatus::granted));
            });
            break;
        case Primitive::user_query:
            answer(user, client, header, now, [&](Header reply) {
                return write_user_status(reply, holder_ == user ? holder_info() : std::nullopt);
            });
            break;
        case Primitive::floor_query:
            // Without a floor: no more notifications (section 12.1.1).
            client.watches = !message.floors.empty();
            answer(user, client, header, now,
                   [&](Header reply) { return write_floor_status(reply, kContentFloor, holder_info()); });
            break;
        case Primitive::goodbye:
            answer(user, client, header, now, [](Header reply) {
                reply.primitive = Primitive::goodbye_ack;
                return write(reply);
            });
            remove(user, now);
            host_.on_client_lost(user);
            break;
        case Primitive::chair_action:
            refuse(user, client, header, ErrorCode::unauthorized, now);
            break;
        default:
            refuse(user, client, header, ErrorCode::unknown_primitive, now);
    }
}

void FloorControl::answer(std::uint16_t user, Client& client, const Header& request, std::int64_t now,
                          const std::function<std::string(Header)>& write) {
    Header header = request;
    header.version = client.reliable ? kReliable : kUnreliable;
    header.response = !client.reliable;
    std::string bytes = write(header);
    host_.send(user, bytes);
    if (!client.reliable) {
        std::erase_if(client.answers, [&](const Answer& old) { return old.forgotten_at <= now; });
        client.answers.push_back({request.transaction, std::move(bytes), now + kT2});
        if (client.answers.size() > kMaxAnswers) {
            client.answers.pop_front();
        }
    }
}

void FloorControl::refuse(std::uint16_t user, Client& client, const Header& request, ErrorCode code,
                          std::int64_t now) {
    if (!request.response && request.primitive != Primitive::error) {
        answer(user, client, request, now, [code](Header header) { return write_error(header, code); });
    }
}

FloorRequestInfo FloorControl::info(std::uint16_t user, const Client& client, RequestStatus status) const {
    return {client.request, kContentFloor, status, 0, user};
}

std::optional<FloorRequestInfo> FloorControl::holder_info() const {
    const auto found = clients_.find(holder_);
    if (found == clients_.end()) {
        return {};
    }
    return info(holder_, found->second, RequestStatus::granted);
}

void FloorControl::request_floor(std::uint16_t user, Client& client, const Message& message,
                                 std::int64_t now) {
    if (message.floors.empty()) {
        refuse(user, client, message.header, ErrorCode::invalid_floor, now);
        return;
    }
    if (client.request == 0) {
        client.request = next_request_++;
        next_request_ += next_request_ == 0 ? 1 : 0;
    }
    const bool granted = host_.may_share(user);
    const FloorRequestInfo outcome =
        info(user, client, granted ? RequestStatus::granted : RequestStatus::denied);
    answer(user, client, message.header, now,
           [&](Header reply) { return write_floor_request_status(reply, outcome); });
    if (!granted) {
        client.request = 0;
    } else if (holder_ != user) {
        set_holder(user, now);
    }
}

void FloorControl::release_floor(std::uint16_t user, Client& client, const Message& message,
                                 std::int64_t now) {
    if (client.request == 0 || message.floor_request != client.request) {
        refuse(user, client, message.header, ErrorCode::no_floor_request, now);
        return;
    }
    const FloorRequestInfo released = info(user, client, RequestStatus::released);
    client.request = 0;
    answer(user, client, message.header, now,
           [&](Header reply) { return write_floor_request_status(reply, released); });
    set_holder(0, now);
}

void FloorControl::revoke(std::int64_t now) {
    if (holder_ != 0) {
        set_holder(0, now);
    }
}

void FloorControl::set_holder(std::uint16_t user, std::int64_t now) {
    const auto before = clients_.find(holder_);
    holder_ = user;
    if (before != clients_.end() && before->second.request != 0) {
        const FloorRequestInfo revoked = info(before->first, before->second, RequestStatus::revoked);
        before->second.request = 0;
        notify(before->first, before->second, now,
               [&](Header header) { return write_floor_request_status(header, revoked); });
    }
    for (auto& [number, client] : clients_) {
        if (client.watches) {
            notify(number, client, now,
                   [&](Header header) { return write_floor_status(header, kContentFloor, holder_info()); });
        }
    }
    host_.on_holder_changed(user);
}

void FloorControl::notify(std::uint16_t user, Client& client, std::int64_t now,
                          const std::function<std::string(Header)>& write) {
    Header header;
    header.version = client.reliable ? kReliable : kUnreliable;
    header.conference = conference_;
    header.user = user;
    if (client.reliable) {
        host_.send(user, write(header));  // transaction 0: nothing answers it (section 8.2)
        return;
    }
    header.transaction = client.next_transaction++;
    client.next_transaction += client.next_transaction == 0 ? 1 : 0;
    if (client.pending.size() >= kMaxPending) {
        client.pending.erase(client.pending.begin() + 1);  // the newest state is what counts
    }
    client.pending.push_back({header.transaction, write(header), 0, 0});
    if (client.pending.size() == 1) {
        send_first(user, client, now);
    }
}

void FloorControl::send_first(std::uint16_t user, Client& client, std::int64_t now) {
    Notification& first = client.pending.front();
    host_.send(user, first.bytes);
    first.again_at = now + (kT1 << first.sent);
    ++first.sent;
}

void FloorControl::acknowledged(std::uint16_t user, Client& client, std::uint16_t transaction,
                                std::int64_t now) {
    if (client.pending.empty() || client.pending.front().transaction != transaction) {
        return;
    }
    client.pending.pop_front();
    if (!client.pending.empty()) {
        send_first(user, client, now);
    }
}

void FloorControl::tick(std::int64_t now) {
    std::vector<std::uint16_t> lost;
    for (auto& [user, client] : clients_) {
        if (client.pending.empty() || client.pending.front().again_at > now) {
            continue;
        }
        if (client.pending.front().sent > kRetransmissions) {
            lost.push_back(user);
        } else {
            send_first(user, client, now);
        }
    }
    for (const std::uint16_t user : lost) {
        remove(user, now);
        host_.on_client_lost(user);
    }
}

std::optional<std::int64_t> FloorControl::next_deadline() const {
    std::optional<std::int64_t> next;
    for (const auto& [user, client] : clients_) {
        if (!client.pending.empty()) {
            next = std::min(next.value_or(INT64_MAX), client.pending.front().again_at);
        }
    }
    return next;
}

}  // namespace vmr::bfcp
