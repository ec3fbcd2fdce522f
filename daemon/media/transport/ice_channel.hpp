// One ICE component (bundle and rtcp-mux) of a libnice agent. Every call into the
// agent but send() is made on media-io, so its signals come there too.
#pragma once
#include <agent.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"
#include "base/signal.hpp"
#include "daemon/media/transport/channel.hpp"
#include "daemon/media/transport/media_io.hpp"
#include "daemon/media/transport/types.hpp"

namespace vmr::media {

class IceChannel final : public Channel {
public:
    // Gathering starts here; candidates come as events.
    static Result<std::unique_ptr<IceChannel>> open(std::shared_ptr<MediaIo> io, const IceParams& params,
                                                    ChannelEvents& events);
    ~IceChannel() override;

    // Control thread.
    const std::string& ufrag() const { return ufrag_; }
    const std::string& password() const { return password_; }
    std::vector<std::string> candidates() const;
    bool gathering_done() const;
    std::string default_address() const;
    Status set_remote(const IceRemote& remote);
    Status add_remote_candidate(const std::string& candidate);

    bool send(Component component, Bytes datagram) override;
    void stop() override;

private:
    IceChannel(std::shared_ptr<MediaIo> io, const IceParams& params, ChannelEvents& events);
    Status start();
    Status add_local_addresses();
    void add_relays();
    void connect_signals();
    Status add_candidate(const std::string& candidate);  // media-io
    void start_deadline();
    void announce(NiceCandidate* candidate);
    void announce_mapped(NiceCandidate* host);
    bool is_mapped(const NiceCandidate& found) const;

    static void on_candidate_found(NiceAgent* agent, NiceCandidate* candidate, gpointer self);
    static void on_gathering_done(NiceAgent* agent, guint stream, gpointer self);
    static void on_state_changed(NiceAgent* agent, guint stream, guint component, guint state, gpointer self);
    static void on_received(NiceAgent* agent, guint stream, guint component, guint size, char* data,
                            gpointer self);

    std::shared_ptr<MediaIo> io_;
    IceParams params_;
    ChannelEvents& events_;
    GPtr<NiceAgent> agent_;
    guint stream_ = 0;
    std::string ufrag_, password_;
    std::vector<SignalConnection> signals_;

    // media-io only
    IoTimer deadline_;
    bool connected_ = false;
    bool failed_ = false;
    std::set<std::string> remote_candidates_;  // taken
    std::string remote_ufrag_;

    mutable std::mutex mutex_;  // innermost
    std::vector<std::string> candidates_;
    bool gathering_done_ = false;
    bool stopped_ = false;
};

}  // namespace vmr::media
