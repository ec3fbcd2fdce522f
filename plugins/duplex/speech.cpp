#include "plugins/duplex/speech.hpp"

#include <glib.h>
#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace vmr::duplex {

namespace {

std::shared_future<Sound> unspoken() {
    std::promise<Sound> promise;
    promise.set_value(nullptr);
    return promise.get_future().share();
}

std::string key_of(const std::string& language, const std::string& text) {
    return language + '\n' + text;
}

}  // namespace

// Never destroyed: its thread may still speak when the process exits.
Speech& Speech::shared() {
    static auto* const speech = new Speech(Synthesizer{});
    return *speech;
}

Speech::Speech(Synthesizer synthesizer) : synthesizer_(std::move(synthesizer)) {}

Speech::~Speech() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

std::shared_future<Sound> Speech::say(const std::string& language, const std::string& text) {
    Job job{language, clean_speech(text), {}};
    if (job.text.empty()) {
        return unspoken();
    }
    const std::lock_guard lock(mutex_);
    const std::string key = key_of(job.language, job.text);
    if (const auto found = kept_.find(key); found != kept_.end()) {
        found->second.used = ++uses_;
        return found->second.sound;
    }
    if (jobs_.size() >= kMaxWaiting) {
        return unspoken();
    }
    auto sound = job.promise.get_future().share();
    kept_[key] = Kept{sound, ++uses_, 0};
    jobs_.push_back(std::move(job));
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { work(); });
    }
    changed_.notify_one();
    return sound;
}

Sound Speech::make(const Job& job) {
    std::string trouble;
    try {
        const auto bytes = synthesizer_.speak(job.language, job.text);
        auto sound = bytes ? decode_wav_sound(*bytes) : Result<Sound>(Error{bytes.error()});
        if (sound && !(*sound)->empty()) {
            return *sound;
        }
        trouble = sound ? "silence" : sound.error();
    } catch (const std::exception& exception) {
        trouble = exception.what();
    }
    if (!std::exchange(complained_, true)) {
        g_warning("speech: %s: what has no recording is a tone", trouble.c_str());
    }
    return nullptr;
}

// What cannot be spoken is not kept: the next one tries again.
void Speech::keep(const std::string& key, const Sound& sound) {
    if (!sound) {
        kept_.erase(key);
        return;
    }
    kept_[key].samples = sound->size();
    kept_samples_ += sound->size();
    while (kept_samples_ > kMaxKeptSamples) {
        const auto oldest = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
            return std::pair(a.second.samples == 0, a.second.used) <
                   std::pair(b.second.samples == 0, b.second.used);
        });
        kept_samples_ -= oldest->second.samples;
        kept_.erase(oldest);
    }
}

void Speech::work() {
    pthread_setname_np(pthread_self(), "vmr-speech");
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
        if (ending_) {
            break;
        }
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        const Sound sound = make(job);
        lock.lock();
        keep(key_of(job.language, job.text), sound);
        job.promise.set_value(sound);
    }
    for (Job& job : jobs_) {
        job.promise.set_value(nullptr);
    }
}

}  // namespace vmr::duplex
