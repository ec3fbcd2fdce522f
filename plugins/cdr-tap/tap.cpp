#include "plugins/cdr-tap/tap.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/guard.hpp"

namespace vmr::cdr_tap {

namespace {

std::uint64_t monotonic_ns() {
    return static_cast<std::uint64_t>(g_get_monotonic_time()) * 1000;
}

// RFC 3550 section 4: seconds since 1900 in the upper half, fractions in the lower.
std::uint64_t ntp_now() {
    const auto us = static_cast<std::uint64_t>(g_get_real_time());
    const std::uint64_t seconds = us / 1'000'000 + 2'208'988'800ULL;
    return seconds << 32 | (us % 1'000'000 << 32) / 1'000'000;
}

// The clock keeps an unscheduled entry until its turn comes: it must not keep the element alive as well.
GWeakRef* new_weak_ref(GstElement* element) {
    auto* weak = g_new0(GWeakRef, 1);
    g_weak_ref_init(weak, element);
    return weak;
}
void free_weak_ref(gpointer data) {
    g_weak_ref_clear(static_cast<GWeakRef*>(data));
    g_free(data);
}

gboolean on_interval_passed(GstClock*, GstClockTime, GstClockID, gpointer data) {
    auto* element = static_cast<GstElement*>(g_weak_ref_get(static_cast<GWeakRef*>(data)));
    if (element == nullptr) {
        return FALSE;
    }
    // The clock's thread serves everyone: the report, which may write a file, is made elsewhere.
    gst_element_call_async(
        element, [](GstElement* self, gpointer) { g_signal_emit_by_name(self, "report"); }, nullptr, nullptr);
    gst_object_unref(element);
    return TRUE;
}

}  // namespace

GstFlowReturn Tap::chain(GstBuffer* buffer) {
    guard(element_, [&] { count(buffer); });
    return gst_pad_push(src_, buffer);
}

GstFlowReturn Tap::chain_list(GstBufferList* list) {
    guard(element_, [&] {
        for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
            count(gst_buffer_list_get(list, i));
        }
    });
    return gst_pad_push_list(src_, list);
}

bool Tap::sink_event(GstEvent* event) {
    switch (GST_EVENT_TYPE(event)) {
        case GST_EVENT_CAPS: {
            GstCaps* caps = nullptr;
            gst_event_parse_caps(event, &caps);
            read_caps(caps);
            break;
        }
        case GST_EVENT_GAP: {
            const std::lock_guard lock(mutex_);
            ++gaps_;
            break;
        }
        case GST_EVENT_EOS:
            report_now(true);
            break;
        default:
            break;
    }
    return gst_pad_event_default(sink_, GST_OBJECT(element_), event) != FALSE;
}

void Tap::read_caps(const GstCaps* caps) {
    const std::lock_guard lock(mutex_);
    const GstStructure* media = gst_caps_get_structure(caps, 0);
    media_type_ = gst_structure_get_name(media);
    if (media_type_ == "application/x-rtp" || media_type_ == "application/x-srtp") {
        kind_ = Kind::rtp;
    } else if (media_type_ == "application/x-rtcp") {
        kind_ = Kind::rtcp;
    } else {
        kind_ = media_type_ == "application/x-srtcp" ? Kind::ciphered : Kind::other;
    }
    format_ = {};
    if (const char* name = gst_structure_get_string(media, "encoding-name")) {
        format_.codec = name;
    }
    if (gint rate = 0; gst_structure_get_int(media, "clock-rate", &rate) && rate > 0) {
        format_.clock_rate = static_cast<std::uint32_t>(rate);
    }
}

// Network sources stamp a buffer when it arrives; where nobody did, it arrives now.
std::uint64_t Tap::arrival_of(GstBuffer* buffer) {
    const GstClockTime stamp = GST_BUFFER_DTS_OR_PTS(buffer);
    return GST_CLOCK_TIME_IS_VALID(stamp) ? stamp : monotonic_ns();
}

void Tap::count(GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = monotonic_ns();
    const gsize size = gst_buffer_get_size(buffer);
    first_ = buffers_ == 0 ? now : first_;
    last_ = now;
    ++buffers_;
    bytes_ += size;
    rate_.add(size, now);
    if (kind_ == Kind::other) {
        count_plain(buffer);
    } else if (kind_ != Kind::ciphered) {
        count_packet(buffer, arrival_of(buffer));
    }
}

void Tap::count_plain(GstBuffer* buffer) {
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    const GstClockTime duration = GST_BUFFER_DURATION(buffer);
    const bool late =
        GST_CLOCK_TIME_IS_VALID(next_pts_) && GST_CLOCK_TIME_IS_VALID(pts) &&
        pts > next_pts_ +
                  std::max<GstClockTime>(GST_CLOCK_TIME_IS_VALID(duration) ? duration / 2 : 0, GST_MSECOND);
    if (late) {
        ++gaps_;
    }
    next_pts_ = GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(duration) ? pts + duration
                                                                                  : GST_CLOCK_TIME_NONE;
}

void Tap::count_rtp(const RtpHeader& header, std::size_t size, std::uint64_t arrival) {
    const bool known = format_.clock_rate != 0;
    packets_.add_rtp(header, size, arrival, known ? format_ : static_format(header.payload_type));
}

// A header before a payload that others share is a memory of its own; to map both would copy them.
bool Tap::count_by_header(GstBuffer* buffer, std::uint64_t arrival) {
    GstMapInfo map;
    if (kind_ != Kind::rtp || gst_buffer_n_memory(buffer) < 2 ||
        !gst_buffer_map_range(buffer, 0, 1, &map, GST_MAP_READ)) {
        return false;
    }
    const Bytes beginning(map.data, map.size);
    const auto header = looks_like_rtcp(beginning) ? std::nullopt : parse_rtp(beginning);
    gst_buffer_unmap(buffer, &map);
    if (header) {
        count_rtp(*header, gst_buffer_get_size(buffer), arrival);
    }
    return header.has_value();
}

void Tap::count_packet(GstBuffer* buffer, std::uint64_t arrival) {
    if (count_by_header(buffer, arrival)) {
        return;
    }
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        packets_.add_malformed();
        return;
    }
    const Bytes packet(map.data, map.size);
    if (kind_ == Kind::rtcp || looks_like_rtcp(packet)) {
        packets_.add_rtcp(packet, ntp_now());
    } else if (const auto header = parse_rtp(packet)) {
        count_rtp(*header, packet.size(), arrival);
    } else {
        packets_.add_malformed();
    }
    gst_buffer_unmap(buffer, &map);
}

bool Tap::start() {
    {
        const std::lock_guard lock(mutex_);
        packets_ = {};
        rate_ = {};
        buffers_ = bytes_ = gaps_ = first_ = last_ = 0;
        next_pts_ = GST_CLOCK_TIME_NONE;
        finished_ = false;
    }
    const std::string path = location();
    if (path.empty()) {
        return true;
    }
    // Call records are personal data: the owner's alone.
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::lock_guard lock(file_mutex_);
    file_.reset(descriptor < 0 ? nullptr : ::fdopen(descriptor, "a"));
    if (!file_) {
        GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE, ("cannot write call records"), GST_ERROR_SYSTEM);
    }
    return file_ != nullptr;
}

void Tap::start_timer() {
    const GPtr<GstClock> clock = GPtr<GstClock>::adopt(gst_element_get_clock(element_));
    const GstClockTime every = interval();
    if (!clock || every == 0) {
        return;
    }
    const std::lock_guard lock(mutex_);
    timer_ = gst_clock_new_periodic_id(clock.get(), gst_clock_get_time(clock.get()) + every, every);
    gst_clock_id_wait_async(timer_, on_interval_passed, new_weak_ref(element_), free_weak_ref);
}

void Tap::stop_timer() {
    GstClockID timer = nullptr;
    {
        const std::lock_guard lock(mutex_);
        std::swap(timer, timer_);
    }
    if (timer != nullptr) {
        gst_clock_id_unschedule(timer);
        gst_clock_id_unref(timer);
    }
}

void Tap::finish() {
    report_now(true);
    const std::lock_guard lock(file_mutex_);
    file_.reset();
}

void Tap::report_now(bool final) {
    {
        const std::lock_guard lock(mutex_);
        if (finished_) {
            return;  // the last word was said; a timer may come after it
        }
        finished_ = final;
    }
    const Report report = make_report(final);
    if (!write_line(to_json(report), final)) {
        GST_ELEMENT_WARNING(element_, RESOURCE, WRITE, ("cannot write call records"), GST_ERROR_SYSTEM);
    }
    gst_element_post_message(
        element_, gst_message_new_element(GST_OBJECT(element_), to_structure(report, "vmr-cdr").release()));
}

bool Tap::write_line(const std::string& line, bool durable) {
    const std::lock_guard lock(file_mutex_);
    if (!file_) {
        return true;
    }
    const std::string whole = line + "\n";
    const bool written = std::fwrite(whole.data(), 1, whole.size(), file_.get()) == whole.size() &&
                         std::fflush(file_.get()) == 0;
    return written && (!durable || ::fdatasync(::fileno(file_.get())) == 0 || errno == EINVAL);
}

Report Tap::make_report(bool final) {
    const GCharPtr name(gst_element_get_name(element_));
    const std::lock_guard lock(mutex_);
    Report report;
    report.tap = name.get();
    report.media_type = media_type_;
    report.final = final;
    report.rtp = kind_ != Kind::other;
    report.time_us = static_cast<std::uint64_t>(g_get_real_time());
    report.duration_ns = last_ - first_;
    report.buffers = buffers_;
    report.bytes = bytes_;
    report.bitrate = rate_.bits_per_second(monotonic_ns());
    report.gaps = gaps_;
    report.packets = packets_.snapshot();
    return report;
}

StructurePtr Tap::stats() {
    return to_structure(make_report(false), "vmr-cdr-stats");
}

void Tap::set_location(const char* location) {
    const std::lock_guard lock(mutex_);
    location_ = location == nullptr ? "" : location;
}
std::string Tap::location() {
    const std::lock_guard lock(mutex_);
    return location_;
}
void Tap::set_interval(GstClockTime interval) {
    const std::lock_guard lock(mutex_);
    interval_ = interval;
}
GstClockTime Tap::interval() {
    const std::lock_guard lock(mutex_);
    return interval_;
}

}  // namespace vmr::cdr_tap
