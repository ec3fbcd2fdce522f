// The ICE agents of one transport: one, and two while ICE restarts (RFC 8445 section 9). libnice 0.1.21 does
// not finish a restart of an agent in use, so each is a new agent; media goes on by the one before until the
// new one has found a path.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "daemon/media/transport/ice_channel.hpp"

namespace vmr::media {

class IcePath final : public Channel {
public:
    static Result<std::unique_ptr<IcePath>> open(std::shared_ptr<MediaIo> io, const IceParams& params,
                                                 ChannelEvents& events);
    ~IcePath() override;

    // Control thread. The agent that descriptions tell of.
    IceChannel& newest() { return *newest_->channel; }
    const IceChannel& newest() const { return *newest_->channel; }
    // Control thread. Another agent is the newest from then on; one that has found no path yet gives way to
    // it. It fails the path if it finds none. Error: the newest is the one in use.
    Status restart(const IceParams& params);
    void cancel_restart();

    bool send(Component component, Bytes datagram) override;
    void stop() override;

private:
    struct Agent final : ChannelEvents {
        explicit Agent(IcePath& owner) : path(owner) {}
        void on_datagram_received(Component component, Bytes datagram) override;
        void on_oversized_received() override { path.events_.on_oversized_received(); }
        void on_stranger_received() override { path.events_.on_stranger_received(); }
        void on_path_connected() override { path.on_connected(*this); }
        void on_path_failed(const std::string& reason) override { path.on_failed(*this, reason); }
        void on_local_candidate_found(const std::string& ufrag, const std::string& candidate) override;

        IcePath& path;
        std::unique_ptr<IceChannel> channel;
    };

    IcePath(std::shared_ptr<MediaIo> io, ChannelEvents& events) : io_(std::move(io)), events_(events) {}
    // media-io
    Status add_agent(const IceParams& params);
    void drop_restart();
    void drop_previous();
    void on_connected(Agent& agent);
    void on_failed(Agent& agent, const std::string& reason);

    std::shared_ptr<MediaIo> io_;
    ChannelEvents& events_;
    std::shared_ptr<Agent> newest_;    // changes on media-io, while the control thread waits
    std::shared_ptr<Agent> previous_;  // media-io; was in use, and is listened to for a while
    IoTimer linger_;                   // media-io
    std::mutex mutex_;                 // innermost
    std::shared_ptr<Agent> active_;    // in use; changes on media-io
};

}  // namespace vmr::media
