// How much forward error correction what we send gets, by what the peer reports as lost. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "daemon/media/bitrate_estimate.hpp"

namespace vmr::media {

class FecShare {
public:
    // `resent`: what is lost is sent again, too, which costs less wherever the round trip is short. Returns
    // packets of FEC for a hundred of pictures; 0: none.
    unsigned update(const LossReport& loss, std::optional<double> round_trip_ms, bool resent);
    unsigned percentage() const { return percentage_; }

private:
    uint64_t seen_ = 0;
    double usual_loss_ = 0;
    unsigned percentage_ = 0;
};

}  // namespace vmr::media
