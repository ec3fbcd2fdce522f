// Texts that are shown to everybody for a while, one after another.
#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace vmr::mixer {

// Of any thread.
class Banners {
public:
    struct Shown {
        std::uint64_t id = 0;  // 0: none
        std::string text;
        double opacity = 0.0;  // 0 … 1: it fades in and out
    };
    // The text is cleaned and cut. Of many that wait, the oldest are dropped.
    void add(const char* text, double seconds);
    // `now` in seconds, never going back.
    Shown at(double now);
    void clear();

private:
    struct Banner {
        std::uint64_t id;
        std::string text;
        double seconds;
        double began;  // negative: it waits
    };
    mutable std::mutex lock_;  // leaf; guards all
    std::deque<Banner> banners_;
    std::uint64_t last_id_ = 0;
};

}  // namespace vmr::mixer
