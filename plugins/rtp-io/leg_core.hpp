// What a leg does with a datagram, apart from sockets, pads and threads: who may send it, is it genuine,
// whither do we send. Not thread-safe.
#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "socket_address.hpp"
#include "srtp/receive_counts.hpp"
#include "srtp/rtp_packet.hpp"
#include "srtp/srtp.hpp"

namespace vmr::rtp_io {

struct LegCounts {
    std::uint64_t packets_sent = 0, bytes_sent = 0;          // RTP, without UDP and IP
    std::uint64_t packets_received = 0, bytes_received = 0;  // genuine RTP, decrypted
    std::uint64_t rtcp_sent = 0, rtcp_received = 0;
    std::uint64_t auth_failures = 0;    // forged, damaged or another key
    std::uint64_t replays = 0;          // received again, or too old
    std::uint64_t not_keyed = 0;        // either way, while a suite had no usable key
    std::uint64_t garbage = 0;          // neither RTP nor RTCP
    std::uint64_t oversized = 0;        // more than kMaxDatagram
    std::uint64_t wrong_source = 0;     // not from the peer
    std::uint64_t unknown_payload = 0;  // payload type that nobody agreed on
    std::uint64_t send_errors = 0;      // no peer, not RTP, or the system refused
};

class LegCore {
public:
    // Where signalling says that the peer is. Not an IP address, or port 0: nowhere, nothing is sent.
    void set_remote(const std::string& address, std::uint16_t port);
    const std::string& remote_address() const { return remote_address_; }
    std::uint16_t remote_port() const { return remote_port_; }
    // Follow the first genuine packet's source (RFC 4961).
    void set_symmetric(bool symmetric);
    bool symmetric() const { return symmetric_; }
    // Let that source be any host; else only the signalled one.
    void set_any_source(bool any);
    bool any_source() const { return any_source_; }

    // Keys are key‖salt in base64. Nothing passes while a suite is set and its key is not usable.
    void set_suite(srtp::Suite suite);
    srtp::Suite suite() const { return suite_; }
    void set_send_key(const std::string& base64);
    void set_receive_key(const std::string& base64);

    // None set: all are taken.
    void set_payload_types(const std::bitset<128>& types) { payload_types_ = types; }
    void set_clock_rate(unsigned hertz) { clock_rate_ = hertz; }

    // Decrypts in place; `garbage`: drop it, it has been counted. `now`: ns of a steady clock.
    DatagramKind receive(MutableBytes datagram, std::size_t& size, const SocketAddress& from,
                         std::int64_t now);
    // Encrypts in place. False: not to be sent, counted.
    bool protect(DatagramKind kind, MutableBytes space, std::size_t& size);

    const SocketAddress& target() const { return latched_ ? source_ : remote_; }
    // Nobody but target() is heard.
    bool exclusive() const { return latched_ || (!symmetric_ && remote_.valid()); }
    bool latched() const { return latched_; }

    LegCounts& counts() { return counts_; }
    const LegCounts& counts() const { return counts_; }
    const ReceiveCounts& quality() const { return quality_; }
    std::int64_t last_received() const { return last_received_; }  // as `now`; 0: never

private:
    bool from_peer(const SocketAddress& from) const;
    bool genuine(DatagramKind kind, MutableBytes datagram, std::size_t& size);
    void count_refusal(srtp::Outcome result);
    void on_rtp_accepted(const RtpHeader& header, std::size_t size, const SocketAddress& from,
                         std::int64_t now);

    std::string remote_address_;
    std::uint16_t remote_port_ = 0;
    SocketAddress remote_, source_;
    bool latched_ = false;
    bool symmetric_ = true;
    bool any_source_ = false;

    srtp::Suite suite_ = srtp::Suite::none;
    std::vector<std::uint8_t> send_key_, receive_key_;
    std::optional<srtp::Sender> sender_;
    std::optional<srtp::Receiver> receiver_;

    std::bitset<128> payload_types_;
    unsigned clock_rate_ = 0;
    LegCounts counts_;
    ReceiveCounts quality_;
    std::int64_t last_received_ = 0;
};

}  // namespace vmr::rtp_io
