// Small things that are done to text in many places. Pure.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

namespace vmr {

// ASCII letters alone, whatever the locale: names are compared by it.
inline std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return text;
}

// As the value of a label in Prometheus' text, between its quotes.
inline std::string label_value(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '"' || c == '\\' ? std::string{'\\', c} : c == '\n' ? "\\n" : std::string{c};
    }
    return escaped;
}

}  // namespace vmr
