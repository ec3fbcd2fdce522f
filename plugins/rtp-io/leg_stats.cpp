#include "leg.hpp"

namespace vmr::rtp_io {

StructurePtr Leg::stats() const {
    const std::lock_guard held(lock_);
    const LegCounts& counts = core_.counts();
    StructurePtr stats(gst_structure_new_empty("application/x-vmr-rtp-io-leg-stats"));
    const auto put = [&stats](const char* name, std::uint64_t value) {
        gst_structure_set(stats.get(), name, G_TYPE_UINT64, value, nullptr);
    };
    put("packets-sent", counts.packets_sent);
    put("bytes-sent", counts.bytes_sent);
    put("packets-received", counts.packets_received);
    put("bytes-received", counts.bytes_received);
    put("rtcp-sent", counts.rtcp_sent);
    put("rtcp-received", counts.rtcp_received);
    put("auth-failures", counts.auth_failures);
    put("replays", counts.replays);
    put("not-keyed", counts.not_keyed);
    put("garbage", counts.garbage);
    put("oversized", counts.oversized);
    put("wrong-source", counts.wrong_source);
    put("unknown-payload", counts.unknown_payload);
    put("send-errors", counts.send_errors);
    const std::int64_t last = core_.last_received();
    const std::int64_t age_ms = last == 0 ? -1 : g_get_monotonic_time() / 1000 - last / 1'000'000;
    gst_structure_set(stats.get(), "lost", G_TYPE_INT64, core_.quality().lost(), "jitter", G_TYPE_DOUBLE,
                      core_.quality().jitter(), "age", G_TYPE_INT64, age_ms, "source-address", G_TYPE_STRING,
                      core_.latched() ? core_.target().ip().c_str() : nullptr, "source-port", G_TYPE_UINT,
                      core_.latched() ? core_.target().port() : 0u, nullptr);
    return stats;
}

}  // namespace vmr::rtp_io
