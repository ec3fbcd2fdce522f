// From what was negotiated (daemon/sdp) to what the transport and the pipelines are told. Pure.
#pragma once
#include "daemon/media/leg_bin.hpp"
#include "daemon/media/transport/transport.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace vmr::media {

bool has_slot(const sdp::MediaPlan& plan);  // sound or a picture
Slot slot_of(const sdp::MediaPlan& plan);
SrtpSuite srtp_suite(sdp::CryptoSuite suite);
Result<DtlsParams> dtls_params(const sdp::DtlsPlan& plan);
sdp::Fingerprint sdp_fingerprint(const std::string& value);  // of a SHA-256 fingerprint with colons
IceRemote ice_remote(const sdp::IcePlan& plan);
UdpRemote udp_remote(const sdp::TransportPlan& plan);

// Address, ports and candidates of a path. `address`: what the description says where the path has none that
// a peer could use; with `trickle` there is none before the checks.
void describe_path(const LocalDescription& local, const std::string& address, bool trickle,
                   sdp::LocalTransport& description);

// Everything that may arrive on the m-line, and what is sent with `ssrc`.
// `rtx_ssrc` is of what is sent again, where that was negotiated.
MediaParams media_params(const sdp::MediaPlan& plan, uint32_t ssrc, uint32_t rtx_ssrc);
SendParams send_params(const sdp::MediaPlan& plan, uint32_t ssrc);
// Whether one encoder serves for both, as far as bitrate goes.
bool same_picture(const SendParams& one, const SendParams& other);
// "opus", …; empty: not negotiated on this m-line.
std::string codec_of(const sdp::MediaPlan& plan, uint8_t payload_type);

}  // namespace vmr::media
