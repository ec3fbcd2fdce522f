#include "daemon/media/h264_packets.hpp"

#include <gst/rtp/gstrtpbuffer.h>

#include "base/guard.hpp"

namespace vmr::media {
namespace {

bool is_known(unsigned type) {
    constexpr unsigned kLastSingle = 23, kStapA = 24, kStapB = 25, kFuA = 28, kFuB = 29;
    return (type >= 1 && type <= kLastSingle) || type == kStapA || type == kStapB || type == kFuA ||
           type == kFuB;
}

bool is_wanted(GstBuffer* packet) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(packet, GST_MAP_READ, &rtp)) {
        return false;
    }
    const auto* payload = static_cast<const guint8*>(gst_rtp_buffer_get_payload(&rtp));
    const bool wanted = gst_rtp_buffer_get_payload_len(&rtp) == 0 || is_known(payload[0] & 0x1FU);
    gst_rtp_buffer_unmap(&rtp);
    return wanted;
}

GstPadProbeReturn on_packet(GstPad*, GstPadProbeInfo* info, gpointer) {
    return guard(nullptr, GST_PAD_PROBE_DROP, [&] {
        return is_wanted(GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    });
}

}  // namespace

void drop_unknown_nal_units(GstPad* sink) {
    gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER, on_packet, nullptr, nullptr);
}

}  // namespace vmr::media
