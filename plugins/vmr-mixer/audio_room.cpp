#include "audio_room.hpp"

#include <cmath>

#include "decimator.hpp"

namespace vmr::mixer {
namespace {

double gained_level(double level_db, double volume) {
    return volume <= 0.0 ? kSilenceDb : level_db + 20.0 * std::log10(volume);
}

}  // namespace

struct AudioRoom::Mix {
    struct Resampled {
        Decimator decimator;
        std::vector<std::int16_t> now, before;
        std::uint64_t tick = 0;
    };
    Limiter limiter;
    SampleBlock now{};
    SampleBlock before{};
    std::uint64_t tick = 0;
    std::map<int, Resampled> resampled;  // by rate
};

struct AudioRoom::Stream {
    std::unique_ptr<AudioEncoder> encoder;
    std::uint64_t tick = 0;
};

AudioRoom::AudioRoom() = default;
AudioRoom::~AudioRoom() = default;

void AudioRoom::tick(std::span<Input> inputs, std::span<const Output> outputs, std::vector<Packet>& packets) {
    ++counters_.ticks;
    collect(inputs);
    std::vector<unsigned> in_sum;
    for (const auto& [participant, contribution] : contributions_) {
        if (contribution.active) {
            in_sum.push_back(participant);
        }
    }
    const ShareGroups groups = share_groups(outputs, in_sum);
    std::vector<Packet> encoded;
    encoded.reserve(groups.streams.size());
    for (const StreamId& id : groups.streams) {
        encoded.push_back(encode(id));
    }
    packets.clear();
    packets.reserve(outputs.size());
    for (const std::size_t member : groups.members) {
        packets.push_back(encoded[member]);
    }
    forget_unused();
}

void AudioRoom::collect(std::span<Input> inputs) {
    std::vector<TalkerDetector::Input> levels;
    levels.reserve(inputs.size());
    for (Input& input : inputs) {
        if (input.decoded) {
            input.level_db = input.samples != nullptr ? level_db(*input.samples) : kSilenceDb;
        }
        const double level = input.mute ? kSilenceDb : gained_level(input.level_db, input.volume);
        levels.push_back({input.participant, level, input.decoded});
    }
    detector_.update(levels, settings_);
    previous_sum_ = sum_;
    sum_.fill(0);
    for (auto& [participant, contribution] : contributions_) {
        contribution.active = false;
    }
    for (const Input& input : inputs) {
        const bool heard = !input.mute && detector_.heard(input.participant);
        Contribution& contribution = contributions_[input.participant];
        const double target = heard ? input.volume : 0.0;
        if (input.samples == nullptr) {
            contribution.gain = 0.0;
            contribution.active = heard;  // the own mix outlives a short gap
            contribution.samples.fill(0);
            continue;
        }
        if (target == 0.0 && contribution.gain == 0.0) {
            continue;
        }
        apply_gain(*input.samples, contribution.gain, target, contribution.samples);
        contribution.gain = target;
        contribution.active = true;
        add(sum_, contribution.samples);
    }
    std::erase_if(contributions_, [](const auto& entry) { return !entry.second.active; });
}

AudioRoom::Mix& AudioRoom::mix_for(MixId id) {
    auto& slot = mixes_[id];
    if (!slot) {
        slot = std::make_unique<Mix>();
        if (const auto common = mixes_.find(kCommonMix); common != mixes_.end() && common->second) {
            slot->limiter.set_gain(common->second->limiter.gain());
        }
        // What its listeners have heard so far is, but for themselves, everybody.
        Limiter(slot->limiter).process(previous_sum_, slot->now);
    }
    if (slot->tick == counters_.ticks) {
        return *slot;
    }
    slot->before = slot->now;
    slot->tick = counters_.ticks;
    ++counters_.mixes;
    if (id == kCommonMix) {
        slot->limiter.process(sum_, slot->now);
        return *slot;
    }
    SumBlock others;
    subtract(sum_, contributions_.at(static_cast<unsigned>(id)).samples, others);
    slot->limiter.process(others, slot->now);
    return *slot;
}

std::span<const std::int16_t> AudioRoom::samples_at(Mix& mix, int rate) {
    if (rate == kRoomRate) {
        return mix.now;
    }
    auto found = mix.resampled.find(rate);
    if (found == mix.resampled.end()) {
        found = mix.resampled.emplace(rate, Mix::Resampled{Decimator(rate), {}, {}, 0}).first;
        found->second.decimator.process(mix.before, found->second.now);
    }
    Mix::Resampled& resampled = found->second;
    if (resampled.tick != counters_.ticks) {
        resampled.tick = counters_.ticks;
        std::swap(resampled.before, resampled.now);
        resampled.decimator.process(mix.now, resampled.now);
    }
    return resampled.now;
}

AudioRoom::Packet AudioRoom::encode(const StreamId& id) {
    Mix& mix = mix_for(id.mix);
    const std::span<const std::int16_t> samples = samples_at(mix, id.format.rate);
    auto packet = std::make_shared<std::vector<std::uint8_t>>();
    auto& stream = streams_[id];
    if (!stream) {
        stream = std::make_unique<Stream>();
        stream->encoder = make_audio_encoder(id.format);
        // A listener that moves between mixes keeps one decoder: the new encoder first hears what
        // that decoder played last, so that its overlap and prediction fit and nothing clicks.
        if (stream->encoder->has_memory()) {
            stream->encoder->encode(id.format.rate == kRoomRate ? std::span<const std::int16_t>(mix.before)
                                                                : mix.resampled.at(id.format.rate).before,
                                    *packet);
        }
    }
    stream->tick = counters_.ticks;
    stream->encoder->encode(samples, *packet);
    ++counters_.encodes;
    return packet;
}

// A mix or encoder that missed a tick has a stale past: it starts afresh when it is needed again.
void AudioRoom::forget_unused() {
    const auto unused = [this](const auto& entry) { return entry.second->tick != counters_.ticks; };
    std::erase_if(streams_, unused);
    std::erase_if(mixes_, unused);
}

}  // namespace vmr::mixer
