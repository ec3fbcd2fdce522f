// Speech for everyone in the process: one thread makes it, what was said lately is kept.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "plugins/duplex/sound_file.hpp"
#include "plugins/duplex/synthesizer.hpp"

namespace vmr::duplex {

class Speech {
public:
    static constexpr std::size_t kMaxWaiting = 32;            // texts; what comes beyond is not spoken
    static constexpr std::size_t kMaxKeptSamples = 8U << 20;  // 16 MB, three minutes

    static Speech& shared();

    explicit Speech(Synthesizer synthesizer);
    ~Speech();
    Speech(const Speech&) = delete;
    Speech& operator=(const Speech&) = delete;

    // Never blocks. The text is cleaned here. A null sound: it cannot be spoken.
    std::shared_future<Sound> say(const std::string& language, const std::string& text);

private:
    struct Job {
        std::string language, text;
        std::promise<Sound> promise;
    };
    struct Kept {
        std::shared_future<Sound> sound;
        std::uint64_t used = 0;
        std::size_t samples = 0;  // 0: not made yet
    };

    void work();
    Sound make(const Job& job);
    void keep(const std::string& key, const Sound& sound);  // under mutex_

    const Synthesizer synthesizer_;
    bool complained_ = false;  // the thread's alone

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    std::deque<Job> jobs_;
    std::map<std::string, Kept> kept_;  // by language and text
    std::uint64_t uses_ = 0;
    std::size_t kept_samples_ = 0;
    std::thread thread_;  // from the first text on
};

}  // namespace vmr::duplex
