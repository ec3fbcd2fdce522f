// Token buckets, one per source, in bounded memory; time is an argument.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/token_bucket.hpp"

namespace vmr {

class SourceLimiter {
public:
    SourceLimiter(double per_second, double burst, std::size_t max_sources = 20000)
        : per_second_(per_second), burst_(burst), max_sources_(max_sources) {}

    bool take(const std::string& source, SteadyTime now) {
        auto found = buckets_.find(source);
        if (found == buckets_.end()) {
            if (buckets_.size() >= max_sources_) {
                forget_full(now);
            }
            if (buckets_.size() >= max_sources_) {
                return false;  // more distinct busy sources than a sane network has: fail closed
            }
            found = buckets_.emplace(source, TokenBucket(per_second_, burst_, now)).first;
        }
        return found->second.take(now);
    }
    // Whether take() would be allowed.
    bool has(const std::string& source, SteadyTime now) const {
        const auto found = buckets_.find(source);
        return found == buckets_.end() || found->second.has(now);
    }
    std::size_t sources() const { return buckets_.size(); }

private:
    // A full bucket has nothing to remember. A flood from forged sources must not cost a sweep per datagram.
    void forget_full(SteadyTime now) {
        if (now - swept_ < std::chrono::milliseconds(100)) {
            return;
        }
        swept_ = now;
        std::erase_if(buckets_, [now](const auto& entry) { return entry.second.is_full(now); });
    }

    double per_second_;
    double burst_;
    std::size_t max_sources_;
    SteadyTime swept_ = SteadyTime(std::chrono::hours(-1));
    std::unordered_map<std::string, TokenBucket> buckets_;
};

}  // namespace vmr
