// Which of the streams that arrive on one m-line is heard: the newest, as callers move from one device or
// announcement to another. Pure.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

namespace vmr::media {

class StreamChoice {
public:
    enum class Verdict { same, changed, refused };

    // `now` in µs of any steady clock.
    Verdict choose(uint32_t ssrc, uint8_t payload_type, int64_t now);

private:
    bool was_left(uint32_t ssrc) const;
    void leave(uint32_t ssrc);

    struct Stream {
        uint32_t ssrc = 0;
        uint8_t payload_type = 0;
        bool operator==(const Stream&) const = default;
    };
    std::optional<Stream> current_;
    int64_t changed_at_ = 0, heard_at_ = 0;
    std::array<std::optional<uint32_t>, 8> left_;  // SSRCs that another took the place of
    size_t next_left_ = 0;
};

}  // namespace vmr::media
