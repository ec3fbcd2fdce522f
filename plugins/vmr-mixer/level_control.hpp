// Brings one participant's speech to the level of the others'.
#pragma once

namespace vmr::mixer {

// Pure. Slow and bounded; it moves only while there is speech, so that pauses and noise stay as they are.
class LevelControl {
public:
    static constexpr double kTargetDb = -26.0;  // dBFS RMS of active speech (ITU-T P.56's usual level)
    static constexpr double kMostUpDb = 15.0;
    static constexpr double kMostDownDb = 18.0;

    // One tick's level before any gain; returns the linear gain.
    double update(double level_db, bool speech, int tick_ms);
    double gain() const { return gain_; }
    double gain_db() const { return gain_db_; }

private:
    double mean_ = 0.0;  // square, full scale is 1
    double heard_ms_ = 0.0;
    double gain_db_ = 0.0;
    double gain_ = 1.0;
};

}  // namespace vmr::mixer
