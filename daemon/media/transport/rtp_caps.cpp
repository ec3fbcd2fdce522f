#include "daemon/media/transport/types.hpp"

namespace vmr::media {

namespace {

// "nack pli" → rtcp-fb-nack-pli, as GStreamer names them
std::string feedback_field(std::string name) {
    for (char& character : name) {
        if (character == ' ') {
            character = '-';
        }
    }
    return "rtcp-fb-" + name;
}

bool is_field_name(const std::string& name) {
    if (name.empty() || !g_ascii_isalpha(name.front())) {
        return false;
    }
    for (const char character : name) {
        if (!g_ascii_isalnum(character) && character != '-' && character != '_') {
            return false;
        }
    }
    // What the other parameters say is not the peer's to change through a=fmtp.
    for (const char* taken : {"media", "payload", "clock-rate", "encoding-name", "encoding-params", "ssrc"}) {
        if (g_ascii_strcasecmp(name.c_str(), taken) == 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

CapsPtr rtp_caps(const RtpFormat& format) {
    const GCharPtr encoding(g_ascii_strup(format.encoding_name.c_str(), -1));
    auto caps = CapsPtr::adopt(gst_caps_new_simple(
        "application/x-rtp", "media", G_TYPE_STRING, format.media.c_str(), "payload", G_TYPE_INT,
        format.payload, "clock-rate", G_TYPE_INT, static_cast<int>(format.clock_rate), "encoding-name",
        G_TYPE_STRING, encoding.get(), nullptr));
    const auto set_string = [&](const std::string& name, const std::string& value) {
        gst_caps_set_simple(caps.get(), name.c_str(), G_TYPE_STRING, value.c_str(), nullptr);
    };
    if (format.channels > 0) {
        set_string("encoding-params", std::to_string(format.channels));
    }
    for (const auto& [name, value] : format.fmtp) {
        if (is_field_name(name)) {
            set_string(name, value);
        }
    }
    for (const std::string& feedback : format.rtcp_fb) {
        gst_caps_set_simple(caps.get(), feedback_field(feedback).c_str(), G_TYPE_BOOLEAN, TRUE, nullptr);
    }
    for (const auto& [id, uri] : format.extmap) {
        set_string("extmap-" + std::to_string(id), uri);
    }
    if (format.ssrc != 0) {
        gst_caps_set_simple(caps.get(), "ssrc", G_TYPE_UINT, format.ssrc, nullptr);
    }
    if (!format.mid.empty()) {
        set_string("a-mid", format.mid);
    }
    return caps;
}

}  // namespace vmr::media
