#include "rtp_io.hpp"

#include <charconv>
#include <cstring>
#include <vector>

#include "base/guard.hpp"
#include "pads.hpp"

namespace vmr::rtp_io {
namespace {

constexpr const char* kDrain = "vmr-drain";
constexpr const char* kNonBlocking = "vmr-non-blocking";

// The number at the end of "sink_7".
std::optional<unsigned> index_in(const char* name) {
    const char* digits = name == nullptr ? nullptr : std::strrchr(name, '_');
    if (digits == nullptr) {
        return std::nullopt;
    }
    unsigned index = 0;
    const char* end = digits + std::strlen(digits);
    const auto parsed = std::from_chars(digits + 1, end, index);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(index) : std::nullopt;
}

void answer(GstQuery* caps_query, const CapsPtr& wanted) {
    GstCaps* filter = nullptr;
    gst_query_parse_caps(caps_query, &filter);
    const CapsPtr caps =
        filter == nullptr
            ? wanted
            : CapsPtr::adopt(gst_caps_intersect_full(filter, wanted.get(), GST_CAPS_INTERSECT_FIRST));
    gst_query_set_caps_result(caps_query, caps.get());
}

bool is_rtp_sink(GstPad* pad) {
    return GST_PAD_IS_SINK(pad) && state_of(pad).kind == DatagramKind::rtp;
}

// Pads of the element, each with a reference.
std::vector<PadPtr> pads_of(GstElement* element) {
    std::vector<PadPtr> pads;
    GST_OBJECT_LOCK(element);
    for (GList* each = element->pads; each != nullptr; each = each->next) {
        pads.push_back(PadPtr::ref(GST_PAD(each->data)));
    }
    GST_OBJECT_UNLOCK(element);
    return pads;
}

}  // namespace

std::string RtpIo::local_address() const {
    const std::lock_guard held(lock_);
    return local_address_;
}

void RtpIo::set_local_address(const char* address) {
    const std::lock_guard held(lock_);
    local_address_ = address == nullptr ? "0.0.0.0" : address;
}

unsigned RtpIo::free_index(const char* templ_name) const {
    const std::string prefix(templ_name, std::strlen(templ_name) - 2);
    for (unsigned index = 0; index < kMostLegs; ++index) {
        const std::string name = prefix + std::to_string(index);
        if (!PadPtr::adopt(gst_element_get_static_pad(element_, name.c_str()))) {
            return index;
        }
    }
    return kMostLegs;
}

Result<std::shared_ptr<Leg>> RtpIo::take_seat(unsigned index) {
    const std::lock_guard held(lock_);
    auto seat = seats_.find(index);
    if (seat == seats_.end()) {
        if (seats_.size() >= kMostLegs) {
            return Error{"no more than " + std::to_string(kMostLegs) + " legs"};
        }
        auto leg = std::make_shared<Leg>(index, clock_);
        if (pool_) {
            if (const Status attached = attach(leg); !attached) {
                return Error{attached.error()};
            }
        }
        seat = seats_.emplace(index, Seat{std::move(leg), 0}).first;
    }
    ++seat->second.pads;
    return seat->second.leg;
}

void RtpIo::leave_seat(const std::shared_ptr<Leg>& leg) {
    const std::lock_guard held(lock_);
    const auto seat = seats_.find(leg->index());
    if (--seat->second.pads == 0) {
        detach(leg);
        seats_.erase(seat);
    }
}

Worker& RtpIo::worker_for_next() {
    return at_home_ < kLegsTogether ? *home_ : pool_->least_loaded();
}

Status RtpIo::attach(const std::shared_ptr<Leg>& leg) {
    const auto local = SocketAddress::from(local_address_, 0);
    if (!local) {
        return Error{"local-address is not an IP address: " + local_address_};
    }
    if (Status opened = leg->open(*local); !opened) {
        return opened;
    }
    Worker& worker = worker_for_next();
    worker.add(leg);
    leg->worker = &worker;
    at_home_ += &worker == home_ ? 1 : 0;
    return Ok{};
}

void RtpIo::detach(const std::shared_ptr<Leg>& leg) {
    if (Worker* worker = leg->worker.exchange(nullptr); worker != nullptr) {
        worker->remove(leg);
        at_home_ -= worker == home_ ? 1 : 0;
    }
    leg->close();
}

GstPad* RtpIo::request_pad(GstPadTemplate* templ, const char* name) {
    const char* templ_name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    const auto named = index_in(name);
    const unsigned index = named ? *named : free_index(templ_name);
    const GCharPtr full_name(g_strdup_printf(templ_name, index));
    if (PadPtr::adopt(gst_element_get_static_pad(element_, full_name.get()))) {
        return nullptr;
    }
    auto leg = take_seat(index);
    if (!leg) {
        GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ_WRITE, ("no socket for leg %u", index),
                          ("%s", leg.error().c_str()));
        return nullptr;
    }
    const DatagramKind kind =
        g_str_has_prefix(templ_name, "rtcp") != FALSE ? DatagramKind::rtcp : DatagramKind::rtp;
    GstPad* pad = new_pad(templ, full_name.get(), *leg, kind);
    attach_callbacks(pad);
    gst_pad_set_active(pad, TRUE);
    if (gst_element_add_pad(element_, pad) == FALSE) {
        leave_seat(*leg);
        return nullptr;
    }
    if (GST_PAD_IS_SRC(pad)) {
        (*leg)->set_pad(kind, pad);
    }
    if (is_rtp_sink(pad)) {
        count_sinks(1);
    }
    gst_child_proxy_child_added(GST_CHILD_PROXY(element_), G_OBJECT(pad), GST_PAD_NAME(pad));
    return pad;
}

// Nothing here waits for a push: a worker in the middle of one has references of its own.
void RtpIo::release_pad(GstPad* pad) {
    const PadPtr keep = PadPtr::ref(pad);
    const std::shared_ptr<Leg> leg = state_of(pad).leg;
    if (GST_PAD_IS_SRC(pad)) {
        leg->set_pad(state_of(pad).kind, nullptr);
    }
    gst_child_proxy_child_removed(GST_CHILD_PROXY(element_), G_OBJECT(pad), GST_PAD_NAME(pad));
    gst_pad_set_active(pad, FALSE);
    gst_element_remove_pad(element_, pad);
    leave_seat(leg);
    if (is_rtp_sink(pad)) {
        set_ended(pad, false);
        count_sinks(-1);
    }
}

// With sink pads the element also counts among the pipeline's sinks, whose EOS ends the pipeline.
void RtpIo::count_sinks(int change) {
    const std::lock_guard held(lock_);
    sinks_ += change;
    GST_OBJECT_LOCK(element_);
    if (sinks_ > 0) {
        GST_OBJECT_FLAG_SET(element_, GST_ELEMENT_FLAG_SINK);
    } else {
        GST_OBJECT_FLAG_UNSET(element_, GST_ELEMENT_FLAG_SINK);
    }
    GST_OBJECT_UNLOCK(element_);
}

void RtpIo::set_ended(GstPad* pad, bool ended) {
    if (!is_rtp_sink(pad)) {
        return;
    }
    {
        const std::lock_guard held(lock_);
        if (std::exchange(state_of(pad).ended, ended) != ended) {
            ended_ += ended ? 1 : -1;
        }
        if (!ended || ended_ < sinks_) {
            return;
        }
    }
    gst_element_post_message(element_, gst_message_new_eos(GST_OBJECT(element_)));
}

Status RtpIo::open() {
    const std::lock_guard held(lock_);
    pool_ = WorkerPool::acquire(workers);
    home_ = &pool_->least_loaded();
    at_home_ = 0;
    for (const auto& [index, seat] : seats_) {
        if (const Status attached = attach(seat.leg); !attached) {
            return Error{"leg " + std::to_string(index) + ": " + attached.error()};
        }
    }
    return Ok{};
}

void RtpIo::close() {
    // A pad may have been requested in READY, and active since: nobody may be in its chain function any more.
    for (const PadPtr& pad : pads_of(element_)) {
        gst_pad_set_active(pad.get(), FALSE);
    }
    std::shared_ptr<WorkerPool> pool;  // its threads end after the lock
    const std::lock_guard held(lock_);
    for (const auto& [index, seat] : seats_) {
        detach(seat.leg);
    }
    home_ = nullptr;
    at_home_ = 0;
    pool.swap(pool_);
}

Status RtpIo::rebind(const std::shared_ptr<Leg>& leg) {
    const std::lock_guard held(lock_);
    if (!pool_ || leg->worker == nullptr) {
        return Ok{};
    }
    const auto local = SocketAddress::from(local_address_, 0);
    Worker& worker = *leg->worker;
    worker.remove(leg);
    leg->close();
    if (Status opened = leg->open(*local); !opened) {
        return opened;
    }
    worker.add(leg);
    return Ok{};
}

void RtpIo::prepare() {
    const std::lock_guard held(lock_);
    for (const auto& [index, seat] : seats_) {
        seat.leg->forget_streams();
    }
    for (const PadPtr& pad : pads_of(element_)) {
        state_of(pad.get()).ended = false;
    }
    ended_ = 0;
}

void RtpIo::play() {
    const auto clock = GPtr<GstClock>::adopt(gst_element_get_clock(element_));
    clock_->start(clock, gst_element_get_base_time(element_));
}

void RtpIo::pause() {
    clock_->stop();
}

// What has come is pushed before this returns.
void RtpIo::drain(const std::shared_ptr<Leg>& leg) {
    if (!leg->left_to_others) {
        const std::lock_guard held(lock_);
        if (Worker* worker = leg->worker; worker != nullptr) {
            worker->leave_to_others(leg);
        }
    }
    leg->drained = true;
    const auto batch = receive_batches_->borrow();
    for (unsigned batches = 0; batches < kDrainBatches && leg->receive(*batch); ++batches) {
    }
}

// Nothing of the network is told to the encoders: RTCP, not queries, asks for keyframes and rates.
bool RtpIo::on_src_event_received(GstPad* pad, GstEvent* event) {
    const PadState& state = state_of(pad);
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_RECONFIGURE:
        case GST_EVENT_LATENCY:
            return true;
        case GST_EVENT_CUSTOM_UPSTREAM:
            if (state.kind == DatagramKind::rtp && gst_event_has_name(event, kDrain) != FALSE) {
                drain(state.leg);
                return true;
            }
            return false;
        default:
            return false;
    }
}

bool RtpIo::on_sink_event_received(GstPad* pad, GstEvent* event) {
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_STREAM_START:
        case GST_EVENT_FLUSH_STOP:
            set_ended(pad, false);
            return true;
        case GST_EVENT_EOS:
            set_ended(pad, true);
            return true;
        default:
            return true;
    }
}

bool RtpIo::on_src_query_received(GstPad* pad, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
        gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
        return true;
    }
    if (GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM) {
        return state_of(pad).kind == DatagramKind::rtp &&
               gst_structure_has_name(gst_query_get_structure(query), kDrain) != FALSE;
    }
    const CapsPtr wanted = state_of(pad).kind == DatagramKind::rtp ? state_of(pad).leg->caps() : CapsPtr();
    if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS || !wanted) {
        return gst_pad_query_default(pad, GST_OBJECT(element_), query) != FALSE;
    }
    answer(query, wanted);
    return true;
}

// A push never waits; who asks for that promise may push from a thread that must not.
bool RtpIo::on_sink_query_received(GstPad* pad, GstQuery* query) {
    const PadState& state = state_of(pad);
    const CapsPtr wanted = state.kind == DatagramKind::rtp ? state.leg->send_caps() : CapsPtr();
    switch (GST_QUERY_TYPE(query)) {
        case GST_QUERY_CUSTOM:
            return gst_structure_has_name(gst_query_get_structure(query), kNonBlocking) != FALSE;
        case GST_QUERY_CAPS:
            if (!wanted) {
                return gst_pad_query_default(pad, GST_OBJECT(element_), query) != FALSE;
            }
            answer(query, wanted);
            return true;
        case GST_QUERY_ACCEPT_CAPS: {
            if (!wanted) {
                return gst_pad_query_default(pad, GST_OBJECT(element_), query) != FALSE;
            }
            GstCaps* offered = nullptr;
            gst_query_parse_accept_caps(query, &offered);
            gst_query_set_accept_caps_result(query, gst_caps_can_intersect(offered, wanted.get()));
            return true;
        }
        default:  // nobody downstream of every src pad is asked
            return false;
    }
}

StructurePtr RtpIo::stats() const {
    const std::lock_guard held(lock_);
    WorkerCounts total;
    if (pool_) {
        pool_->sum(total);
    }
    return StructurePtr(gst_structure_new(
        "application/x-vmr-rtp-io-stats", "legs", G_TYPE_UINT, static_cast<guint>(seats_.size()), "workers",
        G_TYPE_UINT, pool_ ? pool_->size() : 0u, "wake-ups", G_TYPE_UINT64, total.wake_ups.load(), nullptr));
}

}  // namespace vmr::rtp_io
