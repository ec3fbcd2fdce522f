// One press of a key arrives several times: start and end, retransmitted (RFC 4733 section 2.5.1.4), and
// perhaps as a tone too. This lets each press through once. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "plugins/pin-ivr/digit_collector.hpp"

namespace vmr::pin_ivr {

enum class KeySource { event, tone, action };

struct KeyReport {
    char key = 0;
    KeySource source = KeySource::event;
    std::optional<bool> start;  // event: true at its start, false at its end; none: a whole press
    std::optional<std::uint32_t> timestamp;  // event: its RTP timestamp, the same in all its packets
};

class KeyFilter {
public:
    // True: a new press.
    bool is_new(const KeyReport& report, Nanos now);

private:
    bool is_new_event(const KeyReport& report, Nanos now);

    bool events_seen_ = false;  // from then on tones are ignored: the far end has shown that it sends events
    char held_ = 0;             // started, not yet ended
    Nanos held_since_ = 0;
    std::optional<std::uint32_t> last_timestamp_;
    char last_key_ = 0;
    Nanos last_time_ = 0;
    KeySource last_source_ = KeySource::action;
};

// RFC 4733 section 3.2, table 3: 0–9, 10 '*', 11 '#', 12–15 'A'–'D'; else 0.
char key_of_event(int event);

}  // namespace vmr::pin_ivr
