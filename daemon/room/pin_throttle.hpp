// PinThrottle: how fast PINs may be guessed (rule 5). Pure; one for all rooms and entry paths.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "daemon/room/types.hpp"

namespace vmr::room {

// Two limits, over a sliding window:
// - a source (IPv4 address, IPv6 /64, or caller number and trunk) gets at most `per_source` guesses
// evaluated. A further one
//   is not refused but waits until a slot is free: nobody with the right host PIN is locked out.
// - a room that saw `room_attack` wrong guesses delays each guest's answer, right or wrong; a host's never.
// A right entry was no guess: its slot is given back, so that an office behind one address can join.
class PinThrottle {
public:
    struct Limits {
        unsigned per_source = 20;
        Duration window = std::chrono::minutes(10);
        unsigned room_attack = 30;                       // wrong guesses in the window, from all sources
        Duration guest_delay = std::chrono::seconds(5);  // doubled for each further room_attack of them
        Duration guest_delay_max = std::chrono::seconds(40);
        std::size_t max_keys = 100'000;  // bound on memory; the stalest sources go first
    };

    PinThrottle() = default;
    explicit PinThrottle(Limits limits) : limits_(limits) {
        limits_.per_source = limits.per_source > 0 ? limits.per_source : 1;
    }

    // Takes a slot and returns true, or returns false: then free_at() says when to ask again.
    bool begin(const std::string& source, TimePoint now);
    TimePoint free_at(const std::string& source, TimePoint now) const;
    // The guess that took a slot at `begun` was right (slot back), wrong (slot stays) or never evaluated.
    void succeeded(const std::string& source, TimePoint begun);
    void failed(const std::string& room, TimePoint now);
    // How long a guest's answer waits in this room now; zero = no attack.
    Duration guest_delay(const std::string& room, TimePoint now) const;

    // What counts as one source.
    static std::string source_key(const std::string& address, const std::string& trunk);
    // The source exactly, for the audit log.
    static std::string source_name(const std::string& address, const std::string& trunk);

private:
    using Window = std::deque<TimePoint>;
    void forget_before(Window& window, TimePoint now) const;
    void bound(std::map<std::string, Window>& windows, TimePoint now);

    Limits limits_;
    std::map<std::string, Window> sources_;
    std::map<std::string, Window> rooms_;
};

}  // namespace vmr::room
