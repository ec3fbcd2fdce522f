// Token buckets, one per source, in bounded memory; time is an argument.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/token_bucket.hpp"

namespace vmr::api {

class SourceLimiter {
public:
    SourceLimiter(double per_second, double burst, std::size_t max_sources = 20000)
        : per_second_(per_second), burst_(burst), max_sources_(max_sources) {}

    bool take(const std::string& source, SteadyTime now) {
        auto found = buckets_.find(source);
        if (found == buckets_.end()) {
            if (buckets_.size() >= max_sources_) {
                // A full bucket has nothing to remember.
                std::erase_if(buckets_, [&](const auto& entry) { return entry.second.is_full(now); });
            }
            if (buckets_.size() >= max_sources_) {
                return false;
            }
            found = buckets_.emplace(source, TokenBucket(per_second_, burst_, now)).first;
        }
        return found->second.take(now);
    }
    // Whether take() would be true.
    bool has(const std::string& source, SteadyTime now) const {
        const auto found = buckets_.find(source);
        return found == buckets_.end() || found->second.has(now);
    }

private:
    double per_second_;
    double burst_;
    std::size_t max_sources_;
    std::unordered_map<std::string, TokenBucket> buckets_;
};

}  // namespace vmr::api
