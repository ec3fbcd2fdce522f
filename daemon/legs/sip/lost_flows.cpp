#include "daemon/legs/sip/lost_flows.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/legs/sip/call.hpp"

namespace vmr::sip {
namespace {

std::vector<Dialog*> dialogs_on(Call& call, std::uint64_t connection) {
    std::vector<Dialog*> dialogs = call.dialogs();
    std::erase_if(dialogs, [connection](const Dialog* one) { return one->flow().connection != connection; });
    return dialogs;
}

}  // namespace

void LostFlows::connection_closed(std::uint64_t connection) {
    if (connection == 0 || call_.owner() == nullptr) {
        return;
    }
    if (dialogs_on(call_, connection).empty()) {
        send_after(connection);
        return;
    }
    left_.erase(connection);
    lost_.try_emplace(connection);
    // What was on its way may not have arrived.
    if (awaited(connection)) {
        find_way(connection);
    }
}

// A dialog had gone on by another way while requests that went by this one were not answered.
void LostFlows::send_after(std::uint64_t connection) {
    const auto left = left_.extract(connection);
    if (left && awaited(connection)) {
        call_.owner()->send_again(call_.id(), connection, left.mapped());
        requested(left.mapped());
    }
}

void LostFlows::requested(const Flow& flow) {
    if (const auto lost = lost_.find(flow.connection); lost != lost_.end()) {
        lost->second.pause = kFirstPause;
        find_way(flow.connection);
    }
}

void LostFlows::sent(const Flow& flow) {
    const auto lost = lost_.find(flow.connection);
    if (lost != lost_.end() && lost->second.at < 0 && !lost->second.opening) {
        find_way(flow.connection);
    }
}

void LostFlows::answered(const std::string& key, const Flow& flow) {
    for (Dialog* dialog : call_.dialogs()) {
        if (flow.connection != 0 && dialog->key() == key && lost_.contains(dialog->flow().connection)) {
            call_.follow(*dialog, flow);
        }
    }
}

void LostFlows::moved(const Flow& before, const Flow& now) {
    if (lost_.contains(before.connection)) {
        move(before.connection, now);
        return;
    }
    if (awaited(before.connection)) {
        left_[before.connection] = now;
    }
    redirect(before.connection, now);
}

void LostFlows::redirect(std::uint64_t connection, const Flow& now) {
    for (auto& [left, to] : left_) {
        to = to.connection == connection ? now : to;
    }
}

void LostFlows::retry() {
    std::vector<std::uint64_t> waiting;
    for (const auto& [connection, search] : lost_) {
        if (awaited(connection)) {
            waiting.push_back(connection);
        }
    }
    std::ranges::for_each(waiting, [this](std::uint64_t connection) { find_way(connection); });
}

void LostFlows::tick() {
    std::vector<std::uint64_t> due;
    for (auto& [connection, search] : lost_) {
        if (search.at >= 0 && call_.owner() != nullptr && search.at <= call_.owner()->now()) {
            search.at = -1;
            due.push_back(connection);
        }
    }
    for (const std::uint64_t connection : due) {
        if (awaited(connection)) {
            find_way(connection);
        }
    }
}

std::optional<std::int64_t> LostFlows::next_deadline() const {
    std::optional<std::int64_t> next;
    for (const auto& [connection, search] : lost_) {
        if (search.at >= 0 && (!next || search.at < *next)) {
            next = search.at;
        }
    }
    return next;
}

// Its requests have time left.
bool LostFlows::awaited(std::uint64_t connection) const {
    return call_.owner() != nullptr && call_.owner()->awaits_answer(call_.id(), connection);
}

void LostFlows::find_way(std::uint64_t connection) {
    const std::vector<Dialog*> dialogs = dialogs_on(call_, connection);
    if (dialogs.empty() || call_.owner() == nullptr) {
        return;
    }
    Search& search = lost_[connection];
    if (search.opening) {
        search.again = true;
        return;
    }
    const WayBack way = call_.owner()->way_back(call_, *dialogs.front());
    if (const Flow* flow = std::get_if<Flow>(&way)) {
        move(connection, *flow);
    } else if (const Opening* opening = std::get_if<Opening>(&way)) {
        search.opening = true;
        search.at = -1;
        call_.owner()->open(opening->target, opening->host,
                            [weak = call_.weak_from_this(), connection](const Result<Flow>& flow) {
                                if (const auto call = weak.lock()) {
                                    call->lost_flows().take_flow(connection, flow);
                                }
                            });
    }
}

// Where it failed, what came up meanwhile tries again, or the next request, or time: who restarts is back
// soon.
void LostFlows::take_flow(std::uint64_t connection, const Result<Flow>& flow) {
    const auto lost = lost_.find(connection);
    if (lost == lost_.end() || call_.owner() == nullptr) {
        return;
    }
    Search& search = lost->second;
    search.opening = false;
    if (flow) {
        move(connection, *flow);
    } else if (std::exchange(search.again, false)) {
        find_way(connection);
    } else {
        search.at = call_.owner()->now() + search.pause;
        search.pause = std::min(search.pause * 2, kLongestPause);
        call_.owner()->on_call_touched();
    }
}

void LostFlows::move(std::uint64_t connection, const Flow& to) {
    lost_.erase(connection);
    redirect(connection, to);
    for (Dialog* dialog : dialogs_on(call_, connection)) {
        dialog->move_to(to);
    }
    call_.owner()->send_again(call_.id(), connection, to);
}

}  // namespace vmr::sip
