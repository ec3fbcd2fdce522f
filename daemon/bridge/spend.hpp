// What calls out cost, and that it is no more than it may be in any 24 hours: of all rooms, and of each. A
// call is charged by the started minute from its answer on. Each minute is reserved before it begins, so that
// calls of the same time do not overrun together what is left. Amounts are millionths of the operator's
// currency. Control thread only.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vmr::bridge {

class Spend {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::hours kWindow{24};
    // So long before a minute begins it is reserved, or the call ends: for the hang-up to get there in time.
    static constexpr std::chrono::seconds kLead{5};

    struct Limits {  // of kWindow; none: no limit
        std::optional<std::int64_t> all;
        std::optional<std::int64_t> room;
        bool operator==(const Limits&) const = default;
    };
    struct Alarm {
        std::string room;  // empty: all rooms together
        std::int64_t spent = 0;
        std::int64_t limit = 0;
        bool reached = false;  // a call was refused or ends for it; else four fifths are spent
    };
    struct Turn {
        std::vector<std::string> charged;  // legs that cost more now
        std::vector<std::string> over;     // ... whose next minute does not fit: they are to end
    };

    Spend(std::function<Clock::time_point()> clock = Clock::now) : clock_(std::move(clock)) {}

    // What was spent stays, and so do the prices of calls that are placed.
    void set_limits(Limits limits);
    void on_alarm(std::function<void(const Alarm&)> alarm) { alarm_ = std::move(alarm); }
    bool is_limited() const { return limits_.all || limits_.room; }
    // What another run of the server has spent.
    void restore(const std::string& room, std::int64_t amount, Clock::duration ago);

    // Whether another minute fits; an alarm if not.
    bool admits(const std::string& room, std::int64_t price);
    // A call is placed. False: its first minute does not fit, and it is not to be.
    bool reserve(const std::string& leg, const std::string& room, std::int64_t price);
    void answer(const std::string& leg);
    // Nothing where the call has no price.
    std::optional<std::int64_t> cost(const std::string& leg);
    std::optional<std::int64_t> end(const std::string& leg);
    // Once a second.
    Turn tick();

    std::int64_t spent() const { return of(spent_, ""); }
    const Limits& limits() const { return limits_; }

private:
    using Time = Clock::time_point;
    using Amounts = std::map<std::string, std::int64_t>;  // by room, and of all as ""
    struct Call {
        std::string room;
        std::int64_t price = 0;
        std::optional<Time> answered = {};
        std::int64_t minutes = 0;  // charged
        bool reserved = true;      // the next one
        bool over = false;         // ... does not fit, which was told
        Time next() const { return *answered + std::chrono::minutes(minutes); }
    };
    static std::int64_t of(const Amounts& amounts, const std::string& scope);
    static void add(Amounts& amounts, const std::string& room, std::int64_t amount);
    std::optional<std::int64_t> limit_of(const std::string& scope) const;
    void book(const std::string& room, std::int64_t amount, Time at);
    bool charge(Call& call, Time now);
    void forget_old(Time now);
    void tell(const std::string& scope, bool reached);

    std::function<Time()> clock_;
    Limits limits_;
    std::function<void(const Alarm&)> alarm_;
    std::map<std::string, Call> calls_;       // by leg
    std::map<std::int64_t, Amounts> window_;  // by minute of the clock
    Amounts spent_;                           // the window's sums
    Amounts reserved_;
    std::map<std::string, bool> told_;  // alarms, by scope: whether the limit was said to be reached
};

// As numbers of JSON and of metrics have it.
inline double decimal(std::int64_t millionths) {
    return static_cast<double>(millionths) / 1e6;
}

}  // namespace vmr::bridge
