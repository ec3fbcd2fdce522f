#include "audio_room.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "decimator.hpp"

namespace vmr::mixer {
namespace {

constexpr int kPauseAfterMs = 200;  // of silence
constexpr int kPauseCycleMs = 400;  // one packet each keeps the decoders' noise up to date

double gained_level(double level_db, double volume) {
    return volume <= 0.0 ? kSilenceDb : level_db + (volume == 1.0 ? 0.0 : 20.0 * std::log10(volume));
}

}  // namespace

struct AudioRoom::Mix {
    struct Resampled {
        explicit Resampled(int rate) : decimator(rate) {}
        Decimator decimator;
        std::vector<std::int16_t> now, before;
        std::uint64_t tick = 0;
    };
    MixId id = kCommonMix;
    Limiter limiter;
    SampleBlock now{};
    SampleBlock before{};
    double level_db = kSilenceDb;
    bool silent = true;  // nobody is in it
    std::uint64_t tick = 0;
    std::vector<std::unique_ptr<Resampled>> resampled;
};

struct AudioRoom::Stream {
    StreamId id;
    std::unique_ptr<AudioEncoder> encoder;
    std::uint64_t tick = 0;
    std::uint64_t independent_tick = 0;  // somebody's decoder comes from another stream
    int silent_ms = 0;
    std::uint8_t first_byte = 0;  // of the last packet
};

AudioRoom::AudioRoom(int tick_ms)
    : tick_ms_(tick_ms), block_(static_cast<std::size_t>(kRoomRate / 1000 * tick_ms)) {}
AudioRoom::~AudioRoom() = default;

void AudioRoom::tick(std::span<Input> inputs, std::span<Output> outputs) {
    ++counters_.ticks;
    comfort_.set_level(settings_.comfort_db);
    detect(inputs);
    sum(inputs);
    share_groups(outputs, in_sum_, groups_);
    note_moves(outputs);
    encoded_.resize(groups_.streams.size());
    for (std::size_t i = 0; i < groups_.streams.size(); ++i) {
        encode(groups_.streams[i], encoded_[i]);
    }
    forget_unused();
}

void AudioRoom::detect(std::span<Input> inputs) {
    levels_.clear();
    for (Input& input : inputs) {
        if (input.decoded) {
            input.level_db =
                input.samples != nullptr ? level_db({input.samples->data(), block_}) : kSilenceDb;
        }
        const double level = input.mute ? kSilenceDb : gained_level(input.level_db, input.volume);
        levels_.push_back({input.participant, level, input.decoded});
    }
    detector_.update(levels_, {settings_.max_talkers, settings_.gate_db, tick_ms_});
}

void AudioRoom::sum(std::span<const Input> inputs) {
    previous_sum_ = sum_;
    sum_.fill(0);
    for (const auto& contribution : contributions_) {
        contribution->active = false;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Input& input = inputs[i];
        const bool heard = !input.mute && detector_.heard_at(i);
        double target = heard ? input.volume : 0.0;
        if (input.control != nullptr && input.samples != nullptr) {
            target *= input.control->update(input.level_db, detector_.voice_at(i), tick_ms_);
        }
        contribute(input, target, heard);
    }
    in_sum_.clear();
    for (std::size_t i = 0; i < contributions_.size();) {
        if (contributions_[i]->active) {
            in_sum_.push_back(contributions_[i]->participant);
            ++i;
            continue;
        }
        spare_.push_back(std::move(contributions_[i]));
        contributions_.erase(contributions_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    std::sort(in_sum_.begin(), in_sum_.end());
}

AudioRoom::Contribution* AudioRoom::contribution_of(unsigned participant) {
    const auto found = std::find_if(contributions_.begin(), contributions_.end(),
                                    [&](const auto& known) { return known->participant == participant; });
    return found == contributions_.end() ? nullptr : found->get();
}

void AudioRoom::contribute(const Input& input, double target, bool heard) {
    Contribution* contribution = contribution_of(input.participant);
    if (!heard && contribution == nullptr) {
        return;
    }
    if (contribution == nullptr) {
        if (spare_.empty()) {
            spare_.push_back(std::make_unique<Contribution>());
        }
        contribution = contributions_.emplace_back(std::move(spare_.back())).get();
        spare_.pop_back();
        contribution->participant = input.participant;
        contribution->gain = 0.0;
    }
    const Sum samples(contribution->samples.data(), block_);
    if (input.samples == nullptr) {
        contribution->gain = 0.0;
        contribution->active = heard;  // the own mix outlives a short gap
        std::fill(samples.begin(), samples.end(), 0);
        return;
    }
    if (target == 0.0 && contribution->gain == 0.0) {
        return;
    }
    apply_gain({input.samples->data(), block_}, contribution->gain, target, samples);
    contribution->gain = target;
    contribution->active = true;
    add(Sum(sum_.data(), block_), samples);
}

AudioRoom::Mix& AudioRoom::mix_for(MixId id) {
    const auto named = [](MixId wanted) { return [wanted](const auto& mix) { return mix->id == wanted; }; };
    auto found = std::find_if(mixes_.begin(), mixes_.end(), named(id));
    if (found == mixes_.end()) {
        auto fresh = std::make_unique<Mix>();
        fresh->id = id;
        const auto common = std::find_if(mixes_.begin(), mixes_.end(), named(kCommonMix));
        if (common != mixes_.end()) {
            fresh->limiter.set_gain((*common)->limiter.gain());
        }
        // What its listeners have heard so far is, but for themselves, everybody.
        Limiter(fresh->limiter).process({previous_sum_.data(), block_}, {fresh->now.data(), block_});
        found = mixes_.insert(mixes_.end(), std::move(fresh));
    }
    Mix& mix = **found;
    if (mix.tick == counters_.ticks) {
        return mix;
    }
    mix.before = mix.now;
    mix.tick = counters_.ticks;
    ++counters_.mixes;
    const std::span<std::int16_t> now(mix.now.data(), block_);
    if (id == kCommonMix) {
        mix.silent = in_sum_.empty();
        mix.limiter.process({sum_.data(), block_}, now);
    } else {
        mix.silent = in_sum_.size() == 1;  // only themselves
        SumBlock others;
        const Contribution& own = *contribution_of(static_cast<unsigned>(id));
        subtract({sum_.data(), block_}, {own.samples.data(), block_}, {others.data(), block_});
        mix.limiter.process({others.data(), block_}, now);
    }
    mix.level_db = mix.silent ? kSilenceDb : level_db(now);
    return mix;
}

std::span<std::int16_t> AudioRoom::samples_at(Mix& mix, int rate) {
    if (rate == kRoomRate) {
        return {mix.now.data(), block_};
    }
    auto found = std::find_if(mix.resampled.begin(), mix.resampled.end(), [rate](const auto& resampled) {
        return resampled->decimator.output_rate() == rate;
    });
    if (found == mix.resampled.end()) {
        found = mix.resampled.insert(found, std::make_unique<Mix::Resampled>(rate));
        (*found)->decimator.process({mix.before.data(), block_}, (*found)->now);
    }
    Mix::Resampled& resampled = **found;
    if (resampled.tick != counters_.ticks) {
        resampled.tick = counters_.ticks;
        std::swap(resampled.before, resampled.now);
        resampled.decimator.process({mix.now.data(), block_}, resampled.now);
    }
    return resampled.now;
}

// Who moves to a stream that goes on has a decoder that heard another one: the next frame must not
// depend on what it missed.
void AudioRoom::note_moves(std::span<Output> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const StreamId& id = groups_.streams[groups_.members[i]];
        if (outputs[i].heard == id) {
            continue;
        }
        if (outputs[i].heard.mix != kNoMix) {
            stream_for(id).independent_tick = counters_.ticks;
        }
        outputs[i].heard = id;
    }
}

AudioRoom::Stream& AudioRoom::stream_for(const StreamId& id) {
    const auto found = std::find_if(streams_.begin(), streams_.end(),
                                    [&id](const auto& stream) { return stream->id == id; });
    if (found != streams_.end()) {
        return **found;
    }
    streams_.push_back(std::make_unique<Stream>());
    streams_.back()->id = id;
    return *streams_.back();
}

std::span<const std::int16_t> AudioRoom::with_comfort(const Mix& mix, std::span<const std::int16_t> samples) {
    if (!mix.silent || !comfort_.on()) {
        return samples;
    }
    comforted_.assign(samples.begin(), samples.end());
    comfort_.add_to(comforted_);
    return comforted_;
}

// A sender that pauses says so in one packet of one byte, then sends one packet each 400 ms.
bool AudioRoom::pauses(Stream& stream, const Mix& mix, Encoded& out) {
    if (!settings_.dtx || stream.id.format.codec != AudioCodec::opus || !mix.silent) {
        stream.silent_ms = 0;
        return false;
    }
    stream.silent_ms += tick_ms_;
    const int paused_ms = stream.silent_ms - kPauseAfterMs - tick_ms_;
    if (paused_ms < 0) {
        return false;
    }
    if (paused_ms % kPauseCycleMs == kPauseCycleMs - tick_ms_) {
        stream.silent_ms -= kPauseCycleMs;
        return false;
    }
    constexpr std::uint8_t kOneFrame = 0xFC;  // RFC 6716 section 3.1: the count code, 0
    out.pause = paused_ms != 0;
    out.payload = pool_.make([&stream](auto& bytes) {
        bytes.assign(1, static_cast<std::uint8_t>(stream.first_byte & kOneFrame));
    });
    return true;
}

void AudioRoom::encode(const StreamId& id, Encoded& out) {
    Mix& mix = mix_for(id.mix);
    const std::span<const std::int16_t> samples = samples_at(mix, id.format.rate);
    Stream& stream = stream_for(id);
    stream.tick = counters_.ticks;
    out.id = id;
    out.level_db = mix.level_db;
    out.pause = false;
    if (stream.encoder && pauses(stream, mix, out)) {
        return;
    }
    out.payload = pool_.make([&](std::vector<std::uint8_t>& bytes) {
        bool independent = stream.independent_tick == counters_.ticks;
        if (!stream.encoder) {
            stream.encoder = make_audio_encoder(id.format);
            // A listener that moves between mixes keeps one decoder: the new encoder first hears what
            // that decoder played last, so that its overlap fits and nothing clicks.
            if (stream.encoder->has_memory()) {
                const auto& past = mix.resampled;
                const auto at = std::find_if(past.begin(), past.end(), [&id](const auto& resampled) {
                    return resampled->decimator.output_rate() == id.format.rate;
                });
                const std::int16_t* before = at == past.end() ? mix.before.data() : (*at)->before.data();
                stream.encoder->encode({before, samples.size()}, false, bytes);
                ++counters_.primes;
            }
            independent = true;
        }
        stream.encoder->encode(with_comfort(mix, samples), independent, bytes);
    });
    stream.first_byte = out.payload->empty() ? 0 : out.payload->front();
    ++counters_.encodes;
}

// A mix or encoder that missed a tick has a stale past: it starts afresh when it is needed again.
void AudioRoom::forget_unused() {
    const auto unused = [this](const auto& entry) { return entry->tick != counters_.ticks; };
    std::erase_if(streams_, unused);
    std::erase_if(mixes_, unused);
}

}  // namespace vmr::mixer
