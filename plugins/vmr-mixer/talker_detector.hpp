// Who is loud enough to be summed, and who is said to be talking.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace vmr::mixer {

// Pure: called once a tick with every input's level. "Heard" decides what is mixed and opens
// within the same tick, so no first syllable is lost; "talking" is what people are shown and
// needs 60 ms of voice.
class TalkerDetector {
public:
    struct Input {
        unsigned participant;
        double level_db;      // of this tick, after mute and volume
        bool mixable = true;  // false: not decoded, so it can be seen to talk but not be heard
    };
    struct Settings {
        unsigned max_talkers = 4;
        double gate_db = -60.0;  // below it an input is silence and is not summed
        double talk_db = -45.0;  // above it for 60 ms: talking
    };

    void update(std::span<const Input> inputs, const Settings& settings);

    bool heard(unsigned participant) const;
    bool talking(unsigned participant) const;
    // Smoothed loudness in dB, for choosing the active speaker.
    double loudness_db(unsigned participant) const;
    std::vector<unsigned> talkers() const;  // by index

private:
    struct State {
        double smooth_db = -100.0;
        unsigned gate_ticks = 0;  // ticks left of "heard"
        unsigned voice_ticks = 0;
        unsigned talk_ticks = 0;  // ticks left of "talking"
        bool heard = false;
        bool present = false;
        bool mixable = true;
    };
    void advance(State& state, double level_db, const Settings& settings);
    void choose(unsigned max_talkers);

    std::map<unsigned, State> states_;
};

}  // namespace vmr::mixer
