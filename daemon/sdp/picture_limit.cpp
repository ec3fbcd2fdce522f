#include "daemon/sdp/picture_limit.hpp"

#include <algorithm>
#include <array>

#include "daemon/sdp/text.hpp"

namespace vmr::sdp {
namespace {

struct Level {
    unsigned idc;
    std::uint32_t macroblock_rate;  // MaxMBPS
    std::uint32_t frame_size;       // MaxFS
    std::uint32_t bitrate;          // MaxBR, units of 1000 bit/s
};
// H.264 table A-1.
constexpr std::array kLevels = std::to_array<Level>({
    {10, 1485, 99, 64},
    {11, 3000, 396, 192},
    {12, 6000, 396, 384},
    {13, 11880, 396, 768},
    {20, 11880, 396, 2000},
    {21, 19800, 792, 4000},
    {22, 20250, 1620, 4000},
    {30, 40500, 1620, 10000},
    {31, 108000, 3600, 14000},
    {32, 216000, 5120, 20000},
    {40, 245760, 8192, 20000},
    {41, 245760, 8192, 50000},
    {42, 522240, 8704, 50000},
    {50, 589824, 22080, 135000},
    {51, 983040, 36864, 240000},
    {52, 2073600, 36864, 240000},
});
constexpr Level kLevel1b = {9, 1485, 99, 128};
constexpr std::uint32_t kBitrateUnit = 1000;  // bit/s; cpbBrVclFactor of the baseline and main profiles
constexpr std::uint64_t kMost = 4'000'000;    // of any parameter

// The highest that is not above `idc`; what is below the first counts as it.
const Level& level_of(unsigned idc, bool constraint_set3) {
    constexpr unsigned k1b = 9;  // written so by High; the others write 11 and constraint_set3 (A.3.1)
    if (idc == k1b || (idc == 11 && constraint_set3)) {
        return kLevel1b;
    }
    const auto above = std::ranges::upper_bound(kLevels, idc, {}, &Level::idc);
    return above == kLevels.begin() ? *above : *std::prev(above);
}

// A receiver's own word may only add to its level.
std::uint32_t raised(const Parameters& fmtp, const char* name, std::uint32_t by_level) {
    const auto* text = find(fmtp, name);
    const auto number = text == nullptr ? std::nullopt : text::number(*text, kMost);
    return number ? std::max(by_level, static_cast<std::uint32_t>(*number)) : by_level;
}

}  // namespace

PictureLimit h264_limit(const Parameters& fmtp, const H264Profile& profile, unsigned own_level) {
    if (find(fmtp, "profile-level-id") == nullptr) {
        return {};
    }
    const bool high = profile.profile_idc == kH264High;
    const auto idc = profile.level_asymmetry ? profile.level_idc : std::min(profile.level_idc, own_level);
    const Level& level = level_of(idc, !high && (profile.profile_iop & 0x10) != 0);
    // max-smbps speaks of pictures that stand still; a limit for those that move holds for them, too.
    return {.frame_size = raised(fmtp, "max-fs", level.frame_size),
            .macroblock_rate = raised(fmtp, "max-mbps", level.macroblock_rate),
            .framerate = 0,
            .bitrate = std::min<std::uint32_t>(raised(fmtp, "max-br", level.bitrate), kMost) * kBitrateUnit};
}

PictureLimit vp8_limit(const Parameters& fmtp) {
    return {.frame_size = raised(fmtp, "max-fs", 0),
            .macroblock_rate = 0,
            .framerate = std::min<std::uint32_t>(raised(fmtp, "max-fr", 0), 1000),
            .bitrate = 0};
}

}  // namespace vmr::sdp
