// Keys that come as telephone-event (RFC 4733): each is reported once, though its packets are many. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "daemon/media/transport/channel.hpp"

namespace vmr::media {

class TelephoneEvents {
public:
    // The key (0–9 * # A–D) that this packet begins; nothing if it goes on with one, repeats one, or is none.
    // `now` in µs of any steady clock.
    std::optional<char> read(uint32_t ssrc, uint32_t timestamp, Bytes payload, int64_t now);

private:
    bool admit(int64_t now);

    bool started_ = false;
    uint32_t ssrc_ = 0;
    uint32_t timestamp_ = 0;  // of the newest event
    int64_t second_began_ = 0;
    int in_second_ = 0;
};

}  // namespace vmr::media
