// Texts of strangers, made fit to be drawn.
#pragma once
#include <cstddef>
#include <string>

namespace vmr::mixer {

// Valid UTF-8 on one line: no control or direction-changing characters, spaces in place of any
// blanks, no towers of combining marks; at most `limit` characters.
std::string clean_text(const char* text, std::size_t limit);

}  // namespace vmr::mixer
