// How what was heard of a speaker differs from what is heard where nothing is lost. Prints JSON: segmental
// signal to noise, gaps, level. Both are 32-bit float samples; pieces are aligned one by one, as delay
// changes meanwhile.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "bench/process.hpp"

namespace {

using namespace vmr::bench;
using Samples = std::vector<float>;

constexpr int kPieceMs = 40, kFrameMs = 20, kGapMs = 5;
constexpr int kFarMs = 600, kNearMs = 3, kAstrayMs = 60;  // how far is looked for a match
constexpr double kMatches = 0.6;                          // correlation
constexpr double kSpeaks = 0.18;                          // of the mean level: 15 dB below it
constexpr double kLeastSnr = -10, kMostSnr = 35;          // dB of a frame: what is beyond is not heard

struct Options {
    std::string reference, heard;
    int rate = 48000;
};

Samples read(const std::string& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : 0;
    Samples samples(static_cast<std::size_t>(size) / sizeof(float));
    in.seekg(0);
    if (samples.empty() || !in.read(reinterpret_cast<char*>(samples.data()),
                                    static_cast<std::streamsize>(samples.size() * sizeof(float)))) {
        throw std::runtime_error("nothing in " + path);
    }
    return samples;
}

double level(std::span<const float> samples) {
    double power = 0;
    for (const float sample : samples) {
        power += static_cast<double>(sample) * sample;
    }
    return std::sqrt(power / static_cast<double>(std::max<std::size_t>(samples.size(), 1)));
}

double decibel(double ratio) {
    return 20 * std::log10(ratio + 1e-9);
}

// Of what is said in `reference`, from `at` on, `count` samples.
struct Piece {
    std::size_t at, count;
    long lag;  // of the heard
};

class Comparison {
public:
    Comparison(Samples reference, Samples heard, int rate)
        : reference_(std::move(reference)), heard_(std::move(heard)), rate_(rate), loud_(level(reference_)) {
        align();
    }

    nlohmann::json result() const {
        const double gain = best_gain();
        std::vector<double> snrs;
        double power = 0;
        std::size_t count = 0;
        for (const Piece& piece : pieces_) {
            const auto frame = samples_of(kFrameMs);
            for (std::size_t at = piece.at; at + frame <= piece.at + piece.count; at += frame) {
                const auto said = of_reference(at, frame);
                if (level(said) < kSpeaks * loud_) {
                    continue;
                }
                const auto got = of_heard(at, frame, piece.lag);
                snrs.push_back(snr(said, got, gain));
                power += level(got) * level(got);
                ++count;
            }
        }
        double mean = 0;
        for (const double snr : snrs) {
            mean += snr / static_cast<double>(snrs.size());
        }
        nlohmann::json json = gaps(gain);
        json["segmental_snr_db"] = mean;
        json["level_dbfs"] = decibel(std::sqrt(power / static_cast<double>(std::max<std::size_t>(count, 1))));
        json["speech_seconds"] = static_cast<double>(count) * kFrameMs / 1000;
        return json;
    }

private:
    std::size_t samples_of(int ms) const {
        return static_cast<std::size_t>(rate_) * static_cast<std::size_t>(ms) / 1000;
    }
    std::span<const float> of_reference(std::size_t at, std::size_t count) const {
        return {&reference_[at], count};
    }
    bool inside(std::size_t at, std::size_t count, long lag) const {
        const long begin = static_cast<long>(at) + lag;
        return begin >= 0 && begin + static_cast<long>(count) <= static_cast<long>(heard_.size());
    }
    std::span<const float> of_heard(std::size_t at, std::size_t count, long lag) const {
        return {&heard_[static_cast<std::size_t>(static_cast<long>(at) + lag)], count};
    }

    static double correlation(std::span<const float> a, std::span<const float> b) {
        float product = 0, square_a = 0, square_b = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            product += a[i] * b[i];
            square_a += a[i] * a[i];
            square_b += b[i] * b[i];
        }
        return product / std::sqrt(static_cast<double>(square_a) * square_b + 1e-12);
    }

    // The lag around `middle` at which the heard is most like the said.
    std::pair<long, double> search(std::size_t at, std::size_t count, long middle, long reach,
                                   long step) const {
        std::pair<long, double> best{middle, -1};
        for (long lag = middle - reach; lag <= middle + reach; lag += step) {
            if (inside(at, count, lag)) {
                const double like = correlation(of_reference(at, count), of_heard(at, count, lag));
                best = like > best.second ? std::pair{lag, like} : best;
            }
        }
        return best;
    }

    Samples envelope(const Samples& samples) const {
        Samples levels;
        const auto window = samples_of(1);
        for (std::size_t at = 0; at + window <= samples.size(); at += window) {
            levels.push_back(static_cast<float>(level({&samples[at], window})));
        }
        return levels;
    }

    // As a whole, by the envelope in milliseconds.
    long whole_lag() const {
        const Samples said = envelope(reference_), got = envelope(heard_);
        std::pair<long, double> best{0, -1};
        for (long lag = -kFarMs; lag <= kFarMs; ++lag) {
            const auto from = static_cast<std::size_t>(std::max(0L, -lag));
            const auto to = static_cast<std::size_t>(
                std::max(0L, std::min(static_cast<long>(said.size()), static_cast<long>(got.size()) - lag)));
            if (to > from + kFarMs) {
                const double like =
                    correlation({&said[from], to - from},
                                {&got[static_cast<std::size_t>(static_cast<long>(from) + lag)], to - from});
                best = like > best.second ? std::pair{lag, like} : best;
            }
        }
        return best.first * static_cast<long>(samples_of(1));
    }

    void align() {
        long lag = whole_lag();
        const auto count = samples_of(kPieceMs);
        const auto ms = static_cast<long>(samples_of(1));
        for (std::size_t at = 0; at + count <= reference_.size(); at += count) {
            if (level(of_reference(at, count)) >= kSpeaks * loud_) {
                auto [found, like] = search(at, count, lag, kNearMs * ms, 1);
                if (like < kMatches) {
                    std::tie(found, like) = search(at, count, lag, kAstrayMs * ms, 1);
                }
                lag =
                    like >= kMatches ? found : lag;  // what is not there at all is where it should have been
            }
            if (inside(at, count, lag)) {
                pieces_.push_back({at, count, lag});
            }
        }
        if (pieces_.empty()) {
            throw std::runtime_error("nothing of the reference was heard");
        }
    }

    double best_gain() const {
        double product = 0, square = 0;
        for (const Piece& piece : pieces_) {
            const auto said = of_reference(piece.at, piece.count);
            const auto got = of_heard(piece.at, piece.count, piece.lag);
            for (std::size_t i = 0; i < said.size(); ++i) {
                product += static_cast<double>(said[i]) * got[i];
                square += static_cast<double>(got[i]) * got[i];
            }
        }
        return product / (square + 1e-12);
    }

    static double snr(std::span<const float> said, std::span<const float> got, double gain) {
        double signal = 0, noise = 0;
        for (std::size_t i = 0; i < said.size(); ++i) {
            const double difference = said[i] - gain * got[i];
            signal += static_cast<double>(said[i]) * said[i];
            noise += difference * difference;
        }
        return std::clamp(10 * std::log10((signal + 1e-12) / (noise + 1e-12)), kLeastSnr, kMostSnr);
    }

    // Where somebody speaks and what is heard is 12 dB too quiet.
    nlohmann::json gaps(double gain) const {
        const auto window = samples_of(kGapMs);
        unsigned all = 0, silent = 0, length = 0, longest = 0, count = 0;
        for (const Piece& piece : pieces_) {
            for (std::size_t at = piece.at; at + window <= piece.at + piece.count; at += window) {
                const double said = level(of_reference(at, window));
                const bool spoken = said >= kSpeaks * loud_;
                const bool gap = spoken && gain * level(of_heard(at, window, piece.lag)) < said / 4;
                all += spoken ? 1 : 0;
                silent += gap ? 1 : 0;
                length = gap ? length + 1 : 0;
                count += length == 1 ? 1 : 0;
                longest = std::max(longest, length);
            }
        }
        const double minutes = all * kGapMs / 60000.0;
        return {{"gap_percent", 100.0 * silent / std::max(all, 1U)},
                {"longest_gap_ms", longest * kGapMs},
                {"gaps_per_minute", minutes > 0 ? count / minutes : 0}};
    }

    Samples reference_, heard_;
    int rate_;
    double loud_;
    std::vector<Piece> pieces_;
};

}  // namespace

int main(int count, char** arguments) {
    Options options;
    CLI::App app("Compares what was heard", "sound-compare");
    app.add_option("--reference", options.reference)->required();
    app.add_option("--heard", options.heard)->required();
    app.add_option("--rate", options.rate)->check(CLI::Range(8000, 48000));
    return run_program(app, count, arguments, [&options] {
        std::cout << Comparison(read(options.reference), read(options.heard), options.rate).result()
                  << std::endl;
    });
}
