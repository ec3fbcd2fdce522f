#include "daemon/legs/devices.hpp"

namespace vmr {

const char* to_string(DeviceEvent::Kind kind) noexcept {
    switch (kind) {
        case DeviceEvent::Kind::registered:
            return "registered";
        case DeviceEvent::Kind::unregistered:
            return "unregistered";
        case DeviceEvent::Kind::expired:
            return "expired";
        case DeviceEvent::Kind::refused:
            break;
    }
    return "refused";
}

const char* to_string(DeviceDigest digest) noexcept {
    return digest == DeviceDigest::md5 ? "md5" : digest == DeviceDigest::both ? "both" : "sha256";
}

}  // namespace vmr
