// A Stack by itself: resolutions, flows and what comes in, on the test's own thread.
#pragma once
#include <glib.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/legs/sip/message/uri.hpp"
#include "daemon/legs/sip/network/stack.hpp"

namespace vmr::sip::test {

class StackClient : public StackHandler {
public:
    explicit StackClient(std::vector<Address> name_servers, StackConfig config = {})
        : context_(g_main_context_new()) {
        config.outbound.name_servers = std::move(name_servers);
        if (config.listen.empty()) {
            config.listen = {{Transport::udp, {"127.0.0.1", 0}}};
        }
        stack = make_stack(std::move(config), context_, *this);
        bound = *stack->start();
    }
    ~StackClient() override {
        stack->stop();
        g_main_context_unref(context_);
    }
    Result<std::vector<Target>> resolve(const std::string& uri) {
        targets_.reset();
        stack->resolve(7, *destination_of(*parse_uri(uri)));
        wait([this] { return targets_.has_value(); });
        return targets_ ? *targets_ : Result<std::vector<Target>>(Error{"nothing reported"});
    }
    Result<Flow> open(const Target& target, const std::string& host) {
        flow_.reset();
        stack->open(8, target, host);
        wait([this] { return flow_.has_value(); });
        return flow_ ? *flow_ : Result<Flow>(Error{"nothing reported"});
    }
    bool wait(const std::function<bool()>& ready) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!ready() && std::chrono::steady_clock::now() < deadline) {
            GSource* timer = g_timeout_source_new(100);
            g_source_set_callback(
                timer, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, nullptr, nullptr);
            g_source_attach(timer, context_);
            g_main_context_iteration(context_, TRUE);
            g_source_destroy(timer);
            g_source_unref(timer);
        }
        return ready();
    }
    void on_message_received(Message message) override { messages.push_back(std::move(message)); }
    void on_connection_closed(std::uint64_t connection) override { closed.push_back(connection); }
    void on_resolved(std::uint64_t, const Result<std::vector<Target>>& targets) override {
        targets_ = targets;
    }
    void on_flow_opened(std::uint64_t, const Result<Flow>& flow) override { flow_ = flow; }

    std::unique_ptr<Stack> stack;
    std::vector<ListenAddress> bound;
    std::vector<Message> messages;
    std::vector<std::uint64_t> closed;

private:
    GMainContext* context_;
    std::optional<Result<std::vector<Target>>> targets_;
    std::optional<Result<Flow>> flow_;
};

}  // namespace vmr::sip::test
