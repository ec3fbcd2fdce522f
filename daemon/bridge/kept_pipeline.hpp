// A room's pipeline: made for its first leg, kept for a while after the last one (who fell out comes back),
// then let go with its threads; one that failed is not used again. Control thread.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "daemon/bridge/services.hpp"
#include "daemon/media/room_pipeline.hpp"

namespace vmr::bridge {

// Null, and told in the log: it does not start.
std::unique_ptr<media::RoomPipeline> new_pipeline(const Services& services, const std::string& name,
                                                  media::RoomPipelineObserver& observer);

class KeptPipeline {
public:
    // True: it is there for one leg more. `others`: there are legs beside that one.
    template <typename Make>
    bool ensure(bool others, Make&& make) {
        if (broken_ && others) {
            return false;  // they are being sent away
        }
        if (broken_) {
            drop();
        }
        if (!pipeline_) {
            pipeline_ = std::forward<Make>(make)();
        }
        idle_seconds_ = 0;
        return pipeline_ != nullptr;
    }
    // It failed; it may be in the middle of saying so.
    void give_up() { broken_ = true; }
    // Each second.
    void tick(bool used) {
        idle_seconds_ = used ? 0 : idle_seconds_ + 1;
        if (!used && (broken_ || idle_seconds_ >= kKeptSeconds)) {
            drop();
        }
    }
    explicit operator bool() const { return pipeline_ != nullptr; }
    media::RoomPipeline* operator->() const { return pipeline_.get(); }

private:
    static constexpr unsigned kKeptSeconds = 30;

    void drop() {
        pipeline_.reset();
        broken_ = false;
        idle_seconds_ = 0;
    }

    std::unique_ptr<media::RoomPipeline> pipeline_;
    bool broken_ = false;
    unsigned idle_seconds_ = 0;
};

}  // namespace vmr::bridge
