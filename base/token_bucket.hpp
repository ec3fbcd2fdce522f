// A rate with room for bursts; time is an argument.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

namespace vmr {

using SteadyTime = std::chrono::steady_clock::time_point;

// From milliseconds of any steady clock, as pure parts count them.
inline SteadyTime steady(std::int64_t ms) {
    return SteadyTime(std::chrono::milliseconds(ms));
}

class TokenBucket {
public:
    TokenBucket(double per_second, double burst, SteadyTime now)
        : per_second_(per_second), burst_(burst), level_(burst), at_(now) {}

    bool take(SteadyTime now, double amount = 1.0) {
        level_ = std::min(burst_, level_ + per_second_ * std::chrono::duration<double>(now - at_).count());
        at_ = now;
        if (level_ < amount) {
            return false;
        }
        level_ -= amount;
        return true;
    }
    bool has(SteadyTime now, double amount = 1.0) const {
        return level_ + per_second_ * std::chrono::duration<double>(now - at_).count() >= amount;
    }
    bool is_full(SteadyTime now) const {
        return level_ + per_second_ * std::chrono::duration<double>(now - at_).count() >= burst_;
    }

private:
    double per_second_;
    double burst_;
    double level_;
    SteadyTime at_;
};

}  // namespace vmr
