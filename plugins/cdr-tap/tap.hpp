// What cdr-tap does, apart from its GObject shell.
#pragma once
#include <gst/gst.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "base/gst_ptr.hpp"
#include "plugins/cdr-tap/report.hpp"
#include "plugins/cdr-tap/rtp_stats.hpp"

namespace vmr::cdr_tap {

// Owned by the element; `element` outlives it. `mutex_` guards the counts, `file_mutex_` the file: neither is
// held while the other is taken, nor while a buffer is pushed or a message posted.
class Tap {
public:
    Tap(GstElement* element, GstPad* sink, GstPad* src) : element_(element), sink_(sink), src_(src) {}
    ~Tap() { stop_timer(); }

    GstFlowReturn chain(GstBuffer* buffer);
    GstFlowReturn chain_list(GstBufferList* list);
    bool sink_event(GstEvent* event);

    bool start();        // READY → PAUSED: counts from zero, opens the file
    void start_timer();  // PAUSED → PLAYING
    void stop_timer();   // PLAYING → PAUSED
    void finish();       // PAUSED → READY: the final report, if EOS did not give it
    void report_now(bool final);

    StructurePtr stats();
    void set_location(const char* location);
    std::string location();
    void set_interval(GstClockTime interval);
    GstClockTime interval();

private:
    void count(GstBuffer* buffer);
    void count_packet(GstBuffer* buffer, std::uint64_t arrival);
    bool count_by_header(GstBuffer* buffer, std::uint64_t arrival);
    void count_rtp(const RtpHeader& header, std::size_t size, std::uint64_t arrival);
    void count_plain(GstBuffer* buffer);
    void read_caps(const GstCaps* caps);
    std::uint64_t arrival_of(GstBuffer* buffer);
    Report make_report(bool final);
    bool write_line(const std::string& line, bool durable);

    GstElement* element_;
    GstPad* sink_;
    GstPad* src_;

    std::mutex mutex_;
    std::string media_type_;
    enum class Kind { other, rtp, rtcp, ciphered } kind_ = Kind::other;
    PayloadFormat format_;
    TapStats packets_;
    RateMeter rate_;
    std::uint64_t buffers_ = 0, bytes_ = 0, gaps_ = 0;
    std::uint64_t first_ = 0, last_ = 0;  // monotonic, ns
    GstClockTime next_pts_ = GST_CLOCK_TIME_NONE;
    bool finished_ = true;
    std::string location_;
    GstClockTime interval_ = 10 * GST_SECOND;
    GstClockID timer_ = nullptr;

    struct FileClose {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::mutex file_mutex_;
    std::unique_ptr<std::FILE, FileClose> file_;
};

StructurePtr to_structure(const Report& report, const char* name);

}  // namespace vmr::cdr_tap
