// What is wrong with one of several trunks or rules.
#pragma once
#include <cstddef>
#include <string>

namespace vmr::sip {

struct ConfigFault {
    std::size_t index = 0;
    std::string key;  // of the configuration's table; empty: all of it
    std::string text;
};

}  // namespace vmr::sip
