// What a viewer's network carries, judged by the loss that their reports tell (draft-ietf-rmcat-gcc-02
// section 6): above 10 % less, below 2 % a little more, between them the same. Pure.
#pragma once
#include <cstdint>

namespace vmr::media {

class BitrateEstimate {
public:
    // bit/s; it begins at `ceiling`.
    BitrateEstimate(uint32_t floor, uint32_t ceiling);

    // The newest receiver report (RFC 3550 section 6.4): `lost` is its cumulative count, by which a new
    // report is told from one that was seen before. Returns the estimate, bit/s.
    uint32_t update(double fraction_lost, int64_t lost);

private:
    double floor_, ceiling_, estimate_;
    int64_t lost_ = 0;
};

}  // namespace vmr::media
