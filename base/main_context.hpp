// Runs a function on the default main context, from any thread.
#pragma once
#include <glib.h>

#include <functional>
#include <utility>

#include "base/guard.hpp"

namespace vmr {

// Not g_main_context_invoke: that would run it here when nobody iterates the context.
inline void call_on_main(std::function<void()> call) {
    g_idle_add_full(
        G_PRIORITY_DEFAULT,
        [](gpointer data) -> gboolean {
            guard(nullptr, [&] { (*static_cast<std::function<void()>*>(data))(); });
            return G_SOURCE_REMOVE;
        },
        new std::function<void()>(std::move(call)),
        [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
}

}  // namespace vmr
