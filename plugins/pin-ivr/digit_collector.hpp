// Collects one entry of digits after another. Pure: times are nanoseconds of any one clock, passed in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vmr::pin_ivr {

using Nanos = std::uint64_t;
constexpr Nanos kSecond = 1'000'000'000;

struct CollectorLimits {
    std::size_t max_digits = 20;      // an entry of this length needs no '#'
    Nanos inter_digit = 5 * kSecond;  // a pause this long ends a non-empty entry
    Nanos total = 120 * kSecond;      // without an entry for this long: timeout
};

struct Entry {
    enum class Kind { none, complete, timed_out } kind = Kind::none;
    std::string digits;  // without the '#'; may be empty ("join as guest")
};

// idle → collecting ⇄ judging, and collecting → idle at a timeout.
// Digits typed while an entry is judged, or over the refusal, belong to the next entry.
class DigitCollector {
public:
    void set_limits(const CollectorLimits& limits) { limits_ = limits; }
    const CollectorLimits& limits() const { return limits_; }

    void start(Nanos now);             // forgets everything and begins to collect
    void stop();                       // accepted, or given up
    Entry refused(Nanos now);          // judged wrong: collects again, digits typed meanwhile included
    Entry press(char key, Nanos now);  // '0'–'9', '#' ends, '*' clears; others are ignored
    Entry tick(Nanos now);
    std::optional<Nanos> next_deadline() const;

    bool collecting() const { return state_ == State::collecting; }
    bool active() const { return state_ != State::idle; }
    std::size_t entered() const { return digits_.size(); }

private:
    enum class State { idle, collecting, judging } state_ = State::idle;
    static constexpr std::size_t kMaxAhead = 64;  // keys remembered while an entry is judged

    Entry complete(bool by_hash);
    Entry take(char key);
    static void wipe(std::string& text);

    CollectorLimits limits_;
    std::string digits_;
    std::string ahead_;
    bool hash_is_late_ = false;  // the entry ended by length or pause: a '#' right after it says nothing new
    Nanos started_ = 0;
    Nanos last_key_ = 0;
};

}  // namespace vmr::pin_ivr
