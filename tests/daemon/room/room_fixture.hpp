// A room with a made-up clock, and what its commands amount to.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/room/room.hpp"

namespace vmr::room {

using namespace std::chrono_literals;

inline RoomConfig pins_and_guests() {
    RoomConfig config;
    config.id = "r1";
    config.title = "Room";
    config.guests_allowed = true;
    config.host_pin_length = 6;
    config.can_record = true;
    config.can_dial_out = true;
    return config;
}

inline CryptoReceipt strong() {
    return {"TLSv1.3", "DTLS-SRTP", "AEAD_AES_256_GCM", 256};
}

class RoomTest : public ::testing::Test {
protected:
    void use(RoomConfig config) {
        throttle = std::make_shared<PinThrottle>();
        room = std::make_unique<Room>(std::move(config), throttle);
        all.clear();
    }
    void SetUp() override { use(pins_and_guests()); }

    const Commands& send(const Event& event) {
        last = room->handle(event, now);
        all.insert(all.end(), last.begin(), last.end());
        return last;
    }
    // Time passes, with a Tick at each deadline as the bridge would send it.
    void pass(Duration time) {
        const TimePoint until = now + time;
        Commands seen;
        for (int ticks = 0; ticks < 100'000; ++ticks) {
            const auto at = room->next_deadline();
            if (!at || *at > until) {
                break;
            }
            now = std::max(now, *at);
            send(Tick{});
            seen.insert(seen.end(), last.begin(), last.end());
        }
        now = until;
        send(Tick{});
        last.insert(last.begin(), seen.begin(), seen.end());
    }

    void arrive(const std::string& id, LegKind leg = LegKind::webrtc,
                const std::string& address = "192.0.2.1", bool trusted = false) {
        Arrived arrived;
        arrived.id = id;
        arrived.name = "Name " + id;
        arrived.leg = leg;
        arrived.address = address;
        arrived.trusted_host = trusted;
        send(arrived);
    }
    void come(const std::string& id, LegKind leg = LegKind::webrtc, CryptoReceipt receipt = strong()) {
        arrive(id, leg);
        send(MediaUp{id, receipt});
    }
    // Types an entry and lets the "worker" answer. What comes after an AcceptPin is in `last`.
    void enter_pin(const std::string& id, PinMatch match, const std::string& digits = "123456") {
        send(Digits{id, digits});
        if (const auto* verify = get<VerifyPin>()) {
            send(PinVerified{id, verify->ticket, match});
        }
    }
    void host(const std::string& id, LegKind leg = LegKind::webrtc) {
        come(id, leg);
        enter_pin(id, PinMatch::host);
    }
    void guest(const std::string& id, LegKind leg = LegKind::webrtc) {
        come(id, leg);
        send(Digits{id, ""});
    }
    Outcome act(const Actor& actor, ActionKind kind) {
        send(Action{actor, std::move(kind), 7});
        const auto* done = get<ActionDone>();
        EXPECT_NE(done, nullptr);
        return done != nullptr ? done->outcome : Outcome::invalid;
    }
    Outcome act(const std::string& by, ActionKind kind) { return act(Actor::of(by), std::move(kind)); }
    void keys(const std::string& id, const std::string& pressed) {
        Commands seen;
        for (const char key : pressed) {
            send(Key{id, key});
            seen.insert(seen.end(), last.begin(), last.end());
        }
        last = seen;
    }

    State state(const std::string& id) const {
        const Participant* p = room->find(id);
        return p != nullptr ? p->state : State::left;
    }
    LobbyReason reason(const std::string& id) const {
        const Participant* p = room->find(id);
        return p != nullptr ? p->lobby_reason : LobbyReason::none;
    }
    Role role(const std::string& id) const { return room->find(id)->role; }
    bool here(const std::string& id) const { return room->find(id) != nullptr; }

    template <typename C>
    const C* get(const std::string& id = "") const {
        const C* found = nullptr;
        for (const Command& command : last) {
            if (const auto* one = std::get_if<C>(&command)) {
                if constexpr (requires { one->id; }) {
                    if (!id.empty() && one->id != id) {
                        continue;
                    }
                }
                found = one;
            }
        }
        return found;
    }
    template <typename C>
    std::size_t count_in(const Commands& commands) const {
        return static_cast<std::size_t>(
            std::count_if(commands.begin(), commands.end(),
                          [](const Command& command) { return std::holds_alternative<C>(command); }));
    }
    const Announce* said(Prompt prompt, const std::string& to = "") const {
        for (const Command& command : last) {
            const auto* one = std::get_if<Announce>(&command);
            if (one != nullptr && one->prompt == prompt && (to.empty() || one->id == to)) {
                return one;
            }
        }
        return nullptr;
    }
    const RecordDraft* record(const std::string& id) const {
        for (const Command& command : all) {
            const auto* one = std::get_if<WriteRecord>(&command);
            if (one != nullptr && one->record.participant == id) {
                return &one->record;
            }
        }
        return nullptr;
    }
    bool audited(const std::string& what, const std::string& result) const {
        return std::any_of(all.begin(), all.end(), [&](const Command& command) {
            const auto* one = std::get_if<Audit>(&command);
            return one != nullptr && one->what == what && one->result == result;
        });
    }

    TimePoint now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    std::shared_ptr<PinThrottle> throttle;
    std::unique_ptr<Room> room;
    Commands last;
    Commands all;
};

}  // namespace vmr::room
