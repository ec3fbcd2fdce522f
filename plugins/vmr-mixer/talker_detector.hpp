// Who is loud enough to be summed, and who is said to be talking.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace vmr::mixer {

// Pure: called once a tick with every input's level. "Heard" decides what is mixed and opens
// within the same tick, so no first syllable is lost; "talking" is what people are shown and
// needs 60 ms of voice, which is what stands out from the noise of that input.
class TalkerDetector {
public:
    struct Input {
        unsigned participant;
        double level_db;      // of this tick, after mute and volume
        bool mixable = true;  // false: not decoded, so it can be seen to talk but not be heard
    };
    struct Settings {
        unsigned max_talkers = 8;
        double gate_db = -60.0;  // below it an input is silence and is not summed
        int tick_ms = 20;
    };

    void update(std::span<const Input> inputs, const Settings& settings);

    bool heard(unsigned participant) const;
    bool talking(unsigned participant) const;
    // Smoothed loudness in dB, for choosing the active speaker.
    double loudness_db(unsigned participant) const;
    std::vector<unsigned> talkers() const;  // by index

    // The same of the last update's inputs[i], and whether there was voice in that very tick.
    bool heard_at(std::size_t i) const { return states_[i].heard; }
    bool voice_at(std::size_t i) const { return states_[i].voice_ms > 0; }
    bool talking_at(std::size_t i) const { return states_[i].talk_ms > 0; }
    double loudness_at(std::size_t i) const { return states_[i].smooth_db; }

private:
    struct State {
        unsigned participant = 0;
        double smooth_db = -100.0;
        double noise_db = -70.0;  // what is there between the words
        int gate_ms = 0;          // left of "heard"
        int voice_ms = 0;
        int talk_ms = 0;  // left of "talking"
        bool heard = false;
        bool mixable = true;
    };
    struct Candidate {
        double score;
        std::size_t state;
    };
    void follow(std::span<const Input> inputs);
    void advance(State& state, double level_db, const Settings& settings);
    void choose(unsigned max_talkers);
    const State* find(unsigned participant) const;

    std::vector<State> states_;  // in the order of the inputs
    std::vector<State> before_;
    std::vector<Candidate> candidates_;
};

}  // namespace vmr::mixer
