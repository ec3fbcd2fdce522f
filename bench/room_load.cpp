// The participants of one room, all in this process, on a few sockets.
//   room-load --mode room|latency|quality --legs N --talkers K --codec opus|pcmu --suite none|… --key BASE64
//             --silent level|none --level-extension 1|0 --loss % --jitter MS --warmup S --seconds S
// Prints "load-ports P,P,…", reads "ports P0 P1 …" (where leg N of the bridge listens) and "pid PID" (of the
// bridge), and prints its result as one line of JSON. Arrivals at the bridge are spread evenly over 20 ms.
//   room      K talkers with a pilot tone each; the others send silence of level 127, or nothing; the
//   bridge's
//             CPU time, threads and memory; packets that came; who hears whom
//   latency   one after another begins to speak, each at its own phase; from onset in to onset out
//   quality   one tone through loss and jitter: gaps, level, signal to noise
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <numbers>
#include <queue>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "participants.hpp"

namespace {

using namespace vmr::bench;

constexpr std::int64_t kMs = 1'000'000;
constexpr unsigned kSlots = 20;  // of 1 ms, in a frame
constexpr double kAmplitude = 0.2;
constexpr std::uint8_t kSilentLevel = 127;

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const std::string value = arguments[i + 1];
        const auto number = [&value] { return static_cast<unsigned>(std::stoul(value)); };
        if (name == "--mode") {
            options.mode = value;
        } else if (name == "--codec") {
            options.codec = value;
        } else if (name == "--suite") {
            options.suite = value;
        } else if (name == "--key") {
            options.key = value;
        } else if (name == "--silent") {
            options.silent = value;
        } else if (name == "--legs") {
            options.legs = number();
        } else if (name == "--talkers") {
            options.talkers = number();
        } else if (name == "--loss") {
            options.loss = number();
        } else if (name == "--jitter") {
            options.jitter = number();
        } else if (name == "--level-extension") {
            options.audio_level = number() != 0;
        } else if (name == "--warmup") {
            options.warmup = std::stod(value);
        } else if (name == "--seconds") {
            options.seconds = std::stod(value);
        } else {
            throw std::invalid_argument(name);
        }
    }
    return options;
}

struct Usage {
    double cpu_seconds = 0;
    unsigned threads = 0, files = 0;
    double rss_mb = 0;
};

unsigned entries(const std::string& folder) {
    std::error_code failed;
    const std::filesystem::directory_iterator all(folder, failed);
    return failed ? 0 : static_cast<unsigned>(std::distance(begin(all), end(all)));
}

Usage usage_of(pid_t pid) {
    Usage usage;
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        throw std::runtime_error("the bridge is gone");
    }
    usage.cpu_seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    const std::string folder = "/proc/" + std::to_string(pid);
    usage.threads = entries(folder + "/task");
    usage.files = entries(folder + "/fd");
    std::ifstream statm(folder + "/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    usage.rss_mb = static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
    return usage;
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

std::vector<float> sine(double hertz, int rate, std::size_t start, std::size_t count) {
    std::vector<float> samples(count);
    for (std::size_t i = 0; i < count; ++i) {
        samples[i] = static_cast<float>(
            kAmplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(start + i) / rate));
    }
    return samples;
}

std::uint8_t level_of(std::span<const float> samples) {
    double power = 0;
    for (const float sample : samples) {
        power += static_cast<double>(sample) * sample;
    }
    const double db = 10 * std::log10(power / static_cast<double>(samples.size()) + 1e-13);
    return static_cast<std::uint8_t>(std::clamp(-db, 0.0, static_cast<double>(kSilentLevel)));
}

// Everybody's packets in their slots; what comes back goes to on_heard().
class Load {
public:
    Load(const Options& options, Wire& wire, const std::vector<unsigned>& ports, pid_t pid)
        : options_(options), wire_(wire), pid_(pid), by_port_(65536, -1) {
        for (unsigned leg = 0; leg < ports.size(); ++leg) {
            people_.emplace_back(options, leg, ports[leg]);
            by_port_[ports[leg]] = static_cast<int>(leg);
        }
        Encoder encoder(options.codec);
        const std::vector<float> zeros(encoder.frame());
        for (int i = 0; i < 10; ++i) {
            silence_ = encoder.encode(zeros);
        }
    }
    virtual ~Load() = default;

    void run() {
        start_ns_ = now_ns();
        const auto warmup = static_cast<std::int64_t>(options_.warmup * 1000);
        const auto end = warmup + static_cast<std::int64_t>(options_.seconds * 1000);
        for (std::int64_t ms = 0; ms < end; ++ms) {
            if (ms == warmup) {
                before_ = usage_of(pid_);
                measuring_ = true;
                measure_start_ns_ = now_ns();
            }
            slot(static_cast<unsigned>(ms % kSlots), ms);
            send_due();
            wire_.flush();
            wire_.receive([this](unsigned port, std::span<std::uint8_t> packet, std::int64_t arrival) {
                on_packet(port, packet, arrival);
            });
            const std::int64_t rest = start_ns_ + (ms + 1) * kMs - now_ns();
            late_ms_ = std::max(late_ms_, -static_cast<double>(rest) / kMs);
            if (rest > 0) {
                std::this_thread::sleep_for(std::chrono::nanoseconds(rest));
            }
        }
        measured_seconds_ = static_cast<double>(now_ns() - measure_start_ns_) / 1e9;
        after_ = usage_of(pid_);
    }

    virtual void report(std::ostream& out) = 0;

protected:
    virtual void speak(Participant& person, std::int64_t ms) = 0;
    virtual void on_heard(unsigned leg, const Heard& heard) = 0;
    virtual bool listens(unsigned leg) const = 0;

    void transmit(Participant& person, std::span<const std::uint8_t> payload, std::uint8_t level) {
        Bytes packet = person.packet(payload, level);
        const std::size_t socket = person.leg() % Wire::kSockets;
        if (options_.loss == 0 && options_.jitter == 0) {
            wire_.send(socket, person.port(), std::move(packet));
        } else if (percent_(random_) >= static_cast<int>(options_.loss)) {
            const std::int64_t delay =
                std::uniform_int_distribution<std::int64_t>(0, options_.jitter * kMs)(random_);
            due_.push({now_ns() + delay, socket, person.port(), std::move(packet)});
        }
    }

    Options options_;
    std::vector<Participant> people_;
    Bytes silence_;
    Usage before_, after_;
    bool measuring_ = false;
    std::int64_t start_ns_ = 0, measure_start_ns_ = 0;
    double measured_seconds_ = 0, late_ms_ = 0;
    std::mt19937 random_{4711};

private:
    struct Due {
        std::int64_t at;
        std::size_t socket;
        unsigned port;
        Bytes packet;
        bool operator>(const Due& other) const { return at > other.at; }
    };

    void slot(unsigned number, std::int64_t ms) {
        for (std::size_t leg = number; leg < people_.size(); leg += kSlots) {
            speak(people_[leg], ms);
        }
    }

    void send_due() {
        for (const std::int64_t now = now_ns(); !due_.empty() && due_.top().at <= now; due_.pop()) {
            wire_.send(due_.top().socket, due_.top().port, due_.top().packet);
        }
    }

    void on_packet(unsigned port, std::span<std::uint8_t> packet, std::int64_t arrival) {
        const int leg = by_port_[port];
        if (leg < 0) {
            return;
        }
        Participant& person = people_[static_cast<std::size_t>(leg)];
        person.received += measuring_ ? 1 : 0;
        if (listens(person.leg())) {
            if (const auto heard = person.open(packet, arrival)) {
                on_heard(person.leg(), *heard);
            }
        }
    }

    Wire& wire_;
    pid_t pid_;
    std::vector<int> by_port_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::uniform_int_distribution<int> percent_{0, 99};
};

class RoomLoad : public Load {
public:
    RoomLoad(const Options& options, Wire& wire, const std::vector<unsigned>& ports, pid_t pid)
        : Load(options, wire, ports, pid) {
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

    void report(std::ostream& out) override {
        std::uint64_t got = 0;
        for (const Participant& person : people_) {
            got += person.received;
        }
        const double ticks = measured_seconds_ * 1000 / kFrameMs;
        const double cpu = (after_.cpu_seconds - before_.cpu_seconds) * 1e6 / ticks / options_.legs;
        const auto [deaf, echo] = verify();
        out << "{\"us_per_leg_tick\":" << cpu << ",\"per_core\":" << kFrameMs * 1000 / cpu
            << ",\"cores\":" << (after_.cpu_seconds - before_.cpu_seconds) / measured_seconds_
            << ",\"threads\":" << after_.threads << ",\"rss_mb\":" << after_.rss_mb
            << ",\"delivered\":" << static_cast<double>(got) / (ticks * options_.legs) << ",\"deaf\":" << deaf
            << ",\"own_tone_db\":" << echo << ",\"load_late_ms\":" << late_ms_ << "}";
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

class LatencyLoad : public Load {
public:
    LatencyLoad(const Options& options, Wire& wire, const std::vector<unsigned>& ports, pid_t pid)
        : Load(options, wire, ports, pid) {
        for (unsigned leg = 0; leg < kSpeakers; ++leg) {
            encoders_.emplace_back(options_.codec);
            decoders_.emplace_back(options_.codec);
        }
        calibrate();
    }

    void speak(Participant& person, std::int64_t ms) override {
        const unsigned leg = person.leg();
        if (leg >= kSpeakers) {
            transmit(person, silence_, kSilentLevel);
            return;
        }
        Encoder& encoder = encoders_[leg];
        std::vector<float> samples(encoder.frame());
        const std::int64_t turn = ms / kTurnMs;
        const std::int64_t into = ms % kTurnMs;
        // Speakers 0, 3, 6, 9, 2 …: every phase of a tick comes up.
        if (leg == turn * 3 % kSpeakers && into >= kOnsetMs && into < kOnsetMs + kToneMs) {
            std::size_t offset = 0;
            if (turn != turn_) {
                turn_ = turn;
                offset = std::uniform_int_distribution<std::size_t>(0, samples.size() - 1)(random_);
                onset_ns_ = now_ns() + samples_ns(offset, encoder.rate());
                spoken_ = 0;
                waiting_ = measuring_;
                turns_ += measuring_ ? 1 : 0;
                speaker_ = leg;
            }
            const auto tone = sine(kHertz, encoder.rate(), spoken_, samples.size() - offset);
            std::copy(tone.begin(), tone.end(), samples.begin() + static_cast<std::ptrdiff_t>(offset));
            spoken_ += tone.size();
        }
        transmit(person, encoder.encode(samples), level_of(samples));
    }

    bool listens(unsigned leg) const override { return leg < kSpeakers; }

    void on_heard(unsigned leg, const Heard& heard) override {
        const auto samples = decoders_[leg].decode(heard.payload);
        if (!waiting_ || leg != (speaker_ + kSpeakers / 2) % kSpeakers) {
            return;
        }
        if (const auto at = onset(samples)) {
            waiting_ = false;
            const std::int64_t out = heard.arrival_ns + samples_ns(*at, decoders_[leg].rate());
            const double ms = static_cast<double>(out - onset_ns_) / kMs - codec_ms_;
            latencies_.push_back(ms);
            times_.push_back(static_cast<double>(onset_ns_ - measure_start_ns_) / 1e9);
        }
    }

    void report(std::ostream& out) override {
        out << "{\"median_ms\":" << percentile(latencies_, 0.5)
            << ",\"p95_ms\":" << percentile(latencies_, 0.95) << ",\"onsets\":" << turns_
            << ",\"heard\":" << latencies_.size() << ",\"threads\":[" << before_.threads << ","
            << after_.threads << "],\"files\":[" << before_.files << "," << after_.files << "],\"rss_mb\":["
            << before_.rss_mb << "," << after_.rss_mb << "],\"load_late_ms\":" << late_ms_ << ",\"series\":[";
        for (std::size_t i = 0; i < latencies_.size(); ++i) {
            out << (i == 0 ? "" : ",") << "[" << times_[i] << "," << latencies_[i] << "]";
        }
        out << "]}";
    }

private:
    static constexpr unsigned kSpeakers = 10;
    static constexpr std::int64_t kTurnMs = 500, kOnsetMs = 100, kToneMs = 160;
    static constexpr double kHertz = 1000;
    static constexpr float kHeard = 0.03F;

    static std::int64_t samples_ns(std::size_t samples, int rate) {
        return static_cast<std::int64_t>(samples) * 1'000'000'000 / rate;
    }
    static std::optional<std::size_t> onset(std::span<const float> samples) {
        const auto found =
            std::find_if(samples.begin(), samples.end(), [](float s) { return std::abs(s) > kHeard; });
        return found == samples.end()
                   ? std::nullopt
                   : std::optional<std::size_t>(static_cast<std::size_t>(found - samples.begin()));
    }

    // What the participants' own codecs and the detector add: a wire has that too.
    void calibrate() {
        Encoder encoder(options_.codec);
        Decoder decoder(options_.codec);
        constexpr std::size_t kQuietFrames = 10;
        for (std::size_t i = 0; i < 2 * kQuietFrames; ++i) {
            std::vector<float> frame(encoder.frame());
            if (i >= kQuietFrames) {
                frame = sine(kHertz, encoder.rate(), (i - kQuietFrames) * encoder.frame(), encoder.frame());
            }
            const auto heard = decoder.decode(encoder.encode(frame));
            if (const auto at = onset(heard)) {
                codec_ms_ = (static_cast<double>(i) - kQuietFrames) * kFrameMs +
                            static_cast<double>(*at) * 1000 / decoder.rate();
                return;
            }
        }
        throw std::runtime_error("the codec swallows the tone");
    }

    std::vector<Encoder> encoders_;
    std::vector<Decoder> decoders_;
    std::int64_t turn_ = -1, onset_ns_ = 0;
    std::size_t spoken_ = 0;
    unsigned speaker_ = 0, turns_ = 0;
    bool waiting_ = false;
    double codec_ms_ = 0;
    std::vector<double> latencies_, times_;
};

class QualityLoad : public Load {
public:
    QualityLoad(const Options& options, Wire& wire, const std::vector<unsigned>& ports, pid_t pid)
        : Load(options, wire, ports, pid), encoder_(options.codec), decoder_(options.codec) {
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

    void report(std::ostream& out) override {
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
        out << "{\"gaps_per_minute\":" << gaps * 60 / measured_seconds_
            << ",\"longest_gap_ms\":" << longest * kWindowMs << ",\"gap_percent\":"
            << 100.0 * silent / static_cast<double>(std::max<std::size_t>(levels.size(), 1))
            << ",\"level_dbfs\":" << 20 * std::log10(median + 1e-9)
            << ",\"snr_db\":" << 10 * std::log10((tone + 1e-12) / (rest + 1e-12))
            << ",\"load_late_ms\":" << late_ms_ << "}";
    }

private:
    static constexpr double kHertz = 1000;
    static constexpr unsigned kWindowMs = 5;  // whole periods: the fit is exact

    Encoder encoder_;
    Decoder decoder_;
    std::size_t sent_ = 0;
    std::vector<float> samples_;
};

std::unique_ptr<Load> make_load(const Options& options, Wire& wire, const std::vector<unsigned>& ports,
                                pid_t pid) {
    if (options.mode == "room") {
        return std::make_unique<RoomLoad>(options, wire, ports, pid);
    }
    if (options.mode == "latency") {
        return std::make_unique<LatencyLoad>(options, wire, ports, pid);
    }
    return std::make_unique<QualityLoad>(options, wire, ports, pid);
}

void run(const Options& options) {
    Wire wire;
    std::cout << "load-ports " << wire.port(0);
    for (std::size_t i = 1; i < Wire::kSockets; ++i) {
        std::cout << "," << wire.port(i);
    }
    std::cout << std::endl;
    std::vector<unsigned> ports;
    pid_t pid = 0;
    std::string line, word;
    while (pid == 0 && std::getline(std::cin, line)) {
        std::istringstream words(line);
        words >> word;
        if (word == "ports") {
            for (unsigned port = 0; words >> port;) {
                ports.push_back(port);
            }
        } else if (word == "pid") {
            words >> pid;
        }
    }
    if (ports.size() != options.legs || pid == 0) {
        throw std::runtime_error("a port for each leg, and a pid, are needed");
    }
    const auto load = make_load(options, wire, ports, pid);
    load->run();
    load->report(std::cout);
    std::cout << std::endl;
}

}  // namespace

int main(int count, char** arguments) {
    prctl(PR_SET_TIMERSLACK, 1000);  // ns
    try {
        run(parse(count, arguments));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "room-load: %s\n", error.what());
        return 1;
    }
    return 0;
}
