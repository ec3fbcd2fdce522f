#include "plugins/duplex/sound_file.hpp"

#include <gst/audio/audio.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <numbers>

#include "base/spandsp.hpp"
#include "plugins/duplex/fade.hpp"

namespace vmr::duplex {

namespace {

constexpr std::size_t kMaxFileBytes = 64U << 20;
constexpr std::size_t kMaxCachedSamples = 32U << 20;  // 64 MB, eleven minutes

struct Cache {
    std::mutex mutex;
    std::map<std::string, Sound> sounds;
    std::size_t samples = 0;
};
Cache& cache() {
    static Cache instance;
    return instance;
}

struct Pcm {
    int rate = 0;
    int channels = 1;
    std::vector<std::int16_t> samples;  // interleaved
};

Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path) {
    std::error_code problem;
    const auto size = std::filesystem::file_size(path, problem);
    if (problem) {
        return Error{path.string() + ": " + problem.message()};
    }
    if (size > kMaxFileBytes) {
        return Error{path.string() + ": larger than 64 MB"};
    }
    std::ifstream file(path, std::ios::binary);
    std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.empty()) {
        return Error{path.string() + ": empty or unreadable"};
    }
    return bytes;
}

Pcm decode_g722(const std::vector<std::uint8_t>& bytes) {
    Pcm pcm;
    pcm.rate = 16000;
    pcm.samples.resize(bytes.size() * 2);
    g722_decode_state_t* state = g722_decode_init(nullptr, 64000, 0);
    const int count = g722_decode(state, pcm.samples.data(), bytes.data(), static_cast<int>(bytes.size()));
    g722_decode_free(state);
    pcm.samples.resize(static_cast<std::size_t>(std::max(count, 0)));
    return pcm;
}

std::uint32_t little_endian(const std::vector<std::uint8_t>& bytes, std::size_t at, std::size_t width) {
    std::uint32_t value = 0;
    for (std::size_t i = width; i-- > 0;) {
        value = value << 8 | bytes[at + i];
    }
    return value;
}

Result<Pcm> decode_wav(const std::vector<std::uint8_t>& bytes) {
    if (bytes.size() < 12 || std::memcmp(bytes.data(), "RIFF", 4) != 0 ||
        std::memcmp(bytes.data() + 8, "WAVE", 4) != 0) {
        return Error{"not a WAV file"};
    }
    Pcm pcm;
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
        const std::size_t size =
            std::min<std::size_t>(little_endian(bytes, at + 4, 4), bytes.size() - at - 8);
        const std::size_t body = at + 8;
        if (std::memcmp(bytes.data() + at, "fmt ", 4) == 0 && size >= 16) {
            pcm.channels = static_cast<int>(little_endian(bytes, body + 2, 2));
            pcm.rate = static_cast<int>(little_endian(bytes, body + 4, 4));
            if (little_endian(bytes, body, 2) != 1 || little_endian(bytes, body + 14, 2) != 16 ||
                pcm.channels < 1 || pcm.channels > 2 || pcm.rate < 8000 || pcm.rate > 96000) {
                return Error{"not 16-bit PCM with one or two channels"};
            }
        } else if (std::memcmp(bytes.data() + at, "data", 4) == 0 && pcm.rate > 0) {
            pcm.samples.resize(size / 2);
            for (std::size_t i = 0; i < pcm.samples.size(); ++i) {
                pcm.samples[i] = static_cast<std::int16_t>(little_endian(bytes, body + 2 * i, 2));
            }
            return pcm;
        }
        at = body + size + size % 2;
    }
    return Error{"no PCM data"};
}

std::vector<std::int16_t> resample(Pcm pcm) {
    if (pcm.rate == kSampleRate && pcm.channels == 1) {
        return std::move(pcm.samples);
    }
    GstAudioInfo from, to;
    gst_audio_info_set_format(&from, GST_AUDIO_FORMAT_S16, pcm.rate, pcm.channels, nullptr);
    gst_audio_info_set_format(&to, GST_AUDIO_FORMAT_S16, kSampleRate, 1, nullptr);
    GstAudioConverter* converter =
        gst_audio_converter_new(GST_AUDIO_CONVERTER_FLAG_NONE, &from, &to, nullptr);
    // The converter holds back what its filter still needs: silence at the end pushes the last samples out.
    pcm.samples.resize(pcm.samples.size() + static_cast<std::size_t>(pcm.rate / 100 * pcm.channels), 0);
    const gsize in_frames = pcm.samples.size() / static_cast<std::size_t>(pcm.channels);
    const gsize out_frames = gst_audio_converter_get_out_frames(converter, in_frames);
    std::vector<std::int16_t> result(out_frames);
    gpointer in[] = {pcm.samples.data()};
    gpointer out[] = {result.data()};
    gst_audio_converter_samples(converter, GST_AUDIO_CONVERTER_FLAG_NONE, in, in_frames, out, out_frames);
    gst_audio_converter_free(converter);
    return result;
}

}  // namespace

Sound cached_sound(const std::filesystem::path& path) {
    const std::lock_guard lock(cache().mutex);
    const auto found = cache().sounds.find(path.string());
    return found == cache().sounds.end() ? nullptr : found->second;
}

Result<Sound> load_sound(const std::filesystem::path& path) {
    if (Sound known = cached_sound(path)) {
        return known;
    }
    const auto bytes = read_file(path);
    if (!bytes) {
        return Error{bytes.error()};
    }
    Result<Pcm> pcm = path.extension() == ".g722" ? Result<Pcm>(decode_g722(*bytes)) : decode_wav(*bytes);
    if (!pcm) {
        return Error{path.string() + ": " + pcm.error()};
    }
    auto sound = std::make_shared<const std::vector<std::int16_t>>(resample(std::move(*pcm)));
    const std::lock_guard lock(cache().mutex);
    if (cache().samples + sound->size() <= kMaxCachedSamples &&
        cache().sounds.emplace(path.string(), sound).second) {
        cache().samples += sound->size();
    }
    return Sound(sound);
}

Result<Sound> decode_wav_sound(const std::vector<std::uint8_t>& bytes) {
    Result<Pcm> pcm = decode_wav(bytes);
    if (!pcm) {
        return Error{pcm.error()};
    }
    return Sound(std::make_shared<const std::vector<std::int16_t>>(resample(std::move(*pcm))));
}

Sound make_tone(double hertz, int duration_ms, double amplitude) {
    const auto count = static_cast<std::size_t>(kSampleRate) * static_cast<std::size_t>(duration_ms) / 1000;
    std::vector<std::int16_t> samples(count);
    constexpr double kEdge = kSampleRate * 0.005;
    for (std::size_t i = 0; i < count; ++i) {
        const double edge =
            std::min({1.0, static_cast<double>(i) / kEdge, static_cast<double>(count - i) / kEdge});
        samples[i] = saturate(static_cast<int>(
            32767.0 * amplitude * edge *
            std::sin(2.0 * std::numbers::pi * hertz * static_cast<double>(i) / kSampleRate)));
    }
    return std::make_shared<const std::vector<std::int16_t>>(std::move(samples));
}

}  // namespace vmr::duplex
