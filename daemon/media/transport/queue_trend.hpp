// Whether a queue grows on the way to the peer, judged by when packets were sent and when they arrived there
// (draft-ietf-rmcat-gcc-02 section 5: groups of packets, the trend of their delay, a threshold that adapts to
// the path). Pure.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace vmr::media {

struct PacketTimes {
    int64_t sent_us = 0;     // our clock
    int64_t arrived_us = 0;  // the peer's clock: only differences count
    uint32_t bytes = 0;
};

class QueueTrend {
public:
    // In the order of sending, with those that were lost left out.
    void add(const std::vector<PacketTimes>& packets);

    bool grows() const { return grows_; }
    // bit/s that arrived within the last second.
    uint32_t received_bitrate() const;

private:
    struct Group {  // packets that were sent at once
        int64_t first_sent_us = 0, sent_us = 0, arrived_us = 0;
    };
    struct Point {
        double at_ms, delay_ms;
    };
    void add_packet(const PacketTimes& packet);
    void add_group(const Group& group);
    void judge(double since_ms);
    void adapt_threshold(double trend, double since_ms);
    double slope() const;

    std::optional<Group> group_, previous_;
    std::deque<PacketTimes> arrived_;  // of the last second
    std::deque<Point> points_;
    int64_t first_arrival_us_ = 0;
    double delay_ms_ = 0, smoothed_ms_ = 0;
    double threshold_ = 12.5;
    double trend_ = 0, over_ms_ = 0;
    bool grows_ = false;
};

}  // namespace vmr::media
