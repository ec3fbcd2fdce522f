#include "plugins/pin-ivr/key_filter.hpp"

namespace vmr::pin_ivr {

namespace {
constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSamePress = 300 * kMillisecond;    // one press, told by event and by tone
constexpr Nanos kRepeatedEnd = 100 * kMillisecond;  // retransmitted ends without a timestamp
constexpr Nanos kLongestPress = 10 * kSecond;       // then its end was lost
}  // namespace

char key_of_event(int event) {
    return event >= 0 && event <= 15 ? "0123456789*#ABCD"[event] : '\0';
}

bool KeyFilter::is_new_event(const KeyReport& report, Nanos now) {
    events_seen_ = true;
    if (report.timestamp) {
        const bool repeated = last_timestamp_ == report.timestamp;
        last_timestamp_ = report.timestamp;
        return !repeated;
    }
    if (!report.start) {
        return true;
    }
    if (*report.start) {
        const bool repeated = held_ == report.key && now < held_since_ + kLongestPress;
        held_since_ = repeated ? held_since_ : now;
        held_ = report.key;
        return !repeated;
    }
    if (held_ == report.key) {
        held_ = 0;
        last_time_ = now;
        return false;
    }
    // An end whose start was lost is a press; one that follows an end is a retransmission.
    return !(last_key_ == report.key && now < last_time_ + kRepeatedEnd);
}

bool KeyFilter::is_new(const KeyReport& report, Nanos now) {
    if (report.source == KeySource::event && !is_new_event(report, now)) {
        return false;
    }
    if (report.source == KeySource::tone && events_seen_) {
        return false;
    }
    const bool same_press = report.source != KeySource::action && last_source_ != KeySource::action &&
                            last_source_ != report.source && last_key_ == report.key &&
                            now < last_time_ + kSamePress;
    last_key_ = report.key;
    last_time_ = now;
    last_source_ = report.source;
    return !same_press;
}

}  // namespace vmr::pin_ivr
