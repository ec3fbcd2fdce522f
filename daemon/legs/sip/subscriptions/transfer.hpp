// REFER that we send in a call (RFC 3515): the peer is to call somebody else; its NOTIFYs tell how that goes.
// Pure: time is an argument.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/legs/leg.hpp"
#include "daemon/legs/sip/dialog/dialog.hpp"

namespace vmr::sip {

class Transfer {
public:
    static constexpr std::int64_t kLongest = 240'000;  // ms, from the REFER on

    explicit Transfer(OnCallStatus on_status) : on_status_(std::move(on_status)) {}

    static RequestParts request(const std::string& uri);
    // It went out: its transaction and CSeq.
    void begin(std::uint64_t id, std::uint32_t cseq, std::int64_t now);
    void renumber(std::uint32_t cseq) { cseq_ = cseq; }  // once more, under the same transaction's number

    bool is_own(std::uint64_t id) const { return id != 0 && id == refer_; }
    void receive_response(const Message& response);
    // A NOTIFY of this; another gets 481.
    bool is_told_by(const Message& notify) const;
    void receive_notify(const Message& notify);
    void fail(int status, const std::string& reason);  // where that is not known yet
    void tick(std::int64_t now);
    std::optional<std::int64_t> next_deadline() const {
        return over_ ? std::nullopt : std::optional(give_up_at_);
    }
    bool over() const { return over_; }

private:
    void report(int status, const std::string& reason);

    OnCallStatus on_status_;
    std::uint64_t refer_ = 0;
    std::uint32_t cseq_ = 0;
    std::int64_t give_up_at_ = 0;
    int last_ = 0;  // status as reported last
    bool over_ = false;
};

}  // namespace vmr::sip
