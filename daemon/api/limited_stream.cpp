#include "daemon/api/limited_stream.hpp"

#include <algorithm>

using vmr::api::StreamBudget;
using BudgetPtr = std::shared_ptr<StreamBudget>;

namespace {

struct VmrLimitedInput {
    GFilterInputStream parent;
    BudgetPtr* budget;
    GIOStream* base;
};
struct VmrLimitedInputClass {
    GFilterInputStreamClass parent;
};
struct VmrCountedOutput {
    GFilterOutputStream parent;
    BudgetPtr* budget;
};
struct VmrCountedOutputClass {
    GFilterOutputStreamClass parent;
};

void vmr_limited_input_pollable_init(GPollableInputStreamInterface* iface);
void vmr_counted_output_pollable_init(GPollableOutputStreamInterface* iface);

G_DEFINE_TYPE_WITH_CODE(VmrLimitedInput, vmr_limited_input, G_TYPE_FILTER_INPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM, vmr_limited_input_pollable_init))
G_DEFINE_TYPE_WITH_CODE(VmrCountedOutput, vmr_counted_output, G_TYPE_FILTER_OUTPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM,
                                              vmr_counted_output_pollable_init))

VmrLimitedInput* input_of(gpointer stream) {
    return reinterpret_cast<VmrLimitedInput*>(stream);
}
VmrCountedOutput* output_of(gpointer stream) {
    return reinterpret_cast<VmrCountedOutput*>(stream);
}
GInputStream* base_of(VmrLimitedInput* self) {
    return g_filter_input_stream_get_base_stream(&self->parent);
}
GOutputStream* base_of(VmrCountedOutput* self) {
    return g_filter_output_stream_get_base_stream(&self->parent);
}

// How much of `wanted` may be read; 0 with an error when the budget is spent.
gsize allowed(VmrLimitedInput* self, gsize wanted, GError** error) {
    StreamBudget& budget = **self->budget;
    if (budget.read_left == 0 && budget.more) {
        budget.read_left = budget.more();
    }
    const std::uint64_t left = budget.read_left;
    if (left == 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "the peer sent too much");
    }
    return static_cast<gsize>(std::min<std::uint64_t>(wanted, left));
}

gssize spend(VmrLimitedInput* self, gssize count) {
    if (count > 0) {
        auto& left = (*self->budget)->read_left;
        left -= std::min<std::uint64_t>(left, static_cast<std::uint64_t>(count));
    }
    return count;
}

gssize on_read(GInputStream* stream, void* buffer, gsize count, GCancellable* cancellable, GError** error) {
    VmrLimitedInput* self = input_of(stream);
    const gsize allowance = allowed(self, count, error);
    return allowance == 0
               ? -1
               : spend(self, g_input_stream_read(base_of(self), buffer, allowance, cancellable, error));
}

gssize on_read_nonblocking(GPollableInputStream* stream, void* buffer, gsize count, GError** error) {
    VmrLimitedInput* self = input_of(stream);
    const gsize allowance = allowed(self, count, error);
    return allowance == 0
               ? -1
               : spend(self, g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(base_of(self)),
                                                                      buffer, allowance, nullptr, error));
}

gboolean on_input_closed(GInputStream* stream, GCancellable* cancellable, GError** error) {
    return g_io_stream_close(input_of(stream)->base, cancellable, error);
}

gboolean input_is_readable(GPollableInputStream* stream) {
    VmrLimitedInput* self = input_of(stream);
    return (*self->budget)->read_left == 0 ||
           g_pollable_input_stream_is_readable(G_POLLABLE_INPUT_STREAM(base_of(self)));
}

GSource* input_source(GPollableInputStream* stream, GCancellable* cancellable) {
    GSource* base = g_pollable_input_stream_create_source(G_POLLABLE_INPUT_STREAM(base_of(input_of(stream))),
                                                          cancellable);
    GSource* source = g_pollable_source_new_full(stream, base, cancellable);
    g_source_unref(base);
    return source;
}

void on_input_finalized(GObject* object) {
    VmrLimitedInput* self = input_of(object);
    delete self->budget;
    g_object_unref(self->base);
    G_OBJECT_CLASS(vmr_limited_input_parent_class)->finalize(object);
}

gssize count_written(VmrCountedOutput* self, gssize count) {
    if (count > 0) {
        (*self->budget)->written += static_cast<std::uint64_t>(count);
    }
    return count;
}

gssize on_write(GOutputStream* stream, const void* data, gsize count, GCancellable* cancellable,
                GError** error) {
    VmrCountedOutput* self = output_of(stream);
    return count_written(self, g_output_stream_write(base_of(self), data, count, cancellable, error));
}

gssize on_write_nonblocking(GPollableOutputStream* stream, const void* data, gsize count, GError** error) {
    VmrCountedOutput* self = output_of(stream);
    auto* base = G_POLLABLE_OUTPUT_STREAM(base_of(self));
    return count_written(self, g_pollable_output_stream_write_nonblocking(base, data, count, nullptr, error));
}

gboolean output_is_writable(GPollableOutputStream* stream) {
    return g_pollable_output_stream_is_writable(G_POLLABLE_OUTPUT_STREAM(base_of(output_of(stream))));
}

GSource* output_source(GPollableOutputStream* stream, GCancellable* cancellable) {
    GSource* base = g_pollable_output_stream_create_source(
        G_POLLABLE_OUTPUT_STREAM(base_of(output_of(stream))), cancellable);
    GSource* source = g_pollable_source_new_full(stream, base, cancellable);
    g_source_unref(base);
    return source;
}

void on_output_finalized(GObject* object) {
    delete output_of(object)->budget;
    G_OBJECT_CLASS(vmr_counted_output_parent_class)->finalize(object);
}

void vmr_limited_input_init(VmrLimitedInput*) {}
void vmr_counted_output_init(VmrCountedOutput*) {}

void vmr_limited_input_class_init(VmrLimitedInputClass* klass) {
    G_OBJECT_CLASS(klass)->finalize = on_input_finalized;
    G_INPUT_STREAM_CLASS(klass)->read_fn = on_read;
    G_INPUT_STREAM_CLASS(klass)->close_fn = on_input_closed;
}
void vmr_counted_output_class_init(VmrCountedOutputClass* klass) {
    G_OBJECT_CLASS(klass)->finalize = on_output_finalized;
    G_OUTPUT_STREAM_CLASS(klass)->write_fn = on_write;
}
void vmr_limited_input_pollable_init(GPollableInputStreamInterface* iface) {
    iface->is_readable = input_is_readable;
    iface->create_source = input_source;
    iface->read_nonblocking = on_read_nonblocking;
}
void vmr_counted_output_pollable_init(GPollableOutputStreamInterface* iface) {
    iface->is_writable = output_is_writable;
    iface->create_source = output_source;
    iface->write_nonblocking = on_write_nonblocking;
}

}  // namespace

namespace vmr::api {

GPtr<GIOStream> make_limited_stream(GIOStream* base, std::shared_ptr<StreamBudget> budget) {
    auto* input =
        input_of(g_object_new(vmr_limited_input_get_type(), "base-stream", g_io_stream_get_input_stream(base),
                              "close-base-stream", FALSE, nullptr));
    input->budget = new BudgetPtr(budget);
    input->base = G_IO_STREAM(g_object_ref(base));
    auto* output =
        output_of(g_object_new(vmr_counted_output_get_type(), "base-stream",
                               g_io_stream_get_output_stream(base), "close-base-stream", FALSE, nullptr));
    output->budget = new BudgetPtr(std::move(budget));
    GIOStream* stream = g_simple_io_stream_new(G_INPUT_STREAM(input), G_OUTPUT_STREAM(output));
    g_object_unref(input);
    g_object_unref(output);
    return GPtr<GIOStream>::adopt(stream);
}

}  // namespace vmr::api
