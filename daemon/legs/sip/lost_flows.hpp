// A call outlives its connections: media goes on. Requests of its dialogs that are to go along one that is
// gone wait until there is another way, which the dialog keeps, or until their transaction times out.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "daemon/legs/sip/message/message.hpp"

namespace vmr::sip {

class Call;

class LostFlows {
public:
    explicit LostFlows(Call& call) : call_(call) {}

    void connection_closed(std::uint64_t connection);
    // A request was begun on `flow`.
    void requested(const Flow& flow);
    // Something that gets no answer (an ACK, a repeated 2xx) went along `flow`. What it was is said again
    // until it arrives: where the flow is gone, another is looked for meanwhile, once a pause.
    void sent(const Flow& flow);
    // An answer within a dialog came by `flow`: where the dialog's own is gone, it goes on there.
    void answered(const std::string& key, const Flow& flow);
    // A dialog's flow became `now`: the other side came by it.
    void moved(const Flow& before, const Flow& now);
    // There may be a way now where there was none.
    void retry();
    void tick();
    std::optional<std::int64_t> next_deadline() const;

private:
    void send_after(std::uint64_t connection);
    void find_way(std::uint64_t connection);
    void take_flow(std::uint64_t connection, const Result<Flow>& flow);
    void move(std::uint64_t connection, const Flow& to);
    void redirect(std::uint64_t connection, const Flow& now);
    bool awaited(std::uint64_t connection) const;

    static constexpr std::int64_t kFirstPause = 1000;  // ms after a connection that failed, doubled with each
    static constexpr std::int64_t kLongestPause = 16000;
    Call& call_;
    struct Search {
        bool opening = false;  // another connection
        bool again = false;    // there may be another way since it began
        std::int64_t at = -1;  // not before the next one is tried
        std::int64_t pause = kFirstPause;
    };
    std::map<std::uint64_t, Search> lost_;  // connections that dialogs had
    // Where dialogs went on from connections that stand, and by which requests still wait for an answer.
    std::map<std::uint64_t, Flow> left_;
};

}  // namespace vmr::sip
