// The way to one proxy of a trunk: looked up, opened, asked whether it is there (OPTIONS), registered with.
// Pure: time is an argument, in milliseconds.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "daemon/legs/sip/routing/trunk.hpp"
#include "daemon/legs/sip/routing/way_back.hpp"
#include "daemon/legs/sip/trunks/line_host.hpp"
#include "daemon/legs/sip/trunks/registration.hpp"

namespace vmr::sip {

class Line : public std::enable_shared_from_this<Line> {
public:
    // `contact_host`: of ours, where the trunk has none of its own.
    Line(LineHost& host, const TrunkConfig& trunk, const std::string& proxy, const std::string& contact_host);

    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const;
    // False: not one of this line's.
    bool receive_response(std::uint64_t id, const Message& response, std::int64_t now);
    bool request_timed_out(std::uint64_t id, std::int64_t now);
    void connection_closed(std::uint64_t connection, std::int64_t now);
    void withdraw(std::int64_t now);  // what is registered; nothing is begun any more

    // Calls may go this way; before anything is known, where the trunk's settings do not forbid it.
    bool usable() const { return reach_ == Reach::up || (reach_ == Reach::unknown && !first_); }
    LineStatus status() const;
    const std::set<std::string>& addresses() const { return addresses_; }
    // What it opened last.
    const std::optional<Opening>& opened() const { return opened_; }

private:
    enum class Reach { unknown, up, down };
    bool watched() const { return interval_ > 0 || registration_.has_value(); }
    void begin_round();
    void take_targets(const Result<std::vector<Target>>& targets);
    void try_next(const std::string& why);
    void take_flow(const Target& target, const Result<Flow>& flow);
    void send_options();
    void take_options_answer(const Message& response);
    bool take_registration(Registration::Outcome outcome);
    void fail(const std::string& why);
    void succeed();
    void judge();

    LineHost& host_;
    const std::string trunk_, proxy_;
    std::optional<Destination> destination_;
    std::string contact_host_, domain_, user_;
    const std::int64_t interval_;  // ms between OPTIONS; 0: none
    const int max_failures_;
    const bool first_;
    const int dscp_;
    std::optional<Registration> registration_;

    Reach reach_ = Reach::unknown;
    bool answered_ = false;  // the last OPTIONS
    bool over_ = false;
    std::string why_;
    int failures_ = 0;
    bool in_round_ = false;  // looking up, opening, or waiting for OPTIONS
    std::deque<Target> targets_;
    std::set<std::string> addresses_;
    std::optional<Flow> flow_;
    std::optional<Opening> opened_;
    std::int64_t options_at_ = 0;  // next ones
    std::int64_t answer_by_ = -1;
    std::uint64_t options_ = 0;  // transaction
    std::string call_id_, tag_;
    std::uint32_t cseq_ = 0;
};

}  // namespace vmr::sip
