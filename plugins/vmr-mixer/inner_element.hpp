// One of GStreamer's encoders or decoders as a private child: a buffer in, what it makes of it out.
#pragma once
#include <gst/gst.h>
#include <gst/video/video.h>

#include <optional>
#include <vector>

#include "base/gst_ptr.hpp"

namespace vmr::mixer {

// Of one thread at a time. For elements that answer on the thread that pushes.
class InnerElement {
public:
    explicit InnerElement(ElementPtr element) : element_(std::move(element)) {}
    ~InnerElement();
    InnerElement(const InnerElement&) = delete;
    InnerElement& operator=(const InnerElement&) = delete;

    // `out_caps`: what may come out of it.
    bool open(GstCaps* in_caps, GstCaps* out_caps);
    // False: it failed and is of no more use.
    bool push(BufferPtr buffer);
    void push_event(GstEvent* event);
    // What came out since the last call.
    std::vector<BufferPtr> take();
    // The format of what comes out, where that is raw video.
    const std::optional<GstVideoInfo>& out_format() const { return out_format_; }
    GstElement* get() const { return element_.get(); }

private:
    static GstFlowReturn on_buffer_made(GstPad* pad, GstObject* parent, GstBuffer* buffer);
    static gboolean on_event_sent(GstPad* pad, GstObject* parent, GstEvent* event);
    static gboolean on_query_sent(GstPad* pad, GstObject* parent, GstQuery* query);

    ElementPtr element_;
    PadPtr in_;   // pushes into the element
    PadPtr out_;  // takes what it makes
    std::vector<BufferPtr> made_;
    std::optional<GstVideoInfo> out_format_;
};

}  // namespace vmr::mixer
