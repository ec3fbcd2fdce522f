// What carries datagrams to and from one peer: sockets (UdpChannel) or ICE agents
// (IcePath, of IceChannels).
#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace vmr::media {

enum class Component { rtp, rtcp };

// No media datagram is larger: what is, is not ours.
inline constexpr size_t kMaxDatagram = 2048;

// All are called on the media-io thread.
class ChannelEvents {
public:
    virtual ~ChannelEvents() = default;
    virtual void on_datagram_received(Component component, Bytes datagram) = 0;
    virtual void on_oversized_received() = 0;
    virtual void on_stranger_received() = 0;  // a datagram not from the peer
    // The path to the peer is known (UDP) or validated (ICE).
    virtual void on_path_connected() = 0;
    virtual void on_path_failed(const std::string& reason) = 0;
    // `ufrag` is of the agent whose it is. An empty candidate: all were found.
    virtual void on_local_candidate_found(const std::string& ufrag, const std::string& candidate) = 0;
};

class Channel {
public:
    virtual ~Channel() = default;
    // Any thread. False: nothing was sent (no peer yet, or the socket refused).
    virtual bool send(Component component, Bytes datagram) = 0;
    // On media-io, from within on_datagram_received: the datagram proved to be the
    // peer's, so its source is where to send to from now on (symmetric RTP).
    virtual void accept_source() {}
    // On media-io, from within on_datagram_received: it came from where signalling
    // said, or from an ICE-validated pair.
    virtual bool source_is_signalled() const { return true; }
    // Control thread. No event comes after it returned; nothing is sent.
    virtual void stop() = 0;
};

}  // namespace vmr::media
