#include "rtp_leg.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mix_kernel.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kFadeIn = 96;    // 2 ms
constexpr std::size_t kFadeOut = 240;  // 5 ms, of concealment
constexpr double kQuietDb = -55.0;     // dBFS: a frame more or less goes unnoticed
constexpr int kStretchUnit = 200;      // one part in so many: 0.5 %, two of them 1 %

int clock_rate_of(AudioCodec codec) {
    return codec == AudioCodec::opus ? 48000 : 8000;  // G.722 too: RFC 3551 section 4.5.2
}

}  // namespace

RtpLeg::RtpLeg(const Format& format, DelayEstimator::Limits limits)
    : format_(format), clock_rate_(clock_rate_of(format.codec)), jitter_(clock_rate_, limits) {}

std::size_t RtpLeg::to_samples(int clock) const {
    return static_cast<std::size_t>(clock) * (kRoomRate / static_cast<std::size_t>(clock_rate_));
}

void RtpLeg::push(std::span<const std::uint8_t> rtp, std::int64_t arrival_us) {
    const auto view = parse_rtp(rtp, format_.level_id);
    if (!view || (format_.payload_type && view->payload_type != *format_.payload_type)) {
        return;
    }
    const std::size_t samples = payload_samples(format_.codec, view->payload);
    if (samples == 0) {
        return;
    }
    const int duration = static_cast<int>(samples * static_cast<std::size_t>(clock_rate_) / kRoomRate);
    const std::lock_guard held(lock_);
    jitter_.push({*view, duration, announces_pause(format_.codec, view->payload)}, arrival_us);
}

RtpLeg::Preview RtpLeg::prepare(std::int64_t now_us, std::size_t samples) {
    frame_count_ = 0;
    idle_ = 0;
    std::size_t have = ahead_;
    Preview preview{.sounding = ahead_ > 0};
    std::optional<double> loudest;
    const std::lock_guard held(lock_);
    const bool unheard = !decoding_ || quiet_;
    const int stretch = unheard ? 0 : jitter_.stretch();
    const auto span = static_cast<std::ptrdiff_t>(samples);
    wanted_ = static_cast<std::size_t>(span + span / kStretchUnit * stretch);
    while (have < wanted_ && frame_count_ < kMaxFrames) {
        Frame& frame = frames_[frame_count_];
        const auto offset = static_cast<std::int64_t>(have) * 1'000'000 / kRoomRate;
        jitter_.pull(now_us + offset, unheard, frame);
        if (frame.kind == JitterBuffer::Kind::idle) {
            break;
        }
        ++frame_count_;
        have += to_samples(frame.duration);
        preview.sounding = true;
        if (frame.kind == JitterBuffer::Kind::packet) {
            level_.reset();
            if (frame.level) {
                level_ = std::max(kSilenceDb, -static_cast<double>(*frame.level));
                loudest = std::max(loudest.value_or(kSilenceDb), *level_);
            }
        }
    }
    if (have < wanted_) {
        idle_ = wanted_ - have;
        have = wanted_;
    }
    ahead_ = have - wanted_;
    preview.level_db = loudest ? loudest : level_;
    return preview;
}

bool RtpLeg::play(bool decode_it, std::span<std::int16_t> out) {
    if (!decode_it) {
        if (frame_count_ > 0) {
            std::swap(last_, frames_[frame_count_ - 1]);
        }
        if (idle_ > 0) {
            last_.payload.clear();
        }
        decoding_ = false;
        return false;
    }
    if (!decoding_) {
        begin_decoding();
    }
    for (std::size_t i = 0; i < frame_count_; ++i) {
        decode(frames_[i]);
    }
    if (idle_ > 0) {
        append_silence(idle_);
    }
    if (samples_.size() < wanted_) {  // a decoder that gave less than the packet promised
        samples_.resize(wanted_, 0);
    }
    take(wanted_, out);
    quiet_ = level_db(out) < kQuietDb;
    return true;
}

// The frame before the first one that is heard fills the decoder's memory; a part of it that is due
// only now (packets longer than a tick) is heard.
void RtpLeg::begin_decoding() {
    if (!decoder_) {
        decoder_ = make_audio_decoder(format_.codec);
    } else {
        decoder_->reset();
    }
    decoding_ = true;
    paused_ = true;
    samples_.clear();
    std::size_t due = ahead_ + wanted_ - idle_;
    for (std::size_t i = 0; i < frame_count_; ++i) {
        due -= std::min(due, to_samples(frames_[i].duration));
    }
    if (!last_.payload.empty() && last_.kind == JitterBuffer::Kind::packet) {
        decoder_->decode(last_.payload, to_samples(last_.duration), samples_);
        ++decodes_;
    }
    if (samples_.size() < due) {
        samples_.insert(samples_.begin(), due - samples_.size(), 0);
    }
    samples_.erase(samples_.begin(), samples_.end() - static_cast<std::ptrdiff_t>(due));
    last_.payload.clear();
}

void RtpLeg::decode(const Frame& frame) {
    const std::size_t samples = to_samples(frame.duration);
    const std::size_t start = samples_.size();
    if (frame.fresh) {
        decoder_->reset();
        paused_ = true;
    }
    switch (frame.kind) {
        case JitterBuffer::Kind::packet:
            decoder_->decode(frame.payload, samples, samples_);
            break;
        case JitterBuffer::Kind::recoverable:
            decoder_->recover(frame.payload, samples, samples_);
            break;
        default:
            decoder_->conceal(samples, samples_);
            break;
    }
    ++decodes_;
    concealed_ = frame.kind != JitterBuffer::Kind::packet;
    if (std::exchange(paused_, false)) {
        const std::size_t end = std::min(start + kFadeIn, samples_.size());
        for (std::size_t i = start; i < end; ++i) {
            samples_[i] = static_cast<std::int16_t>(samples_[i] * static_cast<int>(i - start) /
                                                    static_cast<int>(kFadeIn));
        }
    }
}

void RtpLeg::append_silence(std::size_t samples) {
    const std::size_t start = samples_.size();
    // After a stall the concealment has faded already.
    if (!std::exchange(paused_, true) && !concealed_) {
        decoder_->conceal(kFadeOut, samples_);
        for (std::size_t i = 0; i < kFadeOut; ++i) {
            std::int16_t& sample = samples_[start + i];
            sample = static_cast<std::int16_t>(sample * static_cast<int>(kFadeOut - i) /
                                               static_cast<int>(kFadeOut));
        }
    }
    samples_.resize(start + samples, 0);
}

// `count` samples become as many as `out` takes, by linear interpolation where that differs.
void RtpLeg::take(std::size_t count, std::span<std::int16_t> out) {
    if (count == out.size()) {
        std::copy_n(samples_.begin(), count, out.begin());
    } else {
        const float step = static_cast<float>(count) / static_cast<float>(out.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
            const float position = static_cast<float>(i) * step;
            const auto whole = static_cast<std::size_t>(position);
            const float part = position - static_cast<float>(whole);
            const std::size_t next = std::min(whole + 1, samples_.size() - 1);
            out[i] =
                static_cast<std::int16_t>(std::lrintf(static_cast<float>(samples_[whole]) * (1.0F - part) +
                                                      static_cast<float>(samples_[next]) * part));
        }
    }
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(count));
}

RtpLeg::Stats RtpLeg::stats() const {
    const std::lock_guard held(lock_);
    return {.delay_ms = jitter_.delay_us() / 1000,
            .target_ms = jitter_.target_us() / 1000,
            .jitter_ms = jitter_.jitter_us() / 1000.0,
            .decodes = decodes_,
            .packets = jitter_.counters()};
}

}  // namespace vmr::mixer
