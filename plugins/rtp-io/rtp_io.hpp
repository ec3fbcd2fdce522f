// One vmr-rtp-io: its legs, and which workers serve them.
#pragma once
#include <gst/gst.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "leg.hpp"
#include "spares.hpp"
#include "worker_pool.hpp"

namespace vmr::rtp_io {

class RtpIo {
public:
    static constexpr unsigned kMostLegs = 4096;
    // A room's legs share one worker, and so its caches and wake-ups, up to this many.
    static constexpr std::size_t kLegsTogether = 128;
    static constexpr unsigned kDrainBatches = 2;  // of a leg, in one tick

    explicit RtpIo(GstElement* element) : element_(element) {}

    // Properties.
    std::string local_address() const;
    void set_local_address(const char* address);
    std::atomic<unsigned> workers = 0;
    StructurePtr stats() const;

    // The C vfuncs of the element, in C++.
    GstPad* request_pad(GstPadTemplate* templ, const char* name);
    void release_pad(GstPad* pad);
    Status open();
    void close();
    void prepare();  // before PAUSED
    void play();
    void pause();
    Status rebind(const std::shared_ptr<Leg>& leg);

    // Callbacks of the pads.
    bool on_sink_event_received(GstPad* pad, GstEvent* event);
    bool on_src_event_received(GstPad* pad, GstEvent* event);
    bool on_src_query_received(GstPad* pad, GstQuery* query);
    bool on_sink_query_received(GstPad* pad, GstQuery* query);

private:
    struct Seat {
        std::shared_ptr<Leg> leg;
        unsigned pads = 0;
    };

    unsigned free_index(const char* templ_name) const;
    Result<std::shared_ptr<Leg>> take_seat(unsigned index);
    void leave_seat(const std::shared_ptr<Leg>& leg);
    Status attach(const std::shared_ptr<Leg>& leg);
    void detach(const std::shared_ptr<Leg>& leg);
    Worker& worker_for_next();
    void count_sinks(int change);
    void set_ended(GstPad* pad, bool ended);
    void drain(const std::shared_ptr<Leg>& leg);

    GstElement* element_;  // owns this
    const std::shared_ptr<RoomClock> clock_ = std::make_shared<RoomClock>();
    const std::shared_ptr<Spares<ReceiveBatch>> receive_batches_ = Spares<ReceiveBatch>::shared();

    mutable std::mutex lock_;  // taken before the pool's, a worker's or a leg's; nothing is pushed under it
    std::string local_address_ = "0.0.0.0";
    std::map<unsigned, Seat> seats_;
    std::shared_ptr<WorkerPool> pool_;  // READY and above
    Worker* home_ = nullptr;            // where the first legs are
    std::size_t at_home_ = 0;           // legs
    int sinks_ = 0;                     // RTP sink pads
    int ended_ = 0;                     // of them, those that had EOS
};

}  // namespace vmr::rtp_io
