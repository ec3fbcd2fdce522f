#pragma once
#include <glib.h>

#include <chrono>
#include <functional>

namespace vmr::test {

// Runs this thread's main loop until `condition`. The deadline is for what never comes: a loaded machine
// takes several times as long as an idle one.
inline bool run_until(const std::function<bool()>& condition,
                      std::chrono::seconds most = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    const guint waker = g_timeout_add(
        5, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
        g_main_context_iteration(nullptr, TRUE);
    }
    g_source_remove(waker);
    return condition();
}

}  // namespace vmr::test
