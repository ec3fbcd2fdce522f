#include "daemon/media/floor.hpp"

#include <sys/random.h>

#include <algorithm>

#include "base/guard.hpp"

namespace vmr::media {
namespace {

std::int64_t now_ms() {
    return g_get_monotonic_time() / 1000;
}

}  // namespace

Floor::Floor(const sdp::FloorPlan& plan, const FloorPathParams& params, FloorCallbacks callbacks)
    : tcp_(plan.tcp),
      passive_(plan.passive),
      params_(params),
      callbacks_(std::move(callbacks)),
      server_(*this, params.conference, params.user, plan.tcp) {}

Floor::~Floor() {
    if (timer_ != 0) {
        g_source_remove(timer_);
    }
}

Result<std::unique_ptr<Floor>> Floor::open(const sdp::FloorPlan& plan, FloorPathParams params,
                                           FloorCallbacks callbacks) {
    if (getrandom(&params.conference, sizeof params.conference, 0) != sizeof params.conference) {
        return Error{"no random numbers"};
    }
    params.conference >>= 1;  // some peers read it as signed
    params.user = 1;
    std::unique_ptr<Floor> floor(new Floor(plan, params, std::move(callbacks)));
    auto receive = [self = floor.get()](std::string_view message) {
        self->server_.receive(message, now_ms());
        self->arm();
    };
    auto path = plan.tcp ? open_tcp_floor_path(params, plan.passive, std::move(receive))
                         : open_udp_floor_path(params, std::move(receive));
    if (!path) {
        return Error{path.error()};
    }
    floor->path_ = std::move(*path);
    floor->set_remote(plan);
    return floor;
}

sdp::LocalFloor Floor::local(const std::string& address) const {
    return {address,      path_->port(),       params_.conference,
            params_.user, bfcp::kContentFloor, path_->connected()};
}

void Floor::set_remote(const sdp::FloorPlan& plan) {
    if (plan.remote_port != 0) {
        path_->set_remote(plan.remote_address, plan.remote_port, plan.keeps_connection);
    }
}

void Floor::set_holder(FloorHolder holder) {
    server_.set_holder(holder, now_ms());
    arm();
}

void Floor::send(const std::string& bytes) {
    path_->send(bytes);
}

bool Floor::begin_sharing() {
    return callbacks_.begin_sharing && callbacks_.begin_sharing();
}

void Floor::end_sharing() {
    if (callbacks_.end_sharing) {
        callbacks_.end_sharing();
    }
}

void Floor::arm() {
    if (timer_ != 0) {
        g_source_remove(timer_);
        timer_ = 0;
    }
    if (const auto deadline = server_.next_deadline()) {
        timer_ = g_timeout_add(static_cast<guint>(std::max<std::int64_t>(*deadline - now_ms(), 0)),
                               on_deadline, this);
    }
}

gboolean Floor::on_deadline(gpointer data) {
    auto* self = static_cast<Floor*>(data);
    self->timer_ = 0;
    guard(nullptr, [self] {
        self->server_.tick(now_ms());
        self->arm();
    });
    return G_SOURCE_REMOVE;
}

}  // namespace vmr::media
