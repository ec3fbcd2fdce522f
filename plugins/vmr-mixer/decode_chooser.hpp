// Who is worth decoding this tick.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vmr::mixer {

// Pure. A leg that says how loud it is (RFC 6464) is decoded only while it is among the loudest; one that
// does not is decoded whenever it sends. Legs that begin to talk are taken in the same tick.
class DecodeChooser {
public:
    // Kept by the owner of the leg from tick to tick.
    struct Candidate {
        bool sounding = false;           // in: it sends something now
        bool muted = false;              // in
        std::optional<double> level_db;  // in: as the sender says
        std::optional<double> heard_db;  // in: as decoded in the tick before, where it was
        bool decode = false;             // out

        double smooth_db = -100.0;
        int hangover_ms = 0;
    };
    struct Settings {
        unsigned max_talkers = 8;
        double gate_db = -60.0;
        int tick_ms = 20;
    };

    void choose(std::span<Candidate* const> candidates, const Settings& settings);

private:
    std::vector<Candidate*> ranked_;
};

}  // namespace vmr::mixer
