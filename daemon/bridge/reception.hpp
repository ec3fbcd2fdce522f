// The virtual reception: a caller who dialled a number without a room is asked for the meeting number, and
// then moves, media and all, to that room's door. Control thread only.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/bridge/kept_pipeline.hpp"
#include "daemon/bridge/seat.hpp"
#include "daemon/bridge/services.hpp"

namespace vmr::bridge {

class Reception final : public media::RoomPipelineObserver {
public:
    // Takes the caller if `number` is a meeting's; false: there is none.
    using Transfer = std::function<bool(const std::string& number, std::shared_ptr<Leg> leg,
                                        std::shared_ptr<media::Session> session, const Arrival& arrival)>;
    Reception(Services& services, Transfer transfer) : services_(services), transfer_(std::move(transfer)) {}
    ~Reception() override;

    void arrive(std::shared_ptr<Leg> leg, std::shared_ptr<media::Session> session, const Arrival& arrival);
    void on_leg_ended(const std::string& leg, EndCause cause, std::shared_ptr<void> receipt);
    void on_key(const std::string& leg, char key);
    bool has_leg(const std::string& leg) const { return callers_.contains(leg); }
    bool is_empty() const { return callers_.empty(); }
    void end_all(EndCause cause);
    void tick() { pipeline_.tick(!callers_.empty()); }  // each second

    void on_talking_changed(const std::vector<std::string>&) override {}
    void on_digits_entered(const std::string& leg, const std::string& digits) override;
    void on_key_pressed(const std::string&, char) override {}
    void on_pin_timed_out(const std::string& leg) override;
    void on_leg_failed(const std::string& leg, const std::string& text) override;
    void on_room_failed(const std::string& text) override;

private:
    struct Caller {
        Seat seat;
        unsigned attempts = 0;
    };
    void release(const std::string& leg, EndCause cause);

    Services& services_;
    Transfer transfer_;
    KeptPipeline pipeline_;
    std::map<std::string, Caller> callers_;
};

}  // namespace vmr::bridge
