#include "intake.hpp"

#include <algorithm>

namespace vmr::mixer {

void Intake::gather(std::span<const Source> sources, const Tick& tick,
                    const DecodeChooser::Settings& settings, std::vector<AudioRoom::Input>& inputs) {
    candidates_.clear();
    for (const Source& source : sources) {
        if (source.leg != nullptr) {
            preview(source, tick);
        }
    }
    chooser_.choose(candidates_, settings);
    blocks_.resize(std::max(blocks_.size(), sources.size()));
    inputs.clear();
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const Source& source = sources[i];
        AudioRoom::Input input{.participant = source.participant,
                               .samples = nullptr,
                               .volume = source.volume,
                               .mute = source.mute,
                               .control = source.control};
        if (source.leg != nullptr) {
            play(source, blocks_[i], tick.samples, input);
        } else {
            const std::lock_guard held(*source.lock);
            input.samples = source.queue->pull({blocks_[i].data(), tick.samples}) ? &blocks_[i] : nullptr;
        }
        inputs.push_back(input);
    }
}

void Intake::preview(const Source& source, const Tick& tick) {
    const RtpLeg::Preview seen = source.leg->prepare(tick.due_us, tick.samples, tick.late_us);
    source.candidate->sounding = seen.sounding;
    source.candidate->level_db = seen.level_db;
    source.candidate->muted = source.mute;
    candidates_.push_back(source.candidate);
}

void Intake::play(const Source& source, SampleBlock& block, std::size_t samples, AudioRoom::Input& input) {
    DecodeChooser::Candidate& candidate = *source.candidate;
    const std::uint64_t before = source.leg->decodes();
    if (source.leg->play(candidate.decode, {block.data(), samples})) {
        input.samples = &block;
        candidate.heard_db = level_db({block.data(), samples});
    } else {
        candidate.heard_db.reset();
        input.decoded = !candidate.sounding;
        input.level_db = candidate.sounding ? candidate.level_db.value_or(kSilenceDb) : kSilenceDb;
    }
    decodes_ += source.leg->decodes() - before;
}

}  // namespace vmr::mixer
