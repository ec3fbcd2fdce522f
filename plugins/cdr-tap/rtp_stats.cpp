#include "plugins/cdr-tap/rtp_stats.hpp"

#include <algorithm>
#include <cmath>

namespace vmr::cdr_tap {

namespace {

constexpr std::int64_t kMaxDropout = 3000;  // RFC 3550 A.1
constexpr std::int64_t kMaxMisorder = 100;
constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

std::optional<RtpHeader> parse_rtp(Bytes packet) {
    if (packet.size() < 12 || packet[0] >> 6 != 2) {
        return std::nullopt;
    }
    std::size_t length = 12 + 4 * static_cast<std::size_t>(packet[0] & 0x0f);
    if ((packet[0] & 0x10) != 0) {  // header extension
        if (packet.size() < length + 4) {
            return std::nullopt;
        }
        length += 4 + 4 * static_cast<std::size_t>(read16(packet, length + 2));
    }
    if (packet.size() < length) {
        return std::nullopt;
    }
    return RtpHeader{(packet[1] & 0x80) != 0, static_cast<std::uint8_t>(packet[1] & 0x7f), read16(packet, 2),
                     read32(packet, 4), read32(packet, 8)};
}

bool looks_like_rtcp(Bytes packet) {
    return packet.size() >= 8 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}

PayloadFormat static_format(std::uint8_t payload_type) {
    switch (payload_type) {
        case 0:
            return {"PCMU", 8000};
        case 3:
            return {"GSM", 8000};
        case 8:
            return {"PCMA", 8000};
        case 9:
            return {"G722", 8000};  // 8000 by a historic error, RFC 3551 section 4.5.2
        case 18:
            return {"G729", 8000};
        case 31:
            return {"H261", 90000};
        case 34:
            return {"H263", 90000};
        default:
            return {};
    }
}

void StreamStats::restart(std::uint16_t sequence) {
    if (started_) {
        earlier_lost_ = std::max<std::int64_t>(snapshot().lost, 0);
        ++now_.restarts;
    }
    started_ = true;
    base_ = highest_ = sequence;
    distinct_ = 0;
    seen_.reset();
    suspect_.reset();
    has_transit_ = false;
}

void StreamStats::advance_to(std::int64_t extended) {
    for (std::int64_t next = highest_ + 1; next <= extended; ++next) {
        seen_.reset(static_cast<std::size_t>(next) % kWindow);
    }
    highest_ = extended;
}

bool StreamStats::place(std::uint16_t sequence) {
    if (!started_) {
        restart(sequence);
    }
    // The extended number nearest to the highest one seen.
    std::int64_t delta = static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest_));
    if (delta >= kMaxDropout || delta < -kMaxMisorder) {
        if (suspect_ != sequence) {
            suspect_ = static_cast<std::uint16_t>(sequence + 1);
            return false;
        }
        restart(static_cast<std::uint16_t>(sequence - 1));  // the suspect itself was the first
        ++distinct_;
        seen_.set(static_cast<std::size_t>(highest_) % kWindow);
        delta = 1;
    }
    suspect_.reset();
    const std::int64_t extended = highest_ + delta;
    if (extended < base_) {  // arrived before the first one: the stream starts earlier than thought
        base_ = std::max<std::int64_t>(extended, 0);
        if (extended < 0) {
            return false;
        }
    }
    if (delta > 0) {
        advance_to(extended);
    } else {
        if (seen_.test(static_cast<std::size_t>(extended) % kWindow)) {
            ++now_.duplicates;
            return false;
        }
        if (distinct_ > 0) {
            ++now_.reordered;
        }
    }
    seen_.set(static_cast<std::size_t>(extended) % kWindow);
    ++distinct_;
    return true;
}

void StreamStats::measure_jitter(const RtpHeader& header, std::uint64_t arrival) {
    const std::uint32_t rate = now_.format.clock_rate;
    // Fragments of one frame, and RFC 4733 packets of one key, share a timestamp: they say nothing of jitter.
    if (rate == 0 || (has_transit_ && header.timestamp == last_timestamp_)) {
        return;
    }
    const auto units =
        static_cast<std::int64_t>(arrival / kSecond * rate + arrival % kSecond * rate / kSecond);
    const auto transit = static_cast<std::int32_t>(static_cast<std::uint32_t>(units) - header.timestamp);
    if (has_transit_) {
        const auto difference = static_cast<std::int32_t>(static_cast<std::uint32_t>(transit) -
                                                          static_cast<std::uint32_t>(transit_));
        jitter_ += (std::abs(static_cast<double>(difference)) - jitter_) / 16.0;
    }
    has_transit_ = true;
    transit_ = transit;
    last_timestamp_ = header.timestamp;
}

void StreamStats::update(const RtpHeader& header, std::size_t bytes, std::uint64_t arrival,
                         const PayloadFormat& format) {
    ++now_.packets;
    now_.bytes += bytes;
    last_arrival_ = arrival;
    if (header.payload_type != now_.payload_type || format.clock_rate != now_.format.clock_rate) {
        has_transit_ = false;  // another clock: two transits cannot be compared
    }
    now_.payload_type = header.payload_type;
    now_.format = format;
    if (place(header.sequence)) {
        measure_jitter(header, arrival);
    }
}

StreamSnapshot StreamStats::snapshot() const {
    StreamSnapshot result = now_;
    const auto expected = started_ ? highest_ - base_ + 1 : 0;
    result.lost = earlier_lost_ + std::max<std::int64_t>(expected - static_cast<std::int64_t>(distinct_), 0);
    if (now_.format.clock_rate > 0) {
        result.jitter_ms = jitter_ * 1000.0 / now_.format.clock_rate;
    }
    return result;
}

StreamStats& TapStats::stream(std::uint32_t ssrc) {
    auto found = std::find_if(streams_.begin(), streams_.end(),
                              [&](const StreamStats& stream) { return stream.ssrc() == ssrc; });
    if (found != streams_.end()) {
        return *found;
    }
    if (streams_.size() >= kMaxStreams) {
        auto oldest = std::min_element(
            streams_.begin(), streams_.end(),
            [](const StreamStats& a, const StreamStats& b) { return a.last_arrival() < b.last_arrival(); });
        const StreamSnapshot gone = oldest->snapshot();
        folded_.packets += gone.packets;
        folded_.bytes += gone.bytes;
        folded_.lost += gone.lost;
        folded_.reordered += gone.reordered;
        folded_.duplicates += gone.duplicates;
        streams_.erase(oldest);
    }
    ++streams_seen_;
    return streams_.emplace_back(ssrc);
}

void TapStats::add_rtp(const RtpHeader& header, std::size_t bytes, std::uint64_t arrival,
                       const PayloadFormat& format) {
    stream(header.ssrc).update(header, bytes, arrival, format);
}

std::uint32_t TapStats::last_clock_rate() const {
    return streams_.empty() ? 0 : streams_.back().snapshot().format.clock_rate;
}

void TapStats::add_report_block(Bytes block, std::uint64_t ntp_now) {
    remote_.valid = true;
    remote_.ssrc = read32(block, 0);
    remote_.fraction_lost = block[4] / 256.0;
    // 24 bits, signed (duplicates may make it negative)
    remote_.lost = static_cast<std::int32_t>((read32(block, 4) & 0x00ff'ffffU) << 8) >> 8;
    const std::uint32_t rate = last_clock_rate();
    remote_.jitter_ms = rate == 0 ? 0 : read32(block, 12) * 1000.0 / rate;
    const std::uint32_t last_sr = read32(block, 16);
    const std::uint32_t delay = read32(block, 20);
    if (last_sr == 0) {
        return;  // the far end has had no sender report from us yet
    }
    // RFC 3550 figure 2: A - LSR - DLSR, in 1/65536 s; clocks that disagree give nonsense, which is dropped.
    const auto round_trip =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(ntp_now >> 16) - last_sr - delay);
    const double ms = round_trip * 1000.0 / 65536.0;
    if (ms >= 0 && ms < 60'000) {
        remote_.round_trip_ms = ms;
        remote_.round_trip_max_ms = std::max(remote_.round_trip_max_ms, ms);
    }
}

void TapStats::add_rtcp(Bytes compound, std::uint64_t ntp_now) {
    ++rtcp_packets_;
    while (looks_like_rtcp(compound)) {
        const std::size_t length = 4 + 4 * static_cast<std::size_t>(read16(compound, 2));
        if (length > compound.size()) {
            ++malformed_;
            return;
        }
        const Bytes packet = compound.first(length);
        const std::size_t blocks = packet[0] & 0x1f;
        const bool sender = packet[1] == 200;
        if (sender || packet[1] == 201) {
            const std::size_t first = sender ? 28 : 8;
            for (std::size_t i = 0; i < blocks && first + 24 * (i + 1) <= packet.size(); ++i) {
                add_report_block(packet.subspan(first + 24 * i, 24), ntp_now);
            }
        }
        compound = compound.subspan(length);
    }
}

TapSnapshot TapStats::snapshot() const {
    TapSnapshot result = folded_;
    for (const StreamStats& stream : streams_) {
        const StreamSnapshot& one = result.streams.emplace_back(stream.snapshot());
        result.packets += one.packets;
        result.bytes += one.bytes;
        result.lost += one.lost;
        result.reordered += one.reordered;
        result.duplicates += one.duplicates;
    }
    result.malformed = malformed_;
    result.rtcp_packets = rtcp_packets_;
    result.ssrc_changes = streams_seen_ == 0 ? 0 : streams_seen_ - 1;
    result.remote = remote_;
    return result;
}

void RateMeter::add(std::size_t bytes, std::uint64_t now) {
    if (!started_) {
        started_ = true;
        since_ = now;
    }
    const std::uint64_t age = now > since_ ? now - since_ : 0;
    if (age >= kSecond) {
        last_rate_ = bytes_ * 8 * kSecond / age;
        since_ = now;
        bytes_ = 0;
    }
    bytes_ += bytes;
}

std::uint64_t RateMeter::bits_per_second(std::uint64_t now) const {
    if (!started_ || now <= since_) {
        return last_rate_;
    }
    const std::uint64_t age = now - since_;
    // A stream that stopped is not still at its last rate; a window just begun is not yet a rate.
    return age >= kSecond || last_rate_ == 0 ? bytes_ * 8 * kSecond / age : last_rate_;
}

}  // namespace vmr::cdr_tap
