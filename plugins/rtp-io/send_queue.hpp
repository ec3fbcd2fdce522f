// Packets of one leg that wait for the worker: a ring that grows to its limit and then drops the oldest.
#pragma once
#include <gst/gst.h>

#include <vector>

#include "base/gst_ptr.hpp"
#include "srtp/rtp_packet.hpp"

namespace vmr::rtp_io {

struct OutPacket {
    BufferPtr buffer;
    DatagramKind kind = DatagramKind::rtp;
};

class SendQueue {
public:
    bool empty() const { return count_ == 0; }
    std::size_t size() const { return count_; }

    // What had to give way, or an empty packet.
    OutPacket push(OutPacket packet, std::size_t limit) {
        OutPacket victim;
        if (count_ >= limit) {
            victim = pop();
        }
        if (count_ == ring_.size()) {
            grow();
        }
        ring_[(first_ + count_) % ring_.size()] = std::move(packet);
        ++count_;
        return victim;
    }

    OutPacket pop() {
        OutPacket packet = std::move(ring_[first_]);
        first_ = (first_ + 1) % ring_.size();
        --count_;
        return packet;
    }

private:
    void grow() {
        std::vector<OutPacket> larger(ring_.empty() ? 2 : ring_.size() * 2);
        for (std::size_t i = 0; i < count_; ++i) {
            larger[i] = std::move(ring_[(first_ + i) % ring_.size()]);
        }
        ring_.swap(larger);
        first_ = 0;
    }

    std::vector<OutPacket> ring_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace vmr::rtp_io
