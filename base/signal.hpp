// A GObject signal connection that disconnects by itself.
#pragma once
#include <glib-object.h>

#include <utility>

namespace vmr {

class SignalConnection {
public:
    SignalConnection() noexcept = default;
    // `instance` is not kept alive: a weak pointer notices when it goes first.
    SignalConnection(gpointer instance, const char* signal, GCallback callback, gpointer data)
        : instance_(G_OBJECT(instance)), id_(g_signal_connect(instance, signal, callback, data)) {
        g_object_add_weak_pointer(instance_, reinterpret_cast<gpointer*>(&instance_));
    }
    SignalConnection(SignalConnection&& other) noexcept { take(other); }
    SignalConnection& operator=(SignalConnection&& other) noexcept {
        if (this != &other) {
            disconnect();
            take(other);
        }
        return *this;
    }
    SignalConnection(const SignalConnection&) = delete;
    SignalConnection& operator=(const SignalConnection&) = delete;
    ~SignalConnection() { disconnect(); }

    void disconnect() noexcept {
        if (instance_ != nullptr) {
            g_object_remove_weak_pointer(instance_, reinterpret_cast<gpointer*>(&instance_));
            g_signal_handler_disconnect(instance_, id_);
            instance_ = nullptr;
        }
    }

private:
    void take(SignalConnection& other) noexcept {
        if (other.instance_ == nullptr) {
            return;
        }
        instance_ = other.instance_;
        id_ = other.id_;
        g_object_remove_weak_pointer(instance_, reinterpret_cast<gpointer*>(&other.instance_));
        other.instance_ = nullptr;
        g_object_add_weak_pointer(instance_, reinterpret_cast<gpointer*>(&instance_));
    }

    GObject* instance_ = nullptr;
    gulong id_ = 0;
};

}  // namespace vmr
