// How alike two pictures are, and a number that survives coding.
#pragma once
#include <gst/gst.h>

#include <optional>

#include "bench/costs/camera.hpp"

namespace vmr::bench {

// Luma alone. Of frames as raw_frame() makes them.
double luma_mse(GstBuffer* one, GstBuffer* other, Size size);
double luma_psnr(double mse);  // dB
// Wang et al. 2004, with windows of 8 × 8 each four pixels, as x264 and FFmpeg have it.
double luma_ssim(GstBuffer* one, GstBuffer* other, Size size);

// Black and white squares at the upper edge.
void write_number(GstBuffer* frame, Size size, unsigned number);
std::optional<unsigned> read_number(GstBuffer* frame,
                                    Size size);  // empty: a square is grey, or the parity is wrong

}  // namespace vmr::bench
