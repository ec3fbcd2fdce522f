// libFuzzer entry: clang++ -fsanitize=fuzzer,address -std=c++20 -I. tests/fuzz/sdp/sdp_fuzz.cpp
// daemon/sdp/*.cpp
#include "tests/fuzz/sdp/exercise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    vmr::sdp::fuzz::exercise({reinterpret_cast<const char*>(data), size});
    return 0;
}
