#include "daemon/legs/sip/dialog/media_control.hpp"

#include <string_view>

namespace vmr::sip {
namespace {

// The names of the elements in order, as far as tags can be told apart: no attribute of the schema has a '<'.
bool has_element(std::string_view xml, std::string_view name) {
    for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
        std::string_view tag = xml.substr(at + 1);
        tag = tag.substr(0, tag.find_first_of(" \t\r\n/>"));
        const std::size_t prefix = tag.find(':');
        if ((prefix == std::string_view::npos ? tag : tag.substr(prefix + 1)) == name) {
            return true;
        }
    }
    return false;
}

}  // namespace

MediaControl read_media_control(const std::string& xml) {
    if (!has_element(xml, "media_control")) {
        return MediaControl::malformed;
    }
    return has_element(xml, "picture_fast_update") ? MediaControl::picture : MediaControl::other;
}

std::string write_picture_fast_update() {
    return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<media_control><vc_primitive><to_encoder>"
           "<picture_fast_update/></to_encoder></vc_primitive></media_control>\n";
}

}  // namespace vmr::sip
