// What the sip thread hands to the control thread: messages, bounded in number, and reports, which are never
// dropped and are bounded by what causes them.
#pragma once
#include <glib.h>

#include <deque>
#include <functional>
#include <mutex>

#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip {

class Mailbox {
public:
    using Report = std::function<void(StackHandler&)>;
    // Delivers on `context`.
    Mailbox(GMainContext* context, StackHandler& handler, int places);
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // A quarter of the places is for streams alone: what comes by datagrams is sent again.
    bool has_place(const Flow& flow) const;
    void put(Message message) { add({std::move(message), nullptr}); }
    void put(Report report) { add({Message(), std::move(report)}); }
    // Nothing is delivered afterwards. On the context's thread.
    void close();

private:
    struct Item {
        Message message;
        Report report;
    };
    void add(Item item);
    static gboolean on_context_ready(gpointer data);

    GMainContext* const context_;
    StackHandler& handler_;
    const std::size_t places_;
    mutable std::mutex mutex_;  // a leaf lock: nothing is called while it is held
    std::deque<Item> items_;
    GSource* wake_ = nullptr;  // attached to context_ while there are items
};

}  // namespace vmr::sip
