// What is asked of whoever encodes a picture for a peer.
#pragma once
#include "daemon/media/slots.hpp"

namespace vmr::media {

// Bytes; a NAL unit of so many fits a packet of ours with its header.
inline constexpr int kMaxNalUnit = 1100;

// Of the encoded picture. `shared`: of the mixer's encoder, which is told by these caps alone.
CapsPtr picture_caps(const SendParams& params, bool shared);
// The same of a leg's own encoder; `encode` is a chain of pipelines/encode-<codec>.launch.
void configure_encoder(GstElement* encode, const SendParams& params);
// Of sound.
void limit_encoder(GstElement* encode, const SendParams& params);
void set_encoder_bitrate(GstElement* encode, const std::string& codec, uint32_t bitrate);

}  // namespace vmr::media
