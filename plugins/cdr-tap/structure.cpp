// A report as a GstStructure.
#include "plugins/cdr-tap/tap.hpp"

namespace vmr::cdr_tap {

namespace {

void append_stream(GValue* list, const StreamSnapshot& stream) {
    GstStructure* one = gst_structure_new(
        "stream", "ssrc", G_TYPE_UINT, stream.ssrc, "payload-type", G_TYPE_UINT, guint{stream.payload_type},
        "codec", G_TYPE_STRING, stream.format.codec.c_str(), "clock-rate", G_TYPE_UINT,
        stream.format.clock_rate, "packets", G_TYPE_UINT64, stream.packets, "bytes", G_TYPE_UINT64,
        stream.bytes, "lost", G_TYPE_INT64, stream.lost, "reordered", G_TYPE_UINT64, stream.reordered,
        "duplicates", G_TYPE_UINT64, stream.duplicates, "jitter", G_TYPE_DOUBLE, stream.jitter_ms, nullptr);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, one);
    gst_value_array_append_and_take_value(list, &value);
}

void add_remote(GstStructure* structure, const RemoteReport& remote) {
    gst_structure_set(structure, "remote-ssrc", G_TYPE_UINT, remote.ssrc, "remote-fraction-lost",
                      G_TYPE_DOUBLE, remote.fraction_lost, "remote-lost", G_TYPE_INT, remote.lost,
                      "remote-jitter", G_TYPE_DOUBLE, remote.jitter_ms, nullptr);
    if (remote.round_trip_ms >= 0) {
        gst_structure_set(structure, "round-trip", G_TYPE_DOUBLE, remote.round_trip_ms, "round-trip-max",
                          G_TYPE_DOUBLE, remote.round_trip_max_ms, nullptr);
    }
}

void add_packets(GstStructure* structure, const TapSnapshot& packets) {
    gst_structure_set(structure, "packets", G_TYPE_UINT64, packets.packets, "rtp-bytes", G_TYPE_UINT64,
                      packets.bytes, "lost", G_TYPE_INT64, packets.lost, "reordered", G_TYPE_UINT64,
                      packets.reordered, "duplicates", G_TYPE_UINT64, packets.duplicates, "malformed",
                      G_TYPE_UINT64, packets.malformed, "rtcp-packets", G_TYPE_UINT64, packets.rtcp_packets,
                      "ssrc-changes", G_TYPE_UINT64, packets.ssrc_changes, nullptr);
    if (!packets.streams.empty()) {
        const StreamSnapshot& last = packets.streams.back();
        gst_structure_set(structure, "ssrc", G_TYPE_UINT, last.ssrc, "payload-type", G_TYPE_UINT,
                          guint{last.payload_type}, "codec", G_TYPE_STRING, last.format.codec.c_str(),
                          "clock-rate", G_TYPE_UINT, last.format.clock_rate, "jitter", G_TYPE_DOUBLE,
                          last.jitter_ms, nullptr);
    }
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, static_cast<guint>(packets.streams.size()));
    for (const StreamSnapshot& stream : packets.streams) {
        append_stream(&list, stream);
    }
    gst_structure_take_value(structure, "streams", &list);
    if (packets.remote.valid) {
        add_remote(structure, packets.remote);
    }
}

}  // namespace

StructurePtr to_structure(const Report& report, const char* name) {
    StructurePtr structure(gst_structure_new(
        name, "tap", G_TYPE_STRING, report.tap.c_str(), "media-type", G_TYPE_STRING,
        report.media_type.c_str(), "final", G_TYPE_BOOLEAN, static_cast<gboolean>(report.final), "duration",
        G_TYPE_UINT64, report.duration_ns, "buffers", G_TYPE_UINT64, report.buffers, "bytes", G_TYPE_UINT64,
        report.bytes, "bitrate", G_TYPE_UINT64, report.bitrate, "gaps", G_TYPE_UINT64, report.gaps, nullptr));
    if (report.rtp) {
        add_packets(structure.get(), report.packets);
    }
    return structure;
}

}  // namespace vmr::cdr_tap
