#include "daemon/legs/sip/network/mailbox.hpp"

#include <utility>

#include "base/guard.hpp"

namespace vmr::sip {

Mailbox::Mailbox(GMainContext* context, StackHandler& handler, int places)
    : context_(g_main_context_ref(context)), handler_(handler), places_(static_cast<std::size_t>(places)) {}

Mailbox::~Mailbox() {
    close();
    g_main_context_unref(context_);
}

bool Mailbox::has_place(const Flow& flow) const {
    const std::lock_guard lock(mutex_);
    return items_.size() < (flow.connection != 0 ? places_ : places_ - places_ / 4);
}

void Mailbox::add(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    if (wake_ == nullptr) {
        wake_ = g_idle_source_new();
        g_source_set_priority(wake_, G_PRIORITY_DEFAULT);
        g_source_set_callback(wake_, on_context_ready, this, nullptr);
        g_source_attach(wake_, context_);
    }
}

void Mailbox::close() {
    const std::lock_guard lock(mutex_);
    if (wake_ != nullptr) {
        g_source_destroy(wake_);
        g_source_unref(std::exchange(wake_, nullptr));
    }
    items_.clear();
}

gboolean Mailbox::on_context_ready(gpointer data) {
    auto* self = static_cast<Mailbox*>(data);
    constexpr int kBatch = 32;  // then others get the control thread
    for (int count = 0; count < kBatch; ++count) {
        Item item;
        {
            const std::lock_guard lock(self->mutex_);
            if (self->items_.empty()) {
                g_source_unref(std::exchange(self->wake_, nullptr));
                return G_SOURCE_REMOVE;
            }
            item = std::move(self->items_.front());
            self->items_.pop_front();
        }
        guard(nullptr, [&] {
            if (item.report) {
                item.report(self->handler_);
            } else {
                self->handler_.on_message_received(std::move(item.message));
            }
        });
    }
    return G_SOURCE_CONTINUE;
}

}  // namespace vmr::sip
