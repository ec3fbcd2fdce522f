// RTP and RTCP on two UDP sockets, or on one when muxed (RFC 5761), with symmetric
// RTP (RFC 4961): the first valid packet tells where the peer really is; with ICE lite
// its connectivity checks do.
#pragma once
#include <gio/gio.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/media_io.hpp"
#include "daemon/media/transport/stun_responder.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

class UdpChannel final : public Channel {
public:
    static Result<std::unique_ptr<UdpChannel>> open(std::shared_ptr<MediaIo> io, const UdpParams& params,
                                                    ChannelEvents& events);
    ~UdpChannel() override;

    uint16_t rtp_port() const { return ports_[0]; }
    uint16_t rtcp_port() const { return ports_[params_.rtcp_mux ? 0 : 1]; }
    // ICE lite: what the description is to say; changes with the peer's (a restart). Control thread.
    std::pair<std::string, std::string> ice_credentials() const;
    // Control thread.
    Status set_remote(const UdpRemote& remote);

    bool send(Component component, Bytes datagram) override;
    void accept_source() override;
    bool source_is_signalled() const override;
    void stop() override;

private:
    struct Address {
        sockaddr_storage storage{};
        socklen_t length = 0;
        void set(const sockaddr_storage& from, socklen_t size);
        bool same_host(const Address& other) const;
        bool operator==(const Address& other) const;
    };
    // Hands on what one of the two sockets got.
    struct Inlet final : DatagramReader {
        void on_datagram_read(const Datagram& datagram) override { channel->read(index, datagram); }
        UdpChannel* channel = nullptr;
        size_t index = 0;
    };
    struct Peer {
        Address signalled;
        Address target;        // where to send to
        bool latched = false;  // target is where a valid packet came from
        uint32_t nominated_priority = 0;
        std::vector<Address> checked;  // ... where checks of the peer came from
    };

    UdpChannel(std::shared_ptr<MediaIo> io, const UdpParams& params, ChannelEvents& events);
    static Result<Address> resolve(const std::string& address, uint16_t port);
    bool bind_pair(uint16_t rtp_port, GInetAddress* address);
    GPtr<GSocket> bind_socket(GInetAddress* address, uint16_t port);
    bool attach();
    void read(size_t index, const Datagram& datagram);
    bool is_peer(const Peer& peer) const;  // the datagram that is being handled is; under the lock
    void take_check(Bytes datagram);
    void note_check(Peer& peer, const StunResponder::Answer& answer);  // under the lock
    size_t index_of(Component component) const { return component == Component::rtcp && !mux_ ? 1 : 0; }

    std::shared_ptr<MediaIo> io_;
    UdpParams params_;
    ChannelEvents& events_;
    std::array<GPtr<GSocket>, 2> sockets_;
    std::array<Inlet, 2> inlets_;
    std::array<uint16_t, 2> ports_{};

    // Of the datagram that is being handled; media-io only.
    size_t current_index_ = 0;
    Address current_;

    mutable std::mutex mutex_;  // innermost: nothing is called while it is held
    std::array<Peer, 2> peers_;
    std::optional<StunResponder> responder_;
    std::string peer_ufrag_;  // not empty: the peer is where its checks come from
    bool mux_ = false;
    bool comedia_ = false;
    bool stopped_ = false;
};

}  // namespace vmr::media
