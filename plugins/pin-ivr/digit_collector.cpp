#include "plugins/pin-ivr/digit_collector.hpp"

#include <algorithm>
#include <utility>

namespace vmr::pin_ivr {

// What was typed is secret: it does not stay behind in freed memory.
void DigitCollector::wipe(std::string& text) {
    volatile char* bytes = text.data();
    for (std::size_t i = 0; i < text.size(); ++i) {
        bytes[i] = '\0';
    }
    text.clear();
}

void DigitCollector::start(Nanos now) {
    stop();
    state_ = State::collecting;
    started_ = last_key_ = now;
}

void DigitCollector::stop() {
    state_ = State::idle;
    hash_is_late_ = false;
    wipe(digits_);
    wipe(ahead_);
}

Entry DigitCollector::complete(bool by_hash) {
    hash_is_late_ = !by_hash;
    state_ = State::judging;
    Entry entry{Entry::Kind::complete, digits_};
    wipe(digits_);
    return entry;
}

Entry DigitCollector::take(char key) {
    if (key == '#') {
        return complete(true);
    }
    if (key == '*') {
        wipe(digits_);
    } else if (key >= '0' && key <= '9') {
        digits_ += key;
        if (digits_.size() >= limits_.max_digits) {
            return complete(false);
        }
    }
    return {};
}

Entry DigitCollector::press(char key, Nanos now) {
    if (std::exchange(hash_is_late_, false) && key == '#') {
        return {};
    }
    if (state_ == State::judging) {
        if (ahead_.size() < kMaxAhead) {
            ahead_ += key;
        }
        return {};
    }
    if (state_ == State::idle) {
        return {};
    }
    last_key_ = now;
    return take(key);
}

Entry DigitCollector::refused(Nanos now) {
    if (state_ == State::idle) {
        return {};
    }
    state_ = State::collecting;
    wipe(digits_);
    started_ = last_key_ = now;
    std::string typed = std::exchange(ahead_, {});
    Entry entry;
    for (std::size_t i = 0; i < typed.size() && entry.kind == Entry::Kind::none; ++i) {
        if (std::exchange(hash_is_late_, false) && typed[i] == '#') {
            continue;
        }
        entry = take(typed[i]);
        ahead_ = typed.substr(i + 1);
    }
    wipe(typed);
    if (entry.kind == Entry::Kind::none) {
        wipe(ahead_);
    } else if (hash_is_late_ && !ahead_.empty()) {
        if (ahead_.front() == '#') {
            ahead_.erase(0, 1);
        }
        hash_is_late_ = false;
    }
    return entry;
}

Entry DigitCollector::tick(Nanos now) {
    if (state_ != State::collecting) {
        return {};
    }
    if (!digits_.empty() && now >= last_key_ + limits_.inter_digit) {
        return complete(false);
    }
    if (now >= started_ + limits_.total) {
        stop();
        return {Entry::Kind::timed_out, {}};
    }
    return {};
}

std::optional<Nanos> DigitCollector::next_deadline() const {
    if (state_ != State::collecting) {
        return std::nullopt;
    }
    const Nanos end = started_ + limits_.total;
    return digits_.empty() ? end : std::min(end, last_key_ + limits_.inter_digit);
}

}  // namespace vmr::pin_ivr
