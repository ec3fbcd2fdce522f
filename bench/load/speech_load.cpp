#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "load.hpp"

namespace vmr::bench {
namespace {

std::vector<float> read_samples(const std::string& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : 0;
    std::vector<float> samples(static_cast<std::size_t>(size) / sizeof(float));
    in.seekg(0);
    if (samples.empty() || !in.read(reinterpret_cast<char*>(samples.data()),
                                    static_cast<std::streamsize>(samples.size() * sizeof(float)))) {
        throw std::runtime_error("no speech in " + path);
    }
    return samples;
}

// One speaks, again and again the same; what another hears is written down while it is measured.
class SpeechLoad : public Load {
public:
    SpeechLoad(const Options& options, Wire& wire, const Bridge& bridge)
        : Load(options, wire, bridge),
          encoder_(options.codec),
          decoder_(options.codec),
          speech_(read_samples(options.speech)),
          record_(options.record, std::ios::binary) {
        encoder_.expect_loss(static_cast<int>(options.loss));
    }

    void speak(Participant& person, std::int64_t) override {
        if (person.leg() != 0) {
            transmit(person, silence_, kSilentLevel);
            return;
        }
        std::vector<float> samples(encoder_.frame());
        for (float& sample : samples) {
            sample = speech_[sent_++ % speech_.size()];
        }
        transmit(person, encoder_.encode(samples), level_of(samples));
    }
    bool listens(unsigned leg) const override { return leg == 1; }
    void on_heard(unsigned, const Heard& heard) override {
        const auto samples = decoder_.decode(heard.payload);
        if (measuring_) {
            record_.write(reinterpret_cast<const char*>(samples.data()),
                          static_cast<std::streamsize>(samples.size() * sizeof(float)));
        }
    }

    nlohmann::json report() override {
        if (!record_.flush()) {
            throw std::runtime_error("what was heard is not written");
        }
        return {{"load_late_ms", late_ms_}};
    }

private:
    Encoder encoder_;
    Decoder decoder_;
    std::vector<float> speech_;
    std::size_t sent_ = 0;
    std::ofstream record_;
};

}  // namespace

LoadPtr make_speech_load(const Options& options, Wire& wire, const Bridge& bridge) {
    return std::make_unique<SpeechLoad>(options, wire, bridge);
}

}  // namespace vmr::bench
