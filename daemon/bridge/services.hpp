// What every room needs of the rest of the daemon. References outlive all rooms; control thread only.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "daemon/api/event_hub.hpp"
#include "daemon/api/token_store.hpp"
#include "daemon/bridge/doorstep.hpp"
#include "daemon/bridge/spend.hpp"
#include "daemon/legs/leg.hpp"
#include "daemon/media/pipelines.hpp"
#include "daemon/media/room_pipeline.hpp"
#include "daemon/ops/pins.hpp"
#include "daemon/room/pin_throttle.hpp"
#include "daemon/room/types.hpp"
#include "daemon/store/call_records.hpp"

namespace vmr::bridge {

struct PromptFiles {
    std::string folder;
    std::string language;
};

// argon2id; empty where a room has no such PIN.
struct PinHashes {
    std::string host;
    std::string guest;
};

// How SIP media is negotiated, for all rooms.
struct SipMedia {
    bool ice = false;  // where the peer offers it
    bool ice_lite = false;
    bool ice_offers = false;
    std::uint32_t max_video_bitrate = 0;  // bit/s of one picture, both ways; 0: no limit
    bool far_end_camera = false;
};

struct Services {
    const media::Pipelines& pipelines;
    media::RoomVideo video;
    PromptFiles prompts;
    store::CallRecords& records;
    api::EventHub& events;
    api::TokenStore& tokens;
    ops::PinHasher& hasher;
    std::shared_ptr<room::PinThrottle> throttle;
    // As RTCPeerConnection takes them; credentials may be for this participant and a limited time.
    std::function<nlohmann::json(const std::string& participant)> ice_servers;
    std::string server_version;
    SipMedia sip_media = {};
    Dialler* dialler = nullptr;  // set once there is one; null: no calls are placed
    Doorstep doorstep = {};
    Spend spend = {};
};

// Wall-clock time for the room core.
room::TimePoint now();

}  // namespace vmr::bridge
