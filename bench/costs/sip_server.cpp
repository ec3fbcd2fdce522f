// vmrd's SIP side by itself: answers every call with SDP that was negotiated, without media behind it. Prints
// its port, then, for each line that it reads, what it has used and counted so far; ends with its standard
// input.
#include <glib.h>
#include <malloc.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/main_context.hpp"
#include "bench/process.hpp"
#include "daemon/legs/sip/sip_legs.hpp"
#include "daemon/sdp/negotiation.hpp"

namespace {

using namespace vmr;
using namespace vmr::bench;

// Offer and answer as in a call, with one transport that nobody listens at.
class Negotiation final : public MediaSession {
public:
    SdpResult answer(std::string_view offer) override {
        const auto parsed = sdp::parse(offer);
        if (!parsed) {
            return MediaProblem{MediaProblem::Kind::malformed, parsed.error()};
        }
        sdp::Policy policy;
        policy.video = false;
        const auto negotiated = sdp::answer(*parsed, policy);
        if (!negotiated) {
            return MediaProblem{MediaProblem::Kind::not_acceptable, negotiated.refusal().detail};
        }
        sdp::LocalParams local;
        local.session_id = 1;
        for (const auto& plan : negotiated->transports) {
            sdp::LocalTransport transport;
            transport.id = plan.id;
            transport.address = "127.0.0.1";
            transport.port = 40000;
            transport.rtcp_port = 40001;
            local.transports.push_back(transport);
        }
        for (const auto& media : negotiated->media) {
            local.media.push_back({media.index, 1, 0, ""});
        }
        return sdp::write_answer(*negotiated, local);
    }
    SdpResult offer() override { return MediaProblem{MediaProblem::Kind::internal, "calls offer"}; }
    SdpResult accept_answer(std::string_view) override { return offer(); }
    void set_callbacks(Callbacks) override {}
};

class Answerer final : public LegObserver {
public:
    std::shared_ptr<MediaSession> on_leg_arrived(std::shared_ptr<Leg> leg, const Arrival&) override {
        leg->accept();
        legs_[leg->id()] = leg;
        return std::make_shared<Negotiation>();
    }
    void on_leg_refused(const Arrival&, EndCause) override { ++refused; }
    void on_leg_answered(const std::string&) override { ++answered; }
    void on_leg_key(const std::string&, char) override {}
    void on_leg_ended(const std::string& leg, EndCause, std::shared_ptr<void>) override { legs_.erase(leg); }

    unsigned answered = 0, refused = 0;
    std::size_t calls() const { return legs_.size(); }

private:
    std::map<std::string, std::shared_ptr<Leg>> legs_;
};

// A peer on this machine that may do what it likes.
sip::SipConfig unlimited() {
    sip::SipConfig config;
    config.stack.listen = {{sip::Transport::udp, {"127.0.0.1", 0}}};
    config.stack.messages_per_second = 1e6;
    config.stack.max_queued = 1 << 20;
    config.max_calls = config.max_half_open = config.max_half_open_per_source = 100'000;
    config.max_transactions = config.max_transactions_per_source = 1'000'000;
    config.invites_per_second = 1e6;
    return config;
}

void print_usage(const Answerer& answerer) {
    malloc_trim(0);
    const Usage usage = usage_of(getpid());
    std::cout << nlohmann::json{{"cpu_seconds", usage.cpu_seconds},
                                {"rss_mb", usage.rss_mb},
                                {"answered", answerer.answered},
                                {"refused", answerer.refused},
                                {"calls", answerer.calls()}}
              << std::endl;
}

void serve() {
    Answerer answerer;
    sip::SipLegs legs(unlimited(), answerer);
    const auto bound = legs.start();
    if (!bound) {
        throw std::runtime_error(bound.error());
    }
    std::cout << bound->front().address.port << std::endl;
    const std::unique_ptr<GMainLoop, decltype(&g_main_loop_unref)> loop(g_main_loop_new(nullptr, FALSE),
                                                                        g_main_loop_unref);
    std::thread reader([&] {
        for (std::string line; std::getline(std::cin, line);) {
            call_on_main([&] { print_usage(answerer); });
        }
        call_on_main([&] { g_main_loop_quit(loop.get()); });
    });
    g_main_loop_run(loop.get());
    reader.join();
    legs.stop();
}

}  // namespace

int main(int count, char** arguments) {
    CLI::App app("SIP calls without media", "sip-server");
    return run_program(app, count, arguments, serve);
}
