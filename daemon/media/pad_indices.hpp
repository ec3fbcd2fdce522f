// The numbers of a mixer's pads (`audio_sink_17`), one for each participant.
#pragma once
#include <set>
#include <stdexcept>

namespace vmr::media {

// Given out in turn, so that what is still said about who has just left is not taken for somebody new.
class PadIndices {
public:
    static constexpr unsigned kCount = 65536;  // as vmr-mixer takes them

    unsigned take() {
        if (taken_.size() == kCount) {
            throw std::length_error("a room of 65536 legs is full");
        }
        while (!taken_.insert(next_).second) {
            next_ = (next_ + 1) % kCount;
        }
        const unsigned index = next_;
        next_ = (next_ + 1) % kCount;
        return index;
    }
    void give_back(unsigned index) { taken_.erase(index); }

private:
    std::set<unsigned> taken_;
    unsigned next_ = 0;
};

}  // namespace vmr::media
