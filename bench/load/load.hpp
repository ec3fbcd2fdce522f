// The participants of one room and the millisecond that drives them all; what they say is the mode's.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <queue>
#include <random>
#include <vector>

#include "bench/process.hpp"
#include "participants.hpp"

namespace vmr::bench {

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr unsigned kSlots = 20;  // of 1 ms, in a frame
inline constexpr double kAmplitude = 0.2;
inline constexpr std::uint8_t kSilentLevel = 127;

std::vector<float> sine(double hertz, int rate, std::size_t start, std::size_t count);
std::uint8_t level_of(std::span<const float> samples);  // RFC 6464

// What is measured.
struct Bridge {
    pid_t pid = 0;
    std::vector<unsigned> ports;    // where each leg listens
    std::vector<std::string> keys;  // that each leg sends with, base64; empty: the load's own
};

// Everybody's packets in their slots; what comes back goes to on_heard().
class Load {
public:
    Load(const Options& options, Wire& wire, const Bridge& bridge);
    virtual ~Load() = default;

    void run();

    virtual nlohmann::json report() = 0;

protected:
    virtual void speak(Participant& person, std::int64_t ms) = 0;
    virtual void on_heard(unsigned leg, const Heard& heard) = 0;
    virtual bool listens(unsigned leg) const = 0;

    nlohmann::json growth() const;  // of the bridge, over the measured time
    void transmit(Participant& person, std::span<const std::uint8_t> payload, std::uint8_t level);

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

    void slot(unsigned number, std::int64_t ms);

    void send_due();

    void on_packet(unsigned port, std::span<std::uint8_t> packet, std::int64_t arrival);

    Wire& wire_;
    pid_t pid_;
    std::vector<int> by_port_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::uniform_int_distribution<int> percent_{0, 99};
};

using LoadPtr = std::unique_ptr<Load>;
LoadPtr make_room_load(const Options& options, Wire& wire, const Bridge& bridge);
LoadPtr make_latency_load(const Options& options, Wire& wire, const Bridge& bridge);
LoadPtr make_tone_load(const Options& options, Wire& wire, const Bridge& bridge);
LoadPtr make_speech_load(const Options& options, Wire& wire, const Bridge& bridge);

}  // namespace vmr::bench
