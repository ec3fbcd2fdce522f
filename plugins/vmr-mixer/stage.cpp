#include "stage.hpp"

#include <algorithm>

namespace vmr::mixer {
namespace {

constexpr double kChallenge = 0.36;        // s of being the loudest talker
constexpr double kChallengeSilent = 0.25;  // s, when the speaker has stopped
constexpr double kClearlyLouder = 3.0;     // dB over a speaker who goes on
constexpr double kHold = 1.5;              // s that a speaker stays at least

}  // namespace

std::optional<unsigned> ActiveSpeaker::update(double now, std::span<const Candidate> candidates) {
    const Candidate* speaker = nullptr;
    const Candidate* loudest = nullptr;
    for (const Candidate& candidate : candidates) {
        if (speaker_ == candidate.participant) {
            speaker = &candidate;
        }
        if (candidate.talking && (loudest == nullptr || candidate.loudness_db > loudest->loudness_db)) {
            loudest = &candidate;
        }
    }
    if (speaker == nullptr) {
        speaker_.reset();
        challenger_.reset();
        if (const Candidate* next =
                loudest != nullptr || candidates.empty() ? loudest : &candidates.front()) {
            speaker_ = next->participant;
            since_ = now - (next->talking ? 0.0 : kHold);  // nobody speaks yet: the first who does takes over
        }
        return speaker_;
    }
    if (loudest == nullptr || loudest == speaker ||
        (speaker->talking && loudest->loudness_db < speaker->loudness_db + kClearlyLouder)) {
        challenger_.reset();
        return speaker_;
    }
    if (challenger_ != loudest->participant) {
        challenger_ = loudest->participant;
        challenged_ = now;
    }
    if (outlasted(now, speaker->talking)) {
        speaker_ = challenger_;
        since_ = now;
        challenger_.reset();
    }
    return speaker_;
}

bool ActiveSpeaker::outlasted(double now, bool speaker_talks) const {
    return now - challenged_ >= (speaker_talks ? kChallenge : kChallengeSilent) && now - since_ >= kHold;
}

void Stage::update(std::span<const unsigned> present, std::optional<unsigned> first) {
    std::erase_if(order_, [present](unsigned known) {
        return std::find(present.begin(), present.end(), known) == present.end();
    });
    for (const unsigned participant : present) {
        if (std::find(order_.begin(), order_.end(), participant) == order_.end()) {
            order_.push_back(participant);
        }
    }
    if (!first) {
        return;
    }
    const auto found = std::find(order_.begin(), order_.end(), *first);
    if (found != order_.end()) {
        std::rotate(order_.begin(), found, found + 1);
    }
}

std::vector<unsigned> Stage::tiles(LayoutKind layout, ViewId without, std::size_t capacity) const {
    std::vector<unsigned> shown;
    for (const unsigned participant : order_) {
        if (ViewId{participant} != without && shown.size() < capacity) {
            shown.push_back(participant);
        }
    }
    if (layout == LayoutKind::equal) {
        std::sort(shown.begin(), shown.end());  // nobody jumps about when the speaker changes
    }
    return shown;
}

std::map<unsigned, ViewId> plan_views(const Stage& stage, std::size_t capacity, std::size_t max_views,
                                      std::span<const unsigned> viewers) {
    std::map<unsigned, ViewId> views;
    for (const unsigned viewer : viewers) {
        views[viewer] = kCommonView;
    }
    const std::size_t on_stage = std::min(capacity, stage.order().size());
    std::size_t own_views = 0;
    for (std::size_t i = 0; i < on_stage && own_views < max_views; ++i) {
        const auto found = views.find(stage.order()[i]);
        if (found != views.end()) {
            found->second = ViewId{found->first};
            ++own_views;
        }
    }
    return views;
}

}  // namespace vmr::mixer
