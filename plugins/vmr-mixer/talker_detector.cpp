#include "talker_detector.hpp"

#include <algorithm>

namespace vmr::mixer {
namespace {

constexpr unsigned kGateHang = 25;  // ticks (500 ms): pauses between words stay open
constexpr unsigned kTalkHang = 30;  // ticks (600 ms)
constexpr unsigned kTalkOnset = 3;  // ticks (60 ms) of voice
constexpr double kFall = 0.1;       // smoothing: up at once, down over ~200 ms
constexpr double kKeep = 6.0;       // dB in favour of who is heard already

}  // namespace

void TalkerDetector::update(std::span<const Input> inputs, const Settings& settings) {
    for (auto& [participant, state] : states_) {
        state.present = false;
    }
    for (const Input& input : inputs) {
        State& state = states_[input.participant];
        state.present = true;
        state.mixable = input.mixable;
        advance(state, input.level_db, settings);
    }
    std::erase_if(states_, [](const auto& entry) { return !entry.second.present; });
    choose(settings.max_talkers);
}

void TalkerDetector::advance(State& state, double level_db, const Settings& settings) {
    state.smooth_db =
        level_db > state.smooth_db ? level_db : state.smooth_db + (level_db - state.smooth_db) * kFall;
    if (level_db >= settings.gate_db) {
        state.gate_ticks = kGateHang;
    } else if (state.gate_ticks > 0) {
        --state.gate_ticks;
    }
    if (level_db >= settings.talk_db) {
        state.voice_ticks = std::min(state.voice_ticks + 1, kTalkOnset);
        if (state.voice_ticks == kTalkOnset) {
            state.talk_ticks = kTalkHang;
        }
        return;
    }
    state.voice_ticks = 0;
    if (state.talk_ticks > 0) {
        --state.talk_ticks;
    }
}

void TalkerDetector::choose(unsigned max_talkers) {
    struct Candidate {
        double score;
        State* state;
    };
    std::vector<Candidate> candidates;
    for (auto& [participant, state] : states_) {
        if (state.gate_ticks > 0 && state.mixable) {
            candidates.push_back({state.smooth_db + (state.heard ? kKeep : 0.0), &state});
        }
        state.heard = false;
    }
    const std::size_t count = std::min<std::size_t>(max_talkers, candidates.size());
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    for (std::size_t i = 0; i < count; ++i) {
        candidates[i].state->heard = true;
    }
}

bool TalkerDetector::heard(unsigned participant) const {
    const auto found = states_.find(participant);
    return found != states_.end() && found->second.heard;
}

bool TalkerDetector::talking(unsigned participant) const {
    const auto found = states_.find(participant);
    return found != states_.end() && found->second.talk_ticks > 0;
}

double TalkerDetector::loudness_db(unsigned participant) const {
    const auto found = states_.find(participant);
    return found == states_.end() ? -100.0 : found->second.smooth_db;
}

std::vector<unsigned> TalkerDetector::talkers() const {
    std::vector<unsigned> list;
    for (const auto& [participant, state] : states_) {
        if (state.talk_ticks > 0) {
            list.push_back(participant);
        }
    }
    return list;
}

}  // namespace vmr::mixer
