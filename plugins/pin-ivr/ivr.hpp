// What pin-ivr does, apart from its GObject shell.
#pragma once
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <string>

#include "plugins/duplex/door.hpp"
#include "plugins/duplex/speech.hpp"
#include "plugins/pin-ivr/digit_collector.hpp"
#include "plugins/pin-ivr/key_filter.hpp"
#include "plugins/pin-ivr/prompts.hpp"
#include "plugins/pin-ivr/tone_detector.hpp"

namespace vmr::pin_ivr {

struct Settings {
    std::string prompts = "/usr/share/asterisk/sounds";  // folder
    std::string language = "en";
    std::string prompt = "pin";  // what is asked for
    std::string host_pin, guest_pin;
    bool speech = true;  // what has no recording is spoken
    CollectorLimits limits;
};

// `mutex_` guards what stands below it and is held neither during a push or a message, nor while calling the
// Door.
class Ivr final : public duplex::Content {
public:
    explicit Ivr(GstElement* element) : element_(element), door_(element, *this, "vmr-pin") {}

    duplex::Door& door() { return door_; }
    bool asking() const { return !door_.is_open(); }
    Settings settings();
    void set_settings(const Settings& settings);
    bool inband() const { return inband_; }
    void set_inband(bool inband) { inband_ = inband; }

    void restart();  // READY → PAUSED: time begins anew
    void accept();
    void reject(unsigned attempts_left);
    void ask(const std::string& prompt);  // empty: the one of the settings
    void play(const std::string& names);
    void say(const Prompt& prompt);
    void digits(const std::string& keys);

    void fill_closed(duplex::Samples out) override;
    bool has_overlay() override;
    void mix_overlay(duplex::Samples inout) override;
    bool wants_to_hear() override { return inband_; }
    bool hear_caller(duplex::ConstSamples samples, GstClockTime now) override;
    bool take_event(GstEvent* event) override;
    duplex::Card card() override;
    std::optional<GstClockTime> tick(GstClockTime now) override;
    bool has_jobs() override;

private:
    static constexpr unsigned kOwnAttempts = 3;  // when it judges by itself
    static constexpr Nanos kAskAgain = 12 * kSecond;
    static constexpr Nanos kSpeechPoll = kSecond / 50;

    struct Speaking {
        Prompt prompt;
        std::shared_future<duplex::Sound> sound;
    };

    void press(const KeyReport& report, Nanos now);
    void begin_if_asked(Nanos now);  // under mutex_
    bool find_sounds();
    duplex::Sound find_sound(const Prompt& prompt, const Settings& settings);
    void act_on(const Entry& entry);
    void judge(const std::string& digits);
    Entry refuse(unsigned attempts_left);
    void post(GstStructure* structure);

    GstElement* element_;
    std::atomic<bool> inband_{false};
    ToneDetector detector_;             // audio_sink's stream lock
    std::optional<Speaking> speaking_;  // the worker's: what is being made

    std::mutex mutex_;
    Settings settings_;
    std::string asked_ = "pin";
    bool begin_ = true;  // to begin to ask as soon as time runs
    DigitCollector collector_;
    KeyFilter filter_;
    PromptQueue prompts_;
    bool play_unanswered_ = false;  // vmr-prompts-played is due
    Nanos last_activity_ = 0;
    std::string notice_;  // second line of the screen
    unsigned own_refusals_ = 0;
    duplex::Door door_;  // last: its worker uses what is above
};

}  // namespace vmr::pin_ivr
