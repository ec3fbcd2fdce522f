// What lobby-gate does, apart from its GObject shell.
#pragma once
#include <mutex>
#include <string>

#include "plugins/duplex/door.hpp"
#include "plugins/duplex/sound_file.hpp"

namespace vmr::lobby_gate {

// `mutex_` guards everything below it and is held neither during a push nor while calling the Door.
class Gate final : public duplex::Content {
public:
    explicit Gate(GstElement* element) : element_(element), door_(element, *this, "vmr-lobby") {}

    duplex::Door& door() { return door_; }
    void set_open(bool open);
    void set_reason(std::string reason);
    std::string reason();
    void set_hold(std::string hold);
    std::string hold();
    void set_slate(std::string text);
    std::string slate();
    void set_language(std::string language);
    std::string language();

    void fill_closed(duplex::Samples out) override;
    duplex::Card card() override;
    std::optional<GstClockTime> tick(GstClockTime now) override;

private:
    void announce();

    GstElement* element_;
    std::mutex mutex_;
    std::string reason_ = "awaiting-host";
    std::string hold_;   // empty: generated music; "silent"; else a file
    std::string slate_;  // empty: the text for the reason
    std::string language_ = "en";
    duplex::Sound music_;
    bool music_wanted_ = true;
    std::size_t position_ = 0;
    duplex::Door door_;  // last: its worker uses what is above
};

}  // namespace vmr::lobby_gate
