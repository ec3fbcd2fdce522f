#include "plugins/pin-ivr/ivr.hpp"

#include <algorithm>
#include <chrono>

#include "plugins/duplex/phrases.hpp"

namespace vmr::pin_ivr {

namespace {

// In a time that depends on the entry's length alone.
bool same_secret(const std::string& secret, const std::string& entry) {
    unsigned difference = secret.size() == entry.size() ? 0U : 1U;
    for (std::size_t i = 0; i < entry.size(); ++i) {
        difference |= static_cast<unsigned char>(entry[i]) ^
                      static_cast<unsigned char>(secret.empty() ? '\0' : secret[i % secret.size()]);
    }
    return difference == 0 && !secret.empty();
}

std::string attempts_text(const duplex::Phrases& phrases, unsigned left) {
    std::string text = left == 1 ? phrases.one_attempt : phrases.attempts;
    if (const auto at = text.find("{n}"); at != std::string::npos) {
        text.replace(at, 3, std::to_string(left));
    }
    return text;
}

}  // namespace

Settings Ivr::settings() {
    const std::lock_guard lock(mutex_);
    return settings_;
}

void Ivr::set_settings(const Settings& settings) {
    const std::lock_guard lock(mutex_);
    if (settings.prompt != settings_.prompt) {
        asked_ = settings.prompt;
    }
    settings_ = settings;
    collector_.set_limits(settings.limits);
}

void Ivr::post(GstStructure* structure) {
    gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

void Ivr::restart() {
    const std::lock_guard lock(mutex_);
    collector_.stop();
    prompts_.clear();
    filter_ = {};
    begin_ = asking();
    last_activity_ = 0;
    own_refusals_ = 0;
    notice_.clear();
}

void Ivr::accept() {
    {
        const std::lock_guard lock(mutex_);
        collector_.stop();
        prompts_.clear();
        begin_ = false;
        own_refusals_ = 0;
        notice_.clear();
    }
    if (asking()) {
        door_.set_open(true);
        g_object_notify(G_OBJECT(element_), "asking");
    }
}

void Ivr::ask(const std::string& prompt) {
    {
        const std::lock_guard lock(mutex_);
        asked_ = prompt.empty() ? settings_.prompt : prompt;
        collector_.stop();
        prompts_.clear();
        begin_ = true;
        own_refusals_ = 0;
        notice_.clear();
    }
    const bool changed = !asking();
    door_.set_open(false);
    if (changed) {
        g_object_notify(G_OBJECT(element_), "asking");
    }
}

Entry Ivr::refuse(unsigned attempts_left) {
    const Nanos now = door_.now();
    const std::lock_guard lock(mutex_);
    const duplex::Phrases& phrases = duplex::phrases_of(settings_.language);
    prompts_.clear();
    prompts_.add("wrong-" + asked_);
    last_activity_ = now;
    if (attempts_left == 0) {
        collector_.stop();
        begin_ = false;
        prompts_.add("goodbye");
        notice_ = phrases.no_attempts;
        return {};
    }
    prompts_.add(asked_);
    notice_ = phrases.wrong + (' ' + attempts_text(phrases, attempts_left));
    return collector_.refused(now);
}

void Ivr::reject(unsigned attempts_left) {
    if (!asking()) {
        return;
    }
    Entry typed_ahead = refuse(attempts_left);
    door_.wake();
    act_on(typed_ahead);
}

void Ivr::play(const std::string& names) {
    {
        const std::lock_guard lock(mutex_);
        prompts_.add(names);
        play_unanswered_ = true;
    }
    door_.wake();
}

void Ivr::say(const Prompt& prompt) {
    {
        const std::lock_guard lock(mutex_);
        prompts_.add(prompt);
        play_unanswered_ = true;
    }
    door_.wake();
}

void Ivr::digits(const std::string& keys) {
    const Nanos now = door_.now();
    for (const char key : keys.substr(0, 64)) {
        if ((key >= '0' && key <= '9') || key == '*' || key == '#' || (key >= 'A' && key <= 'D')) {
            press({key, KeySource::action, std::nullopt, std::nullopt}, now);
        }
    }
}

void Ivr::begin_if_asked(Nanos now) {
    if (begin_) {
        begin_ = false;
        collector_.start(now);
        prompts_.clear();
        prompts_.add(asked_);
        last_activity_ = now;
    }
}

void Ivr::press(const KeyReport& report, Nanos now) {
    Entry entry;
    const bool while_asking = asking();
    guint entered = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!filter_.is_new(report, now)) {
            return;
        }
        if (while_asking) {
            begin_if_asked(now);
            if (collector_.active()) {
                prompts_.clear();  // barge-in
                notice_.clear();
            }
            entry = collector_.press(report.key, now);
            entered = static_cast<guint>(collector_.entered());
            last_activity_ = now;
        } else {
            prompts_.key_pressed();
        }
    }
    const char text[] = {report.key, '\0'};
    // A key of a PIN is a secret: while asking, the message tells only that one was pressed.
    post(while_asking ? gst_structure_new("vmr-digit", "asking", G_TYPE_BOOLEAN, TRUE, "entered", G_TYPE_UINT,
                                          entered, nullptr)
                      : gst_structure_new("vmr-digit", "asking", G_TYPE_BOOLEAN, FALSE, "digit",
                                          G_TYPE_STRING, text, nullptr));
    if (while_asking) {
        door_.wake();
    }
    act_on(entry);
}

void Ivr::act_on(const Entry& entry) {
    if (entry.kind == Entry::Kind::timed_out) {
        {
            const std::lock_guard lock(mutex_);
            prompts_.clear();
            prompts_.add("goodbye");
            notice_ = duplex::phrases_of(settings_.language).time_is_up;
        }
        door_.wake();
        post(gst_structure_new_empty("vmr-pin-timeout"));
    } else if (entry.kind == Entry::Kind::complete) {
        judge(entry.digits);
    }
}

// With PINs of its own it answers itself; else it tells the application, and waits.
void Ivr::judge(const std::string& digits) {
    const Settings settings = this->settings();
    if (settings.host_pin.empty() && settings.guest_pin.empty()) {
        std::string asked;
        {
            const std::lock_guard lock(mutex_);
            asked = asked_;
        }
        post(gst_structure_new("vmr-digits", "digits", G_TYPE_STRING, digits.c_str(), "prompt", G_TYPE_STRING,
                               asked.c_str(), nullptr));
        return;
    }
    const bool host = same_secret(settings.host_pin, digits), guest = same_secret(settings.guest_pin, digits);
    if (host || guest) {
        post(gst_structure_new("vmr-pin-accepted", "role", G_TYPE_STRING, host ? "host" : "guest", nullptr));
        accept();
        return;
    }
    unsigned left = 0;
    {
        const std::lock_guard lock(mutex_);
        left = kOwnAttempts - std::min(++own_refusals_, kOwnAttempts);
    }
    post(gst_structure_new("vmr-pin-refused", "attempts-left", G_TYPE_UINT, left, nullptr));
    reject(left);
}

void Ivr::fill_closed(duplex::Samples out) {
    std::fill(out.begin(), out.end(), std::int16_t{0});
    if (has_overlay()) {
        mix_overlay(out);
    }
}

bool Ivr::has_overlay() {
    {
        const std::lock_guard lock(mutex_);
        if (!prompts_.idle() || !std::exchange(play_unanswered_, false)) {
            return prompts_.playing();
        }
    }
    post(gst_structure_new_empty("vmr-prompts-played"));
    return false;
}

void Ivr::mix_overlay(duplex::Samples inout) {
    const std::lock_guard lock(mutex_);
    prompts_.mix(inout);
}

bool Ivr::hear_caller(duplex::ConstSamples samples, GstClockTime now) {
    for (const char key : detector_.hear(samples)) {
        press({key, KeySource::tone, std::nullopt, std::nullopt}, now);
    }
    return detector_.sounding();
}

// As GStreamer's own elements write them: number, type 1 (named event), start; an RTP timestamp if there is
// one.
bool Ivr::take_event(GstEvent* event) {
    const GstStructure* structure = gst_event_get_structure(event);
    if (structure == nullptr || !gst_structure_has_name(structure, "dtmf-event")) {
        return false;
    }
    gint number = -1;
    if (!gst_structure_get_int(structure, "number", &number) || key_of_event(number) == '\0') {
        return true;  // hook flash and the like
    }
    KeyReport report{key_of_event(number), KeySource::event, std::nullopt, std::nullopt};
    if (gboolean start = FALSE; gst_structure_get_boolean(structure, "start", &start)) {
        report.start = start != FALSE;
    }
    if (guint timestamp = 0; gst_structure_get_uint(structure, "timestamp", &timestamp)) {
        report.timestamp = timestamp;
    }
    press(report, door_.now());
    return true;
}

duplex::Card Ivr::card() {
    const std::lock_guard lock(mutex_);
    duplex::Card card;
    const duplex::Phrases& phrases = duplex::phrases_of(settings_.language);
    card.title = asked_ == "meeting-number" ? phrases.number_title : phrases.pin_title;
    card.detail = notice_.empty() ? phrases.press_hash : notice_;
    if (!begin_ && !collector_.active()) {
        card.title = phrases.not_let_in;
        return card;
    }
    card.entered = static_cast<int>(collector_.entered());
    card.places = static_cast<int>(std::min<std::size_t>(settings_.limits.max_digits, 6));
    return card;
}

// The recording, speech or a tone; null: speech that is still being made.
duplex::Sound Ivr::find_sound(const Prompt& prompt, const Settings& settings) {
    for (const std::string& language : {settings.language, prompt.language}) {
        if (duplex::Sound recording = load_recording(settings.prompts, language, prompt.name)) {
            return recording;
        }
    }
    Prompt spoken = prompt;
    if (spoken.text.empty()) {
        spoken.text = own_text(settings.language, prompt.name);
        spoken.language = duplex::phrases_of(settings.language).language;
    }
    if (!settings.speech || spoken.text.empty()) {
        return tone_for(prompt.name);
    }
    if (!speaking_ || speaking_->prompt != prompt) {
        speaking_ = Speaking{prompt, duplex::Speech::shared().say(spoken.language, spoken.text)};
    }
    if (speaking_->sound.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        return nullptr;
    }
    const duplex::Sound sound = speaking_->sound.get();
    speaking_.reset();
    return sound ? sound : tone_for(prompt.name);
}

// True: one is still being made.
bool Ivr::find_sounds() {
    for (std::size_t i = 0; i < PromptQueue::kMaxQueued; ++i) {
        std::optional<Prompt> prompt;
        Settings settings;
        {
            const std::lock_guard lock(mutex_);
            prompt = prompts_.wanted();
            settings = settings_;
        }
        if (!prompt) {
            return false;
        }
        const duplex::Sound sound = find_sound(*prompt, settings);
        if (!sound) {
            return true;
        }
        const std::lock_guard lock(mutex_);
        prompts_.loaded(*prompt, sound);
    }
    return false;
}

bool Ivr::has_jobs() {
    const std::lock_guard lock(mutex_);
    return prompts_.wanted().has_value();
}

std::optional<GstClockTime> Ivr::tick(GstClockTime now) {
    Entry entry;
    std::optional<Nanos> deadline;
    if (asking()) {
        const std::lock_guard lock(mutex_);
        begin_if_asked(now);
        entry = collector_.tick(now);
        if (!prompts_.idle()) {
            last_activity_ = now;
        } else if (collector_.collecting() && collector_.entered() == 0 &&
                   now >= last_activity_ + kAskAgain) {
            prompts_.add(asked_);
        }
        deadline = collector_.next_deadline();
    }
    act_on(entry);
    if (find_sounds()) {
        deadline = std::min(deadline.value_or(now + kSpeechPoll), now + kSpeechPoll);
    }
    return deadline;
}

}  // namespace vmr::pin_ivr
