// libFuzzer entry (./dev fuzz); the corpus is replayed in the tests.
#include "tests/fuzz/sdp/exercise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    vmr::sdp::fuzz::exercise({reinterpret_cast<const char*>(data), size});
    return 0;
}
