#include "daemon/media/transport/telephone_events.hpp"

#include <string_view>

namespace vmr::media {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";  // RFC 4733 table 3, by event number
constexpr size_t kEventBytes = 4;                       // RFC 4733 section 2.3
constexpr int kMostInSecond = 25;                       // keys: nobody presses faster
constexpr int64_t kSecond = 1'000'000;                  // µs

}  // namespace

// All packets of an event have the timestamp of its beginning (RFC 4733 section 2.1); its last one comes
// three times.
std::optional<char> TelephoneEvents::read(uint32_t ssrc, uint32_t timestamp, Bytes payload, int64_t now) {
    if (payload.size() < kEventBytes || payload[0] >= kKeys.size()) {
        return std::nullopt;
    }
    const bool newer = !started_ || ssrc != ssrc_ || static_cast<int32_t>(timestamp - timestamp_) > 0;
    if (!newer) {
        return std::nullopt;
    }
    started_ = true;
    ssrc_ = ssrc;
    timestamp_ = timestamp;
    return admit(now) ? std::optional(kKeys[payload[0]]) : std::nullopt;
}

bool TelephoneEvents::admit(int64_t now) {
    if (now - second_began_ >= kSecond) {
        second_began_ = now;
        in_second_ = 0;
    }
    return ++in_second_ <= kMostInSecond;
}

}  // namespace vmr::media
