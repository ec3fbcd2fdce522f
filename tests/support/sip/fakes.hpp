// A bridge and a media session that only remember what they were told.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/leg.hpp"

namespace vmr::sip::test {

inline constexpr const char* kAnswer =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

class FakeMedia : public MediaSession {
public:
    SdpResult answer(std::string_view text) override {
        offers.emplace_back(text);
        if (problem) {
            return *problem;
        }
        return std::string(kAnswer) + answer_attributes;
    }
    SdpResult offer() override {
        ++offered;
        std::string text = kAnswer;
        if (peer.find(':') != std::string::npos) {
            constexpr std::string_view kLine = "c=IN IP4 127.0.0.1";
            text.replace(text.find(kLine), kLine.size(), "c=IN IP6 ::1");
        }
        return text;
    }
    SdpResult offer_anew() override {
        ++offered_anew;
        return offer();
    }
    SdpResult accept_answer(std::string_view text) override {
        answers.emplace_back(text);
        on_answer_taken();
        if (problem) {
            return *problem;
        }
        return std::string();
    }
    void discard_offer() override { ++discarded; }
    void send_keyframe() override { ++keyframes; }
    void set_callbacks(Callbacks given) override { callbacks = std::move(given); }
    void set_signalling(const std::string& text) override { signalling = text; }
    void set_peer_address(const std::string& address) override { peer = address; }

    std::string answer_attributes;
    std::vector<std::string> offers, answers;
    int offered = 0, offered_anew = 0, discarded = 0, keyframes = 0;
    std::string signalling, peer;
    std::optional<MediaProblem> problem;
    Callbacks callbacks;
    std::function<void()> on_answer_taken = [] {};
};

// Thread-safe: calls come on the control thread, the test looks from its own.
class FakeObserver : public LegObserver {
public:
    struct Record {
        std::shared_ptr<Leg> leg;
        Arrival arrival;
        std::shared_ptr<FakeMedia> media;
        bool answered = false;
        std::string keys;
        std::optional<EndCause> ended;
        std::string progress;  // "ringing ", "early_media " as they come
        TurnDown turned_down;
        std::shared_ptr<void> receipt;
    };
    // What to do with an arriving leg; the default accepts.
    std::function<void(Leg&)> on_arrival = [](Leg& leg) { leg.accept(); };
    std::optional<MediaProblem> problem;
    std::string answer_attributes;  // SDP lines behind the answer's m-line
    bool keep_receipts = false;
    bool known = true;  // false: no such alias
    std::string only;   // the one alias that is known; empty: all are

    std::shared_ptr<MediaSession> on_leg_arrived(std::shared_ptr<Leg> leg, const Arrival& arrival) override {
        if (!known || (!only.empty() && arrival.alias != only)) {
            return nullptr;
        }
        const auto media = new_media();
        media->answer_attributes = answer_attributes;
        {
            const std::lock_guard lock(mutex_);
            Record& record = records_[arrival.leg];
            record.leg = leg;
            record.arrival = arrival;
            record.media = media;
            order_.push_back(arrival.leg);
        }
        changed_.notify_all();
        on_arrival(*leg);
        return media;
    }
    // A call of ours: its arrival is made up of what is told here.
    std::shared_ptr<MediaSession> on_leg_routed(const std::string& leg, const std::string& address,
                                                const std::string& signalling) override {
        const auto media = new_media();
        {
            const std::lock_guard lock(mutex_);
            Record& record = records_[leg];
            record.media = media;
            record.arrival.remote_address = address;
            record.arrival.signalling = signalling;
            order_.push_back(leg);
        }
        changed_.notify_all();
        return media;
    }
    void on_leg_progressed(const std::string& leg, LegProgress progress) override {
        change(leg, [progress](Record& record) {
            record.progress += progress == LegProgress::ringing ? "ringing " : "early_media ";
        });
    }
    void on_leg_turned_down(const std::string& leg, const TurnDown& why) override {
        {
            const std::lock_guard lock(mutex_);
            if (!records_.contains(leg)) {
                order_.push_back(leg);  // it had no way
            }
        }
        change(leg, [&why](Record& record) { record.turned_down = why; });
    }
    void on_leg_refused(const Arrival&, EndCause cause) override {
        {
            const std::lock_guard lock(mutex_);
            refused_.push_back(cause);
        }
        changed_.notify_all();
    }
    // Those turned away before they became legs.
    std::vector<EndCause> refused() {
        const std::lock_guard lock(mutex_);
        return refused_;
    }
    void on_leg_answered(const std::string& leg) override {
        change(leg, [](Record& record) { record.answered = true; });
    }
    void on_leg_key(const std::string& leg, char key) override {
        change(leg, [key](Record& record) { record.keys += key; });
    }
    // A REFER of a leg: taken where `refers`, and kept.
    bool on_leg_referred(const std::string&, Referral referral) override {
        {
            const std::lock_guard lock(mutex_);
            referrals_.push_back(std::move(referral));
        }
        changed_.notify_all();
        return refers;
    }
    bool refers = true;
    std::vector<Referral> referrals() {
        const std::lock_guard lock(mutex_);
        return referrals_;
    }
    // What a leg said; told as `said` has it.
    SayResult on_leg_said(const std::string&, const std::string& text, bool is_protected) override {
        {
            const std::lock_guard lock(mutex_);
            texts_.push_back((is_protected ? "protected " : "") + text);
        }
        changed_.notify_all();
        return said;
    }
    SayResult said = SayResult::said;
    std::vector<std::string> texts() {
        const std::lock_guard lock(mutex_);
        return texts_;
    }
    std::shared_ptr<const Conference> conference_of(const std::string&) override { return conference; }
    std::shared_ptr<const Conference> conference;  // set on the control thread
    void on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt) override {
        change(leg, [&](Record& record) {
            record.ended = cause;
            record.receipt = keep_receipts ? std::move(receipt) : nullptr;
        });
    }

    // The latest leg once `ready` holds for it; nothing after 30 s.
    std::optional<Record> wait(const std::function<bool(const Record&)>& ready = [](const Record&) {
        return true;
    }) {
        std::unique_lock lock(mutex_);
        const auto done = [&] { return !order_.empty() && ready(records_[order_.back()]); };
        if (!changed_.wait_for(lock, std::chrono::seconds(30), done)) {
            return std::nullopt;
        }
        return records_[order_.back()];
    }
    std::size_t arrivals() {
        const std::lock_guard lock(mutex_);
        return order_.size();
    }
    std::size_t ended() {
        const std::lock_guard lock(mutex_);
        std::size_t count = 0;
        for (const auto& [id, record] : records_) {
            count += record.ended ? 1 : 0;
        }
        return count;
    }
    void release_receipts() {
        const std::lock_guard lock(mutex_);
        for (auto& [id, record] : records_) {
            record.receipt.reset();
        }
    }

    // As if nothing had come.
    void forget() {
        const std::lock_guard lock(mutex_);
        records_.clear();
        order_.clear();
        refused_.clear();
    }

private:
    std::shared_ptr<FakeMedia> new_media() {
        auto media = std::make_shared<FakeMedia>();
        media->problem = problem;
        media->on_answer_taken = [this] {
            { const std::lock_guard lock(mutex_); }  // who waits has looked, or looks at what is there now
            changed_.notify_all();
        };
        return media;
    }
    void change(const std::string& leg, const std::function<void(Record&)>& what) {
        {
            const std::lock_guard lock(mutex_);
            what(records_[leg]);
        }
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Record> records_;
    std::vector<std::string> order_;
    std::vector<EndCause> refused_;
    std::vector<Referral> referrals_;
    std::vector<std::string> texts_;
};

}  // namespace vmr::sip::test
