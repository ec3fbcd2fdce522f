// guard(): the boundary between C callbacks and C++. No exception crosses into C.
#pragma once
#include <gst/gst.h>

#include <exception>
#include <type_traits>
#include <utility>

namespace vmr {

// Runs `body`; on an exception posts an element error on `element` (may be null:
// then it is logged only) and returns `fallback`.
template <typename Body, typename R = std::invoke_result_t<Body>>
R guard(GstElement* element, R fallback, Body&& body) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (const std::exception& problem) {
        if (element != nullptr) {
            GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("internal error"), ("%s", problem.what()));
        } else {
            g_critical("exception at a C boundary: %s", problem.what());
        }
    }
    return fallback;
}

template <typename Body>
requires std::is_void_v<std::invoke_result_t<Body>>
void guard(GstElement* element, Body&& body) noexcept {
    guard(element, true, [&] {
        std::forward<Body>(body)();
        return true;
    });
}

}  // namespace vmr
