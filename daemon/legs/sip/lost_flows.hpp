// A call outlives its connections: media goes on. Requests of its dialogs that are to go along one that is
// gone wait until there is another way, which the dialog keeps, or until their transaction times out.
#pragma once
#include <cstdint>
#include <map>

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
    // A dialog's flow became `now`: the other side came by it.
    void moved(const Flow& before, const Flow& now);
    // There may be a way now where there was none.
    void retry();

private:
    void find_way(std::uint64_t connection);
    void take_flow(std::uint64_t connection, const Result<Flow>& flow);
    void move(std::uint64_t connection, const Flow& to);

    Call& call_;
    struct Search {
        bool opening = false;  // another connection
        bool again = false;    // there may be another way since it began
    };
    std::map<std::uint64_t, Search> lost_;  // connections that dialogs had
};

}  // namespace vmr::sip
