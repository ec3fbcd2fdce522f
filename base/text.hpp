// Small things that are done to text in many places. Pure.
#pragma once
#include <algorithm>
#include <string>

namespace vmr {

// ASCII letters alone, whatever the locale: names are compared by it.
inline std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return text;
}

}  // namespace vmr
