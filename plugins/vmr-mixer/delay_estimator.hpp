// How long a leg's packets must wait so that nearly all of them are there when they are played.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace vmr::mixer {

// Pure. "Transit" is arrival time minus media time; only its changes mean anything. The fastest
// transit of the last seconds is the base, which follows the drift of the two clocks; how far
// packets lie above it is kept in a histogram that forgets within about ten seconds.
class DelayEstimator {
public:
    struct Limits {
        int shortest_ms = 20;
        int longest_ms = 200;
    };
    explicit DelayEstimator(Limits limits)
        : limits_{limits.shortest_ms, std::max(limits.shortest_ms, limits.longest_ms)} {}

    // `late`: it came after its turn to be played, and weighs more.
    void on_packet_arrived(std::int64_t arrival_us, std::int64_t media_us, bool late);
    void reset();

    std::int64_t target_us() const { return target_us_; }
    double jitter_us() const { return jitter_us_; }  // RFC 3550 section 6.4.1
    // A packet of `media_us` that arrives as fast as any arrives then.
    std::int64_t expected_arrival_us(std::int64_t media_us) const { return media_us + base_us_; }
    bool known() const { return last_transit_us_.has_value(); }

private:
    static constexpr std::size_t kBins = 24;  // of 10 ms
    void follow_base(std::int64_t arrival_us, std::int64_t transit_us);
    void note_spread(std::int64_t spread_us, bool late);

    Limits limits_;
    std::optional<std::int64_t> last_transit_us_;
    double jitter_us_ = 0.0;
    std::int64_t base_us_ = 0;
    std::int64_t window_end_us_ = 0;
    std::int64_t window_min_us_ = 0, previous_min_us_ = 0;
    int beyond_ = 0;  // packets in a row that no allowed delay would have waited for
    std::int64_t beyond_min_us_ = 0;
    std::array<float, kBins> bins_{};
    std::int64_t target_us_ = 0;
};

}  // namespace vmr::mixer
