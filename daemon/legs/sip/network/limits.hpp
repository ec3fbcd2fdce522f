// Token buckets per source, bounded in number. Pure: time is an argument (milliseconds).
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace vmr::sip {

class RateLimiter {
public:
    RateLimiter(double per_second, double burst, std::size_t max_sources = 20000)
        : rate_(per_second / 1000.0), burst_(burst), max_sources_(max_sources) {}

    bool allow(const std::string& source, std::int64_t now_ms) {
        if (buckets_.size() >= max_sources_ && !buckets_.contains(source)) {
            forget_full(now_ms);
            if (buckets_.size() >= max_sources_) {
                return false;  // more distinct busy sources than a sane network has: fail closed
            }
        }
        auto [entry, fresh] = buckets_.try_emplace(source, Bucket{burst_, now_ms});
        Bucket& bucket = entry->second;
        bucket.tokens = level(bucket, now_ms);
        bucket.at_ms = now_ms;
        if (bucket.tokens < 1.0) {
            return false;
        }
        bucket.tokens -= 1.0;
        return true;
    }
    std::size_t sources() const { return buckets_.size(); }

private:
    struct Bucket {
        double tokens;
        std::int64_t at_ms;
    };
    double level(const Bucket& bucket, std::int64_t now_ms) const {
        return std::min(burst_, bucket.tokens + static_cast<double>(now_ms - bucket.at_ms) * rate_);
    }
    void forget_full(std::int64_t now_ms) {
        if (now_ms - swept_ms_ < 100) {
            return;  // a flood from forged sources must not cost a sweep per datagram
        }
        swept_ms_ = now_ms;
        std::erase_if(buckets_, [&](const auto& entry) { return level(entry.second, now_ms) >= burst_; });
    }

    double rate_;  // tokens per millisecond
    double burst_;
    std::size_t max_sources_;
    std::int64_t swept_ms_ = -1000;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace vmr::sip
