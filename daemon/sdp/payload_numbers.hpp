// What payload type numbers stand for in an m-line: none may come to stand for anything else while the
// session lasts (RFC 3264 section 8.3.2).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/sdp/negotiation.hpp"

namespace vmr::sdp {

// A format as numbers tell it from others; H.264 with its profile and packetization mode, which a number has
// for good, too (RFC 6184 section 8.2.2).
std::string meaning_of(const Format& format, MediaKind kind);
std::string meaning_of(const CodecPlan& codec);
std::string meaning_of(const DtmfPlan& dtmf);

// Into `plan`: what the m-line's numbers stood for `before` (null: it is new), and do in a description of the
// peer's, and in an offer of ours that it answers (else null).
void note_numbers(MediaPlan& plan, const MediaPlan* before, const Media& peers, const OfferMedia* ours);

// Gives the formats of an offer their numbers.
class NumberBook {
public:
    // With BUNDLE all m-lines share their numbers (RFC 8843 section 9.1).
    NumberBook(const Negotiated* current, bool bundle);
    // What the format had, else what we would like, else any that is free; nothing: none is.
    std::optional<std::uint8_t> take(std::size_t line, const std::string& meaning, std::uint8_t preferred);

private:
    std::vector<PayloadNumbers> lines_;
    bool bundle_;
};

}  // namespace vmr::sdp
