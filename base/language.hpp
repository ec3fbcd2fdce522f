// Locales as people write them ("fr", "fr-CA", "fr_CA"), and what is looked for in their place.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

namespace vmr {

// "fr_CA" → "fr".
inline std::string language_of(std::string_view locale) {
    return std::string(locale.substr(0, locale.find_first_of("_-")));
}

// "fr-CA" → "fr_CA", as folders of recordings are named.
inline std::string with_underscore(std::string_view locale) {
    std::string text(locale);
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}

}  // namespace vmr
