#include "plugins/lobby-gate/gate.hpp"

#include <algorithm>

#include "plugins/duplex/phrases.hpp"
#include "plugins/lobby-gate/hold_music.hpp"

namespace vmr::lobby_gate {

namespace {

// The same for all gates of the process.
duplex::Sound generated_music() {
    static const duplex::Sound music =
        std::make_shared<const std::vector<std::int16_t>>(compose_hold_music());
    return music;
}

duplex::Card slate_for(const std::string& reason, const std::string& language) {
    const duplex::Phrases& phrases = duplex::phrases_of(language);
    const duplex::SlatePhrases& slate = reason == "awaiting-host" ? phrases.awaiting_host
                                        : reason == "locked"      ? phrases.locked
                                        : reason == "held"        ? phrases.held
                                                                  : phrases.connecting;
    return {slate.title, slate.detail};
}

}  // namespace

void Gate::set_open(bool open) {
    if (door_.is_open() == open) {
        return;
    }
    door_.set_open(open);
    announce();
}

void Gate::announce() {
    const std::string why = reason();
    gst_element_post_message(
        element_, gst_message_new_element(GST_OBJECT(element_),
                                          gst_structure_new("vmr-gate", "open", G_TYPE_BOOLEAN,
                                                            static_cast<gboolean>(door_.is_open()), "reason",
                                                            G_TYPE_STRING, why.c_str(), nullptr)));
}

void Gate::set_reason(std::string reason) {
    {
        const std::lock_guard lock(mutex_);
        if (reason_ == reason) {
            return;
        }
        reason_ = std::move(reason);
    }
    door_.wake();
    announce();
}
std::string Gate::reason() {
    const std::lock_guard lock(mutex_);
    return reason_;
}

void Gate::set_hold(std::string hold) {
    {
        const std::lock_guard lock(mutex_);
        hold_ = std::move(hold);
        music_ = nullptr;
        music_wanted_ = true;
        position_ = 0;
    }
    door_.wake();
}
std::string Gate::hold() {
    const std::lock_guard lock(mutex_);
    return hold_;
}

void Gate::set_slate(std::string text) {
    {
        const std::lock_guard lock(mutex_);
        slate_ = std::move(text);
    }
    door_.wake();
}
std::string Gate::slate() {
    const std::lock_guard lock(mutex_);
    return slate_;
}

void Gate::set_language(std::string language) {
    {
        const std::lock_guard lock(mutex_);
        language_ = std::move(language);
    }
    door_.wake();
}
std::string Gate::language() {
    const std::lock_guard lock(mutex_);
    return language_;
}

void Gate::fill_closed(duplex::Samples out) {
    const std::lock_guard lock(mutex_);
    if (!music_ || music_->empty()) {
        std::fill(out.begin(), out.end(), std::int16_t{0});
        return;
    }
    for (std::int16_t& sample : out) {
        sample = (*music_)[position_];
        position_ = (position_ + 1) % music_->size();
    }
}

duplex::Card Gate::card() {
    const std::lock_guard lock(mutex_);
    return slate_.empty() ? slate_for(reason_, language_) : duplex::Card{slate_, ""};
}

// Loads the music, here on the worker; until then the caller hears silence.
std::optional<GstClockTime> Gate::tick(GstClockTime) {
    std::string wanted;
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(music_wanted_, false)) {
            return std::nullopt;
        }
        wanted = hold_;
    }
    duplex::Sound music;
    if (wanted.empty()) {
        music = generated_music();
    } else if (wanted != "silent") {
        auto loaded = duplex::load_sound(wanted);
        if (!loaded) {
            GST_ELEMENT_WARNING(element_, RESOURCE, READ, ("cannot read the hold music"),
                                ("%s", loaded.error().c_str()));
        }
        music = loaded ? *loaded : generated_music();
    }
    const std::lock_guard lock(mutex_);
    if (hold_ == wanted) {
        music_ = std::move(music);
    }
    return std::nullopt;
}

}  // namespace vmr::lobby_gate
