#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "load.hpp"

namespace vmr::bench {
namespace {

class ToneLoad : public Load {
public:
    ToneLoad(const Options& options, Wire& wire, const Bridge& bridge)
        : Load(options, wire, bridge), encoder_(options.codec), decoder_(options.codec) {
        encoder_.expect_loss(static_cast<int>(options.loss));
    }

    void speak(Participant& person, std::int64_t) override {
        if (person.leg() != 0) {
            transmit(person, silence_, kSilentLevel);
            return;
        }
        const auto samples = sine(kHertz, encoder_.rate(), sent_, encoder_.frame());
        sent_ += samples.size();
        transmit(person, encoder_.encode(samples), level_of(samples));
    }
    bool listens(unsigned leg) const override { return leg == 1; }
    void on_heard(unsigned, const Heard& heard) override {
        const auto samples = decoder_.decode(heard.payload);
        if (measuring_) {
            samples_.insert(samples_.end(), samples.begin(), samples.end());
        }
    }

    nlohmann::json report() override {
        const auto window = static_cast<std::size_t>(decoder_.rate() * kWindowMs / 1000);
        std::vector<double> levels;
        double tone = 0, rest = 0;
        for (std::size_t at = 0; at + window <= samples_.size(); at += window) {
            const Fit found = fit({&samples_[at], window}, kHertz, decoder_.rate());
            levels.push_back(std::sqrt(2 * found.tone));
            tone += found.tone;
            rest += found.rest;
        }
        const double median = percentile(levels, 0.5);
        unsigned gaps = 0, length = 0, longest = 0, silent = 0;
        for (const double level : levels) {
            length = level < median / 4 ? length + 1 : 0;
            gaps += length == 1 ? 1 : 0;
            silent += length > 0 ? 1 : 0;
            longest = std::max(longest, length);
        }
        return {
            {"gaps_per_minute", gaps * 60 / measured_seconds_},
            {"longest_gap_ms", longest * kWindowMs},
            {"gap_percent", 100.0 * silent / static_cast<double>(std::max<std::size_t>(levels.size(), 1))},
            {"level_dbfs", 20 * std::log10(median + 1e-9)},
            {"snr_db", 10 * std::log10((tone + 1e-12) / (rest + 1e-12))},
            {"load_late_ms", late_ms_}};
    }

private:
    static constexpr double kHertz = 1000;
    static constexpr unsigned kWindowMs = 5;  // whole periods: the fit is exact

    Encoder encoder_;
    Decoder decoder_;
    std::size_t sent_ = 0;
    std::vector<float> samples_;
};

}  // namespace

LoadPtr make_tone_load(const Options& options, Wire& wire, const Bridge& bridge) {
    return std::make_unique<ToneLoad>(options, wire, bridge);
}

}  // namespace vmr::bench
