// Which packet indices were there already (RFC 3711 section 3.3.2), and what index a 16-bit sequence
// number stands for (section 3.3.1).
#pragma once
#include <array>
#include <cstdint>
#include <optional>

namespace vmr::srtp {

// The 48-bit index (ROC and sequence number) that lies nearest to the highest that was there. Empty: it would
// be before the first roll-over, or after the last.
inline std::optional<std::uint64_t> nearest_index(std::uint64_t highest, std::uint16_t sequence) {
    const std::uint64_t rounds = highest >> 16;
    const auto last = static_cast<std::uint16_t>(highest);
    const int distance = static_cast<int>(sequence) - static_cast<int>(last);
    std::uint64_t guess = rounds;
    if (distance > 0x8000) {
        if (rounds == 0) {
            return std::nullopt;
        }
        guess = rounds - 1;
    } else if (distance < -0x8000) {
        guess = rounds + 1;
    }
    if (guess > 0xffffffff) {
        return std::nullopt;  // a key serves 2^48 packets (section 9.2)
    }
    return guess << 16 | sequence;
}

class ReplayWindow {
public:
    static constexpr std::uint64_t kSize = 1024;  // packets; RFC 3711 asks for 64 at least

    // Whether the index is new, and not too old to tell.
    bool is_new(std::uint64_t index) const {
        if (!started_ || index > highest_) {
            return true;
        }
        return highest_ - index < kSize && (word(index) & bit(index)) == 0;
    }

    void add(std::uint64_t index) {
        if (!started_) {
            started_ = true;
            highest_ = index;
        } else if (index > highest_) {
            if (index - highest_ >= kSize) {
                seen_.fill(0);
            } else {
                for (std::uint64_t passed = highest_ + 1; passed < index; ++passed) {
                    word(passed) &= ~bit(passed);
                }
            }
            highest_ = index;
        }
        word(index) |= bit(index);
    }

    std::optional<std::uint64_t> index_of(std::uint16_t sequence) const {
        return started_ ? nearest_index(highest_, sequence) : sequence;
    }

    bool started() const { return started_; }
    std::uint64_t highest() const { return highest_; }

private:
    std::uint64_t& word(std::uint64_t index) { return seen_[index % kSize / 64]; }
    const std::uint64_t& word(std::uint64_t index) const { return seen_[index % kSize / 64]; }
    static std::uint64_t bit(std::uint64_t index) { return std::uint64_t{1} << (index % 64); }

    std::array<std::uint64_t, kSize / 64> seen_{};
    std::uint64_t highest_ = 0;
    bool started_ = false;
};

}  // namespace vmr::srtp
