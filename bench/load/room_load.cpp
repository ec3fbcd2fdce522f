#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "load.hpp"

namespace vmr::bench {
namespace {

class RoomLoad : public Load {
public:
    RoomLoad(const Options& options, Wire& wire, const Bridge& bridge) : Load(options, wire, bridge) {
        for (unsigned i = 0; i < options_.talkers; ++i) {
            encoders_.emplace_back(options_.codec);
        }
        sent_.resize(options_.talkers);
        for (unsigned leg = 0; leg < options_.legs; ++leg) {
            if (leg <= options_.talkers || leg + 1 == options_.legs) {
                ears_.push_back({leg, Decoder(options_.codec), {}});
            }
        }
    }

    void speak(Participant& person, std::int64_t) override {
        const unsigned leg = person.leg();
        if (leg < options_.talkers) {
            Encoder& encoder = encoders_[leg];
            const auto samples = sine(pilot(leg), encoder.rate(), sent_[leg], encoder.frame());
            sent_[leg] += samples.size();
            transmit(person, encoder.encode(samples), level_of(samples));
        } else if (options_.silent == "level") {
            transmit(person, silence_, kSilentLevel);
        } else {
            person.skip();
        }
    }

    bool listens(unsigned leg) const override {
        return measuring_ &&
               std::any_of(ears_.begin(), ears_.end(), [leg](const Ear& ear) { return ear.leg == leg; });
    }

    void on_heard(unsigned leg, const Heard& heard) override {
        Ear& ear =
            *std::find_if(ears_.begin(), ears_.end(), [leg](const Ear& each) { return each.leg == leg; });
        const auto samples = ear.decoder.decode(heard.payload);
        ear.samples.insert(ear.samples.end(), samples.begin(), samples.end());
    }

    nlohmann::json report() override {
        std::uint64_t got = 0;
        for (const Participant& person : people_) {
            got += person.received;
        }
        const double ticks = measured_seconds_ * 1000 / kFrameMs;
        const double cpu = (after_.cpu_seconds - before_.cpu_seconds) * 1e6 / ticks / options_.legs;
        const auto [deaf, echo] = verify();
        return {{"us_per_leg_tick", cpu},
                {"per_core", kFrameMs * 1000 / cpu},
                {"cores", (after_.cpu_seconds - before_.cpu_seconds) / measured_seconds_},
                {"threads", after_.threads},
                {"rss_mb", after_.rss_mb},
                {"delivered", static_cast<double>(got) / (ticks * options_.legs)},
                {"deaf", deaf},
                {"own_tone_db", echo},
                {"growth", growth()},
                {"load_late_ms", late_ms_}};
    }

private:
    struct Ear {
        unsigned leg;
        Decoder decoder;
        std::vector<float> samples;
    };

    static double pilot(unsigned talker) { return 500 + 250 * talker; }

    // Pairs of a sampled listener and a talker where the tone is missing; the loudest that anybody hears
    // themselves, relative to the quietest of the others.
    std::pair<unsigned, double> verify() {
        unsigned deaf = 0;
        double echo = -200;
        for (const Ear& ear : ears_) {
            const auto last = std::min(ear.samples.size(), static_cast<std::size_t>(ear.decoder.rate()));
            const std::span<const float> heard(ear.samples.end() - static_cast<std::ptrdiff_t>(last),
                                               ear.samples.end());
            double quietest = 1, own = 0;
            for (unsigned talker = 0; talker < options_.talkers; ++talker) {
                const double level = amplitude(heard, pilot(talker), ear.decoder.rate());
                if (talker == ear.leg) {
                    own = level;
                    continue;
                }
                quietest = std::min(quietest, level);
                deaf += level < kAmplitude / 10 ? 1 : 0;
            }
            if (ear.leg < options_.talkers) {
                echo = std::max(echo, 20 * std::log10((own + 1e-9) / (quietest + 1e-9)));
            }
        }
        return {deaf, echo};
    }

    std::vector<Encoder> encoders_;
    std::vector<std::size_t> sent_;
    std::vector<Ear> ears_;
};

}  // namespace

LoadPtr make_room_load(const Options& options, Wire& wire, const Bridge& bridge) {
    return std::make_unique<RoomLoad>(options, wire, bridge);
}

}  // namespace vmr::bench
