#include "rtp_leg.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mix_kernel.hpp"
#include "time_scale.hpp"

namespace vmr::mixer {
namespace {

constexpr std::size_t kFadeIn = 96;        // 2 ms
constexpr std::size_t kFadeOut = 240;      // 5 ms, of concealment
constexpr std::size_t kConcealUnit = 120;  // 2.5 ms: libopus conceals nothing else
constexpr double kQuietDb = -55.0;         // dBFS: a frame more or less goes unnoticed
constexpr std::uint8_t kQuietLevel = 55;   // -dBov, the same of a packet that is not decoded

int clock_rate_of(AudioCodec codec) {
    return codec == AudioCodec::opus ? 48000 : 8000;  // G.722 too: RFC 3551 section 4.5.2
}

}  // namespace

RtpLeg::RtpLeg(const Format& format, JitterBuffer::Limits limits)
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
    jitter_.push({.view = *view,
                  .duration = duration,
                  .pause = announces_pause(format_.codec, view->payload),
                  .fec = carries_fec(format_.codec, view->payload)},
                 arrival_us);
}

RtpLeg::Preview RtpLeg::prepare(std::int64_t due_us, std::size_t samples, std::int64_t late_us) {
    const std::size_t factor = to_samples(1);
    const auto span = static_cast<std::ptrdiff_t>(samples);
    frame_count_ = 0;
    have_ = ahead_;
    loud_from_ = SIZE_MAX;
    Preview preview{.sounding = ahead_ > 0};
    std::optional<double> loudest;
    const std::lock_guard held(lock_);
    jitter_.begin_tick(due_us, due_us + late_us);
    jitter_.left_out(static_cast<int>(left_out_ / static_cast<std::ptrdiff_t>(factor)));
    left_out_ = 0;
    const int spare = jitter_.spare(due_us, static_cast<int>(ahead_ / factor),
                                    static_cast<int>(samples / factor), decoding_);
    spare_ = spare * static_cast<std::ptrdiff_t>(factor);
    // What is heard needs all of a tick, to be made longer; nobody misses a silent one.
    const std::ptrdiff_t added = decoding_ ? 0 : std::clamp<std::ptrdiff_t>(-spare_, 0, span);
    const auto wanted = static_cast<std::size_t>(span - added);
    while (have_ < wanted && pull(due_us, loudest)) {
    }
    const std::size_t more = have_ < wanted || spare_ <= 0 ? 0 : wanted + static_cast<std::size_t>(spare_);
    while (have_ < more && jitter_.holds_next() && pull(due_us, loudest)) {
    }
    preview.sounding = preview.sounding || frame_count_ > 0;
    preview.level_db = loudest ? loudest : level_;
    return preview;
}

bool RtpLeg::pull(std::int64_t now_us, std::optional<double>& loudest_db) {
    if (frame_count_ == kMaxFrames) {
        return false;
    }
    Frame& frame = frames_[frame_count_];
    jitter_.pull(now_us, frame);
    if (frame.kind == JitterBuffer::Kind::idle) {
        return false;
    }
    ++frame_count_;
    if (frame.kind == JitterBuffer::Kind::packet) {
        level_.reset();
        if (frame.level) {
            level_ = std::max(kSilenceDb, -static_cast<double>(*frame.level));
            loudest_db = std::max(loudest_db.value_or(kSilenceDb), *level_);
            if (*frame.level < kQuietLevel) {
                loud_from_ = std::min(loud_from_, have_);
            }
        }
    }
    have_ += to_samples(frame.duration);
    return true;
}

bool RtpLeg::play(bool decode_it, std::span<std::int16_t> out) {
    if (!decode_it) {
        pass_by(out.size());
        return false;
    }
    const bool begins = !decoding_;
    if (begins) {
        begin_decoding();
    }
    for (std::size_t i = 0; i < frame_count_; ++i) {
        decode(frames_[i]);
    }
    samples_.resize(std::max(samples_.size(), have_), 0);  // a decoder may give less than the packet promised
    if (begins) {
        leave_out(out.size());
    } else {
        adapt(out.size());
    }
    if (have_ > 0 && std::exchange(paused_, false)) {
        fade_in(begins && left_out_ < 0 ? static_cast<std::size_t>(-left_out_) : 0);
    }
    if (samples_.size() < out.size()) {
        append_silence(out.size() - samples_.size());
    }
    std::copy_n(samples_.begin(), out.size(), out.begin());
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(out.size()));
    ahead_ = samples_.size();
    return true;
}

// Nobody hears it: the time alone goes by.
void RtpLeg::pass_by(std::size_t samples) {
    if (frame_count_ > 0) {
        std::swap(last_, frames_[frame_count_ - 1]);
    }
    const std::ptrdiff_t left_out = unheard(samples);
    const auto gone = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(samples) + left_out);
    if (have_ < gone) {
        last_.payload.clear();
    }
    ahead_ = have_ - std::min(have_, gone);
    left_out_ = left_out;
    decoding_ = false;
}

// How many samples of silence may be left out before what is heard next, or are added where negative.
std::ptrdiff_t RtpLeg::unheard(std::size_t samples) const {
    const auto span = static_cast<std::ptrdiff_t>(samples);
    if (spare_ < 0) {
        return std::max(spare_, -span);
    }
    const std::size_t beyond = have_ - std::min(have_, samples);
    return std::min({spare_, static_cast<std::ptrdiff_t>(beyond), static_cast<std::ptrdiff_t>(loud_from_)});
}

// The frame before the first one that is heard fills the decoder's memory; a part of it that is due
// only now (packets longer than a tick) is heard.
void RtpLeg::begin_decoding() {
    if (!decoder_) {
        decoder_ = make_audio_decoder(format_.codec);
        samples_.reserve((kMaxFrames + 2) * kBlock);
    } else {
        decoder_->reset();
    }
    decoding_ = true;
    paused_ = true;
    samples_.clear();
    if (!last_.payload.empty() && last_.kind == JitterBuffer::Kind::packet) {
        decoder_->decode(last_.payload, to_samples(last_.duration), samples_);
        ++decodes_;
    }
    if (samples_.size() < ahead_) {
        samples_.insert(samples_.begin(), ahead_ - samples_.size(), 0);
    }
    samples_.erase(samples_.begin(), samples_.end() - static_cast<std::ptrdiff_t>(ahead_));
    last_.payload.clear();
}

void RtpLeg::decode(const Frame& frame) {
    const std::size_t samples = to_samples(frame.duration);
    const std::size_t start = samples_.size();
    if (frame.fresh) {
        decoder_->reset();
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
    if (frame.fresh) {
        fade_in(start);
    }
}

void RtpLeg::leave_out(std::size_t samples) {
    left_out_ = unheard(samples);
    if (left_out_ > 0) {
        samples_.erase(samples_.begin(), samples_.begin() + left_out_);
    } else {
        samples_.insert(samples_.begin(), static_cast<std::size_t>(-left_out_), 0);
    }
}

// Towards the delay that is wanted, while it is heard.
void RtpLeg::adapt(std::size_t samples) {
    if (spare_ == 0 || samples_.size() < samples) {
        return;
    }
    const bool quiet = level_db(samples_) < kQuietDb;
    if (spare_ < 0) {
        left_out_ =
            -static_cast<std::ptrdiff_t>(lengthen(samples_, static_cast<std::size_t>(-spare_), quiet));
    } else {
        const std::size_t most = std::min(static_cast<std::size_t>(spare_), samples_.size() - samples);
        left_out_ = static_cast<std::ptrdiff_t>(shorten(samples_, most, quiet));
    }
}

void RtpLeg::append_silence(std::size_t samples) {
    const std::size_t start = samples_.size();
    const std::size_t fade = std::min(kFadeOut, samples / kConcealUnit * kConcealUnit);
    if (!std::exchange(paused_, true) && fade > 0) {
        decoder_->conceal(fade, samples_);
        for (std::size_t i = 0; i < fade; ++i) {
            std::int16_t& sample = samples_[start + i];
            sample = static_cast<std::int16_t>(sample * static_cast<int>(fade - i) / static_cast<int>(fade));
        }
    }
    samples_.resize(start + samples, 0);
}

void RtpLeg::fade_in(std::size_t at) {
    const std::size_t end = std::min(at + kFadeIn, samples_.size());
    for (std::size_t i = at; i < end; ++i) {
        samples_[i] =
            static_cast<std::int16_t>(samples_[i] * static_cast<int>(i - at) / static_cast<int>(kFadeIn));
    }
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
