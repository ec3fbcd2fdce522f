// Text of a description, for our answers and our offers alike.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp {

struct CryptoLine {
    unsigned tag = 0;
    std::string suite_name;
    const std::vector<std::uint8_t>* key = nullptr;
    bool lifetime = false;
    std::vector<std::uint8_t> mki;
};

struct MediaText {  // one live m-line
    std::string kind_name, proto_name, mid, label, content;
    const std::vector<CodecPlan>* codecs = nullptr;
    const std::vector<DtmfPlan>* dtmf = nullptr;
    std::optional<FecPlan> fec;
    ExtmapPlan extmaps;
    RtcpFeedback feedback;
    Direction direction = Direction::inactive;
    std::uint32_t max_receive_bitrate = 0;
    bool rtcp_rsize = false;

    const LocalTransport* transport = nullptr;
    bool rtcp_mux = false;
    bool rtcp_line = false;  // a=rtcp: without rtcp-mux, or beside it for a peer that may not take it
    bool ice = false;
    bool trickle = false;
    bool candidates = false;  // in a bundle only the first m-line lists them
    std::vector<CryptoLine> cryptos;
    Setup setup = Setup::none;  // not none: write fingerprints too
};

// Throws std::logic_error when the caller set up no such transport: a bug, not bad input.
const LocalTransport& local_transport(const LocalParams& local, std::size_t id);

// v= to t=, with the session level c= from `address`, and one BUNDLE group for each list of mids that is not
// empty.
std::string head_text(const LocalParams& local, const std::string& address, bool ice,
                      const std::vector<std::vector<std::string>>& bundles);
std::string media_text(const MediaText& media, const LocalParams& local, std::size_t index,
                       const std::string& session_address);
std::string floor_text(const FloorPlan& floor, const LocalFloor& local);
std::string refused_text(const std::string& kind_name, const std::string& proto_name,
                         const std::vector<std::string>& format_names, const std::string& mid);

}  // namespace vmr::sdp
