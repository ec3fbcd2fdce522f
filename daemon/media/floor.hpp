// Floor control (BFCP) of one session: its path, its server, its timer. Control thread only.
#pragma once
#include <glib.h>

#include <functional>
#include <memory>

#include "daemon/bfcp/floor_server.hpp"
#include "daemon/media/floor_path.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace vmr::media {

using FloorHolder = bfcp::FloorServer::Holder;

struct FloorCallbacks {
    std::function<bool()> begin_sharing;  // false: may not
    std::function<void()> end_sharing;
};

class Floor final : public bfcp::FloorHost {
public:
    // `plan` without a remote port: we offer, and learn it from the answer.
    static Result<std::unique_ptr<Floor>> open(const sdp::FloorPlan& plan, FloorPathParams params,
                                               FloorCallbacks callbacks);
    ~Floor() override;
    Floor(const Floor&) = delete;
    Floor& operator=(const Floor&) = delete;

    sdp::LocalFloor local(const std::string& address) const;
    void set_remote(const sdp::FloorPlan& plan);
    bool carries(const sdp::FloorPlan& plan) const {
        return plan.tcp == tcp_ && (!tcp_ || plan.passive == passive_);
    }
    void set_holder(FloorHolder holder);
    bool granted() const { return server_.granted(); }

    // bfcp::FloorHost
    void send(const std::string& bytes) override;
    bool begin_sharing() override;
    void end_sharing() override;
    void on_client_lost() override {}  // it may come back

private:
    Floor(const sdp::FloorPlan& plan, const FloorPathParams& params, FloorCallbacks callbacks);
    void arm();
    static gboolean on_deadline(gpointer self);

    const bool tcp_, passive_;
    const FloorPathParams params_;
    const FloorCallbacks callbacks_;
    bfcp::FloorServer server_;
    std::unique_ptr<FloorPath> path_;
    unsigned timer_ = 0;
};

}  // namespace vmr::media
