// XML Schema for Media Control (RFC 5168): asking for a keyframe by INFO, where RTCP cannot. Pure.
#pragma once
#include <string>

namespace vmr::sip {

inline const std::string kMediaControlType = "application/media_control+xml";

enum class MediaControl {
    malformed,
    other,   // nothing that we know
    picture  // picture_fast_update
};
MediaControl read_media_control(const std::string& xml);
std::string write_picture_fast_update();

}  // namespace vmr::sip
