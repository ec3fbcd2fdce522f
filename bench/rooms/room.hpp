// A room that is measured: one pipeline, legs on UDP ports of loopback.
#pragma once
#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::bench {

struct RoomOptions {
    std::string engine = "vmr", codec = "opus", suite = "none", key;
    unsigned legs = 10, tick = 20, churn = 0, churn_rate = 50, churn_after = 5;
    std::vector<unsigned> load_ports;

    bool opus() const { return codec == "opus"; }
};

// What they hold back, and what they aim at.
struct JitterBuffers {
    double delay_ms = 0, target_ms = 0;
};

class Room {
public:
    virtual ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    GstElement* pipeline() const { return pipeline_.get(); }
    virtual void start();

    virtual void add(unsigned leg) = 0;
    virtual void remove(unsigned leg) = 0;
    virtual unsigned port(unsigned leg) = 0;  // that the leg listens on
    // Means over the legs; empty: not known.
    virtual std::optional<JitterBuffers> jitter_buffers() { return {}; }

protected:
    explicit Room(const RoomOptions& options);

    GstElement* make(const char* factory);
    // A bin with ghost pads, in the pipeline.
    GstElement* make_bin(const std::string& description);
    unsigned load_port(unsigned leg) const { return options_.load_ports[leg % options_.load_ports.size()]; }

    const RoomOptions options_;

private:
    const ElementPtr pipeline_;
};

using RoomPtr = std::unique_ptr<Room>;
RoomPtr make_vmr_room(const RoomOptions& options);
RoomPtr make_audiomixer_room(const RoomOptions& options);

}  // namespace vmr::bench
