#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <thread>

namespace vmr::bench {
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

Load::Load(const Options& options, Wire& wire, const Bridge& bridge)
    : options_(options), wire_(wire), pid_(bridge.pid), by_port_(65536, -1) {
    for (unsigned leg = 0; leg < bridge.ports.size(); ++leg) {
        people_.emplace_back(options, leg, bridge.ports[leg],
                             bridge.keys.empty() ? options.key : bridge.keys[leg]);
        by_port_[bridge.ports[leg]] = static_cast<int>(leg);
    }
    Encoder encoder(options.codec);
    const std::vector<float> zeros(encoder.frame());
    for (int i = 0; i < 10; ++i) {
        silence_ = encoder.encode(zeros);
    }
}

void Load::run() {
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
        if (measuring_) {
            late_ms_ = std::max(late_ms_, -static_cast<double>(rest) / kMs);
        }
        if (rest > 0) {
            std::this_thread::sleep_for(std::chrono::nanoseconds(rest));
        }
    }
    measured_seconds_ = static_cast<double>(now_ns() - measure_start_ns_) / 1e9;
    after_ = usage_of(pid_);
}

nlohmann::json Load::growth() const {
    return {{"threads", {before_.threads, after_.threads}},
            {"files", {before_.files, after_.files}},
            {"rss_mb", {before_.rss_mb, after_.rss_mb}}};
}

void Load::transmit(Participant& person, std::span<const std::uint8_t> payload, std::uint8_t level) {
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

// Few participants too are spread over the whole frame.
void Load::slot(unsigned number, std::int64_t ms) {
    const auto count = static_cast<unsigned>(people_.size());
    const unsigned apart = std::max(1U, kSlots / std::max(1U, count));
    for (unsigned leg = 0; leg < count; ++leg) {
        if (leg * apart % kSlots == number) {
            speak(people_[leg], ms);
        }
    }
}

void Load::send_due() {
    for (const std::int64_t now = now_ns(); !due_.empty() && due_.top().at <= now; due_.pop()) {
        wire_.send(due_.top().socket, due_.top().port, due_.top().packet);
    }
}

void Load::on_packet(unsigned port, std::span<std::uint8_t> packet, std::int64_t arrival) {
    const int leg = by_port_[port];
    if (leg < 0) {
        return;
    }
    Participant& person = people_[static_cast<std::size_t>(leg)];
    person.received += measuring_ && person.is_media(packet) ? 1 : 0;
    if (listens(person.leg())) {
        if (const auto heard = person.open(packet, arrival)) {
            on_heard(person.leg(), *heard);
        }
    }
}

}  // namespace vmr::bench
