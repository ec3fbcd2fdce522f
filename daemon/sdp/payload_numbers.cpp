#include "daemon/sdp/payload_numbers.hpp"

#include <algorithm>
#include <string_view>

#include "daemon/sdp/codec_choice.hpp"
#include "daemon/sdp/text.hpp"

namespace vmr::sdp {

namespace {

constexpr std::uint8_t kFirstDynamic = 96, kLastDynamic = 127;  // RFC 3551 section 6
constexpr std::string_view kNoProfile =
    "420010";  // RFC 6184 section 8.1: what is meant without profile-level-id

std::string encoding_text(std::string_view encoding, std::uint32_t clock_rate, unsigned channels) {
    return text::lower(encoding) + '/' + std::to_string(clock_rate) + '/' + std::to_string(channels);
}

// The level is no part of it.
std::string with_profile(std::string meaning, std::string_view profile_level_id, unsigned mode) {
    return std::move(meaning) + ' ' + text::lower(profile_level_id.substr(0, 4)) + ' ' + std::to_string(mode);
}

void note_own(PayloadNumbers& numbers, const OfferMedia& ours) {
    for (const auto& codec : ours.codecs) {
        numbers[codec.receive_pt] = meaning_of(codec);
        if (codec.rtx_receive_pt) {
            numbers[*codec.rtx_receive_pt] = "rtx/90000/1 apt=" + std::to_string(codec.receive_pt);
        }
    }
    for (const auto& dtmf : ours.dtmf) {
        numbers[dtmf.receive_pt] = meaning_of(dtmf);
    }
}

}  // namespace

std::string meaning_of(const Format& format, MediaKind kind) {
    auto meaning = encoding_text(format.encoding, format.clock_rate, format.channels);
    if (format.encoding == "rtx") {
        return meaning + ' ' + format.fmtp_text;
    }
    const auto profile =
        codec_of(format, kind) == Codec::h264 ? h264_profile(format.fmtp) : std::optional<H264Profile>();
    if (!profile) {
        return meaning;
    }
    const auto* id = find(format.fmtp, "profile-level-id");
    return with_profile(std::move(meaning), id == nullptr ? kNoProfile : std::string_view(*id),
                        profile->packetization_mode);
}

std::string meaning_of(const CodecPlan& codec) {
    auto meaning = encoding_text(to_string(codec.codec), codec.clock_rate, codec.channels);
    if (codec.codec != Codec::h264) {
        return meaning;
    }
    constexpr std::string_view kId = "profile-level-id=";
    const auto at = codec.local_fmtp.find(kId);
    return with_profile(
        std::move(meaning),
        at == std::string::npos ? kNoProfile : std::string_view(codec.local_fmtp).substr(at + kId.size()),
        codec.packetization_mode);
}

std::string meaning_of(const DtmfPlan& dtmf) {
    return encoding_text("telephone-event", dtmf.clock_rate, 1);
}

void note_numbers(MediaPlan& plan, const MediaPlan* before, const Media& peers, const OfferMedia* ours) {
    if (before != nullptr && before->kind_name == plan.kind_name) {
        plan.numbers = before->numbers;
    }
    if (!peers.disabled()) {  // else it need not say what they stand for
        for (const auto& format : peers.formats) {
            plan.numbers[format.pt] = meaning_of(format, peers.kind);
        }
    }
    if (ours != nullptr && ours->enabled) {
        note_own(plan.numbers, *ours);
    }
}

NumberBook::NumberBook(const Negotiated* current, bool bundle) : bundle_(bundle) {
    if (current != nullptr) {
        for (const auto& media : current->media) {
            lines_.push_back(media.numbers);
        }
    }
}

std::optional<std::uint8_t> NumberBook::take(std::size_t line, const std::string& meaning,
                                             std::uint8_t preferred) {
    lines_.resize(std::max(lines_.size(), line + 1));
    auto& own = lines_[line];
    const auto had = std::ranges::find(own, meaning, &PayloadNumbers::value_type::second);
    if (had != own.end()) {
        return had->first;
    }
    const auto is_free = [&](std::uint8_t number) {
        const auto means_other = [&](const PayloadNumbers& numbers) {
            const auto found = numbers.find(number);
            return found != numbers.end() && found->second != meaning;
        };
        return !own.contains(number) && !(bundle_ && std::ranges::any_of(lines_, means_other));
    };
    std::optional<std::uint8_t> number;
    if (is_free(preferred)) {
        number = preferred;
    }
    for (auto dynamic = kFirstDynamic; !number && dynamic <= kLastDynamic; ++dynamic) {
        if (is_free(dynamic)) {
            number = dynamic;
        }
    }
    if (number) {
        own[*number] = meaning;
    }
    return number;
}

}  // namespace vmr::sdp
