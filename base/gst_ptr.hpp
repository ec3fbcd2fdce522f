// Owning pointers for GObject and GstMiniObject: `adopt` takes a reference that
// the caller owns, `ref` adds one. A raw pointer only borrows.
#pragma once
#include <gst/gst.h>

#include <memory>
#include <string>
#include <utility>

namespace vmr {

namespace detail {
template <typename T>
inline constexpr bool is_mini_object = false;
template <>
inline constexpr bool is_mini_object<GstCaps> = true;
template <>
inline constexpr bool is_mini_object<GstBuffer> = true;
template <>
inline constexpr bool is_mini_object<GstEvent> = true;
template <>
inline constexpr bool is_mini_object<GstQuery> = true;
template <>
inline constexpr bool is_mini_object<GstMemory> = true;
template <>
inline constexpr bool is_mini_object<GstMessage> = true;
template <>
inline constexpr bool is_mini_object<GstSample> = true;
template <>
inline constexpr bool is_mini_object<GstBufferList> = true;
}  // namespace detail

template <typename T>
class GPtr {
public:
    GPtr() noexcept = default;
    GPtr(std::nullptr_t) noexcept {}
    GPtr(const GPtr& other) noexcept : object_(retain(other.object_)) {}
    GPtr(GPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    GPtr& operator=(GPtr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~GPtr() { reset(); }

    // Takes over a reference that the caller owns (a floating one is sunk).
    static GPtr adopt(T* object) noexcept {
        GPtr pointer;
        if constexpr (!detail::is_mini_object<T>) {
            if (object != nullptr && g_object_is_floating(object)) {
                g_object_ref_sink(object);
            }
        }
        pointer.object_ = object;
        return pointer;
    }
    // Adds a reference to a borrowed object.
    static GPtr ref(T* object) noexcept { return adopt(retain(object)); }

    T* get() const noexcept { return object_; }
    T* operator->() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    // Gives the reference to the caller (for calls that are `transfer full`).
    [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }

    void reset() noexcept {
        if (object_ == nullptr) {
            return;
        }
        if constexpr (detail::is_mini_object<T>) {
            gst_mini_object_unref(GST_MINI_OBJECT_CAST(object_));
        } else {
            g_object_unref(object_);
        }
        object_ = nullptr;
    }

private:
    static T* retain(T* object) noexcept {
        if (object == nullptr) {
            return nullptr;
        }
        if constexpr (detail::is_mini_object<T>) {
            return reinterpret_cast<T*>(gst_mini_object_ref(GST_MINI_OBJECT_CAST(object)));
        } else {
            return reinterpret_cast<T*>(g_object_ref_sink(object));
        }
    }

    T* object_ = nullptr;
};

using ElementPtr = GPtr<GstElement>;
using PadPtr = GPtr<GstPad>;
using CapsPtr = GPtr<GstCaps>;
using BufferPtr = GPtr<GstBuffer>;
using EventPtr = GPtr<GstEvent>;

struct GFree {
    void operator()(void* memory) const noexcept { g_free(memory); }
};
using GCharPtr = std::unique_ptr<char, GFree>;

struct StructureFree {
    void operator()(GstStructure* structure) const noexcept { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, StructureFree>;

}  // namespace vmr
