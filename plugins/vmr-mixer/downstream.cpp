#include "downstream.hpp"

#include "caps.hpp"
#include "pads.hpp"

namespace vmr::mixer {
namespace {

constexpr GstClockTime kRetry = 200 * GST_MSECOND;

PushLane& lane_of(GstPad* pad) {
    return output(pad).lane;
}

}  // namespace

void push_now(GstPad* pad, BufferPtr buffer) {
    Output& state = output(pad);
    if (std::exchange(state.discont, false)) {
        // A copy of the header only; the bytes stay shared.
        buffer = BufferPtr::adopt(gst_buffer_make_writable(buffer.release()));
        GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    }
    const GstFlowReturn flow = gst_pad_push(pad, buffer.release());
    if (flow == GST_FLOW_OK) {
        return;
    }
    state.discont = true;
    if (flow == GST_FLOW_EOS || flow == GST_FLOW_ERROR) {
        state.finished = true;  // whoever refused has said so on the bus
    } else if (flow == GST_FLOW_NOT_NEGOTIATED) {
        const std::lock_guard held(state.lock);
        state.audio.reset();
        state.video.reset();
    }
}

const PushPool::Handler kDownstream{lane_of, negotiate, push_now};

bool ready_to_send(GstPad* src_pad, GstClockTime running_time, std::vector<PushPool::Job>& jobs) {
    if (gst_pad_is_linked(src_pad) == FALSE) {
        return false;
    }
    Output& state = output(src_pad);
    const bool asked = gst_pad_check_reconfigure(src_pad) != FALSE;
    {
        const std::lock_guard held(state.lock);
        if (asked) {
            state.audio.reset();
            state.video.reset();
            state.retry_at = 0;
        } else if (state.audio || state.video) {
            return !state.finished;
        }
    }
    if (running_time < state.retry_at) {
        return false;
    }
    state.retry_at = running_time + kRetry;
    jobs.push_back({PadPtr::ref(src_pad), nullptr});
    return false;
}

void renegotiate_all(const std::vector<PadPtr>& src_pads) {
    for (const PadPtr& pad : src_pads) {
        Output& state = output(pad.get());
        const std::lock_guard held(state.lock);
        state.audio.reset();
        state.video.reset();
        state.retry_at = 0;
        state.last_pts = 0;
        state.heard = {kNoMix, {}};
    }
}

}  // namespace vmr::mixer
