// How long a leg's packets must wait so that nearly all of them are there when they are played.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

namespace vmr::mixer {

// Pure. "Transit" is arrival time minus media time; only its changes mean anything. The fastest
// transit of the last seconds is the base, which follows the drift of the two clocks; how far
// packets lie above it is kept in a histogram that forgets within a few seconds.
class DelayEstimator {
public:
    // `longest_us`: who comes later than that again and again has a longer path, not a late packet.
    explicit DelayEstimator(std::int64_t longest_us) : longest_us_(longest_us) {}

    // `duration_us`: of the packet's sound. `excused`: it came late by no fault of the path.
    void on_packet_arrived(std::int64_t arrival_us, std::int64_t media_us, std::int64_t duration_us,
                           bool excused);
    void reset();

    // 98 % of the last packets lay no farther than this above the fastest.
    std::int64_t spread_us() const { return spread_us_; }
    double jitter_us() const { return jitter_us_; }  // RFC 3550 section 6.4.1
    // A packet of `media_us` that arrives as fast as any arrives then.
    std::int64_t expected_arrival_us(std::int64_t media_us) const { return media_us + base_us_; }
    bool known() const { return last_transit_us_.has_value(); }

private:
    static constexpr std::size_t kBins = 48;  // of 1 ms and more
    static std::size_t bin_of(std::int64_t spread_us);
    static std::int64_t upper_edge_us(std::size_t bin);
    void follow_base(std::int64_t arrival_us, std::int64_t transit_us);
    void move_base(std::int64_t base_us);
    void note_spread(std::int64_t spread_us, std::int64_t duration_us);

    std::int64_t longest_us_;
    std::optional<std::int64_t> last_transit_us_;
    double jitter_us_ = 0.0;
    std::int64_t base_us_ = 0;
    std::int64_t window_end_us_ = 0;
    std::int64_t window_min_us_ = 0, previous_min_us_ = 0;
    int beyond_ = 0;  // packets in a row that no allowed delay would have waited for
    std::int64_t beyond_min_us_ = 0;
    std::array<float, kBins> bins_{};
    float total_ = 0.0F;
    float weight_ = 1.0F;  // of the next packet: new ones weigh more, so old ones need no touch
    std::int64_t spread_us_ = 0;
};

}  // namespace vmr::mixer
