// Which of up to three encodes of a view a viewer gets: the best that fits their network.
#pragma once
#include <cstddef>

namespace vmr::mixer {

// 0 is the best. Each class is one encode, shared by all viewers in it.
inline constexpr unsigned kBitrateClasses = 3;

int class_bitrate(unsigned bitrate_class, int top_bitrate);  // bit/s
// Sizes shrink with the bitrate where downstream leaves them open.
int class_length(unsigned bitrate_class, int pixels);
int class_framerate(unsigned bitrate_class, int framerate);

// Of one viewer. Goes down half a second after the class has become too much, to what fits; goes up
// one class after five seconds in which the next better one would have fitted with room to spare.
class BitrateLadder {
public:
    // `now` in seconds, never going back; `estimate` in bit/s, 0: unknown, the best.
    unsigned update(double now, unsigned estimate, int top_bitrate, unsigned classes);
    unsigned current() const { return current_; }

private:
    unsigned current_ = 0;
    double low_since_ = -1.0;   // negative: the class fits
    double high_since_ = -1.0;  // negative: the next better one would not fit
};

}  // namespace vmr::mixer
