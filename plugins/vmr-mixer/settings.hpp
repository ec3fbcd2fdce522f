// The element's properties, as both engines read them.
#pragma once
#include <atomic>
#include <cstdint>

#include "bitrate_ladder.hpp"
#include "icons.hpp"
#include "layout.hpp"

namespace vmr::mixer {

struct Settings {
    std::atomic<unsigned> max_talkers = 8;
    std::atomic<double> gate_db = -60.0;
    std::atomic<unsigned> level_interval_ms = 0;
    std::atomic<int> opus_bitrate = 48000;  // bit/s
    std::atomic<bool> inband_fec = false;
    std::atomic<bool> dtx = true;
    std::atomic<double> comfort_noise_db = -65.0;  // dBFS
    std::atomic<bool> level_control = true;
    std::atomic<int> tick_ms = 20;                                    // taken over at the start
    std::atomic<int> shortest_delay_ms = 20, longest_delay_ms = 200;  // of jitter buffers

    std::atomic<int> width = 1280, height = 720;  // pixels
    std::atomic<int> framerate = 25;              // frames per second
    std::atomic<int> video_bitrate = 1500000;     // bit/s
    std::atomic<LayoutKind> layout = LayoutKind::speaker;
    std::atomic<int> spotlight = -1;
    std::atomic<unsigned> max_views = 8;
    std::atomic<unsigned> video_classes = kBitrateClasses;
    std::atomic<int> still_framerate = 2;  // frames per second
    std::atomic<bool> transitions = true;
    std::atomic<Padlock> padlock = Padlock::none;
};

}  // namespace vmr::mixer
