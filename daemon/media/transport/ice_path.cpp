#include "daemon/media/transport/ice_path.hpp"

namespace vmr::media {

namespace {

// The peer may take longer to change over, and packets are on their way (RFC 8445 section 8.3).
constexpr std::chrono::seconds kLinger{3};

}  // namespace

void IcePath::Agent::on_datagram_received(Component component, Bytes datagram) {
    path.events_.on_datagram_received(component, datagram);
}

void IcePath::Agent::on_local_candidate_found(const std::string& ufrag, const std::string& candidate) {
    path.events_.on_local_candidate_found(ufrag, candidate);
}

Result<std::unique_ptr<IcePath>> IcePath::open(std::shared_ptr<MediaIo> io, const IceParams& params,
                                               ChannelEvents& events) {
    std::unique_ptr<IcePath> path(new IcePath(std::move(io), events));
    Status added = Ok{};
    path->io_->run([&] {
        added = path->add_agent(params);
        path->active_ = path->newest_;
    });
    if (!added) {
        return Error{added.error()};
    }
    return path;
}

IcePath::~IcePath() {
    stop();
}

Status IcePath::add_agent(const IceParams& params) {
    auto agent = std::make_shared<Agent>(*this);
    auto channel = IceChannel::open(io_, params, *agent);
    if (!channel) {
        return Error{channel.error()};
    }
    agent->channel = std::move(*channel);
    newest_ = std::move(agent);
    return Ok{};
}

Status IcePath::restart(const IceParams& params) {
    Status status = Ok{};
    io_->run([&] {
        drop_restart();
        drop_previous();
        status = add_agent(params);
    });
    return status;
}

void IcePath::cancel_restart() {
    io_->run([this] { drop_restart(); });
}

void IcePath::drop_restart() {
    if (newest_ != active_) {
        newest_->channel->stop();
        newest_ = active_;
    }
}

void IcePath::drop_previous() {
    linger_.cancel();
    if (const auto previous = std::exchange(previous_, nullptr)) {
        previous->channel->stop();
    }
}

void IcePath::on_connected(Agent& agent) {
    if (&agent == newest_.get() && newest_ != active_) {
        {
            std::lock_guard lock(mutex_);
            previous_ = std::exchange(active_, newest_);
        }
        linger_.start(*io_, kLinger, [this] { drop_previous(); });
    }
    if (&agent == active_.get()) {
        events_.on_path_connected();
    }
}

// One that is being replaced was no good to the peer any more.
void IcePath::on_failed(Agent& agent, const std::string& reason) {
    if (&agent == newest_.get()) {
        events_.on_path_failed(reason);
    }
}

bool IcePath::send(Component component, Bytes datagram) {
    std::shared_ptr<Agent> agent;
    {
        std::lock_guard lock(mutex_);
        agent = active_;
    }
    return agent->channel->send(component, datagram);
}

void IcePath::stop() {
    io_->run([this] {
        drop_previous();
        for (const auto& agent : {newest_, active_}) {
            if (agent) {
                agent->channel->stop();
            }
        }
    });
}

}  // namespace vmr::media
