#include "talker_detector.hpp"

#include <algorithm>

namespace vmr::mixer {
namespace {

constexpr int kGateHangMs = 500;  // pauses between words stay open
constexpr int kTalkHangMs = 600;
constexpr int kTalkOnsetMs = 60;           // of voice
constexpr double kFallPerMs = 0.005;       // smoothing: up at once, down over ~200 ms
constexpr double kKeep = 6.0;              // dB in favour of who is heard already
constexpr double kAboveNoise = 10.0;       // dB: voice stands out by as much
constexpr double kLowestVoice = -55.0;     // dBFS: quieter is no voice, however quiet the line
constexpr double kHighestNoise = -40.0;    // dBFS: what is louder all the time is no noise
constexpr double kNoiseRisePerMs = 0.002;  // dB: two a second; a quieter tick counts at once

}  // namespace

void TalkerDetector::update(std::span<const Input> inputs, const Settings& settings) {
    follow(inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        states_[i].mixable = inputs[i].mixable;
        advance(states_[i], inputs[i].level_db, settings);
    }
    choose(settings.max_talkers);
}

// Nearly always the inputs are those of the tick before.
void TalkerDetector::follow(std::span<const Input> inputs) {
    const auto same = [](const State& state, const Input& input) {
        return state.participant == input.participant;
    };
    if (std::equal(states_.begin(), states_.end(), inputs.begin(), inputs.end(), same)) {
        return;
    }
    before_.swap(states_);
    const auto by_participant = [](const State& a, const State& b) { return a.participant < b.participant; };
    std::sort(before_.begin(), before_.end(), by_participant);
    states_.clear();
    for (const Input& input : inputs) {
        const State fresh{.participant = input.participant};
        const auto known = std::lower_bound(before_.begin(), before_.end(), fresh, by_participant);
        const bool found = known != before_.end() && known->participant == input.participant;
        states_.push_back(found ? *known : fresh);
    }
}

void TalkerDetector::advance(State& state, double level_db, const Settings& settings) {
    const int tick = settings.tick_ms;
    state.smooth_db = level_db > state.smooth_db
                          ? level_db
                          : state.smooth_db + (level_db - state.smooth_db) * kFallPerMs * tick;
    state.noise_db = std::min({level_db, state.noise_db + kNoiseRisePerMs * tick, kHighestNoise});
    if (level_db >= settings.gate_db) {
        state.gate_ms = kGateHangMs;
    } else {
        state.gate_ms = std::max(0, state.gate_ms - tick);
    }
    if (level_db >= std::max(kLowestVoice, state.noise_db + kAboveNoise)) {
        state.voice_ms = std::min(state.voice_ms + tick, kTalkOnsetMs);
        if (state.voice_ms == kTalkOnsetMs) {
            state.talk_ms = kTalkHangMs;
        }
        return;
    }
    state.voice_ms = 0;
    state.talk_ms = std::max(0, state.talk_ms - tick);
}

void TalkerDetector::choose(unsigned max_talkers) {
    candidates_.clear();
    for (std::size_t i = 0; i < states_.size(); ++i) {
        State& state = states_[i];
        if (state.gate_ms > 0 && state.mixable) {
            candidates_.push_back({state.smooth_db + (state.heard ? kKeep : 0.0), i});
        }
        state.heard = false;
    }
    const std::size_t count = std::min<std::size_t>(max_talkers, candidates_.size());
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count),
                      candidates_.end(), [](const Candidate& a, const Candidate& b) {
                          return a.score > b.score || (a.score == b.score && a.state < b.state);
                      });
    for (std::size_t i = 0; i < count; ++i) {
        states_[candidates_[i].state].heard = true;
    }
}

const TalkerDetector::State* TalkerDetector::find(unsigned participant) const {
    const auto found = std::find_if(states_.begin(), states_.end(), [participant](const State& state) {
        return state.participant == participant;
    });
    return found == states_.end() ? nullptr : &*found;
}

bool TalkerDetector::heard(unsigned participant) const {
    const State* state = find(participant);
    return state != nullptr && state->heard;
}

bool TalkerDetector::talking(unsigned participant) const {
    const State* state = find(participant);
    return state != nullptr && state->talk_ms > 0;
}

double TalkerDetector::loudness_db(unsigned participant) const {
    const State* state = find(participant);
    return state == nullptr ? -100.0 : state->smooth_db;
}

std::vector<unsigned> TalkerDetector::talkers() const {
    std::vector<unsigned> list;
    for (const State& state : states_) {
        if (state.talk_ms > 0) {
            list.push_back(state.participant);
        }
    }
    std::sort(list.begin(), list.end());
    return list;
}

}  // namespace vmr::mixer
