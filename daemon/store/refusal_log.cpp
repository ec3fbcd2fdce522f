#include "daemon/store/refusal_log.hpp"

#include "base/source_network.hpp"

namespace vmr::store {
namespace {

// "192.0.2.7:5060", "[2001:db8::1]:5060" or an address alone: the source it counts for.
std::string source_of(const CallRecord& record) {
    const std::string& address = record.remote_address;
    if (address.starts_with('[')) {
        return source_network(address.substr(1, address.find(']') - 1));
    }
    const auto colon = address.find(':');
    return colon == address.rfind(':') ? address.substr(0, colon) : source_network(address);
}

CallRecord of_several_sources(const CallRecord& first) {
    CallRecord record;
    record.id = first.id;
    record.leg = first.leg;
    record.started_at = first.started_at;
    record.end_cause = first.end_cause;
    return record;
}

}  // namespace

void RefusalLog::begin_window(SteadyTime now) {
    if (now - since_ >= limits_.window && counts_.empty()) {
        since_ = now;
        written_ = 0;
        written_of_.clear();
    }
}

std::optional<CallRecord> RefusalLog::take(CallRecord record, SteadyTime now) {
    begin_window(now);
    const std::string source = source_of(record);
    if (written_ < limits_.in_all) {
        if (unsigned& of_source = written_of_[source]; of_source < limits_.per_source) {
            ++of_source;
            ++written_;
            return record;
        }
    }
    const std::pair<std::string, std::string> key{source, record.end_cause};
    auto count = counts_.find(key);
    if (count == counts_.end()) {
        const bool is_full = counts_.size() >= limits_.counts;
        CallRecord first = is_full ? of_several_sources(record) : record;
        first.count = 0;
        count = counts_.emplace(is_full ? decltype(key){} : key, std::move(first)).first;
    }
    CallRecord& counted = count->second;
    ++counted.count;
    counted.ended_at = record.ended_at;
    return std::nullopt;
}

std::vector<CallRecord> RefusalLog::counted() {
    std::vector<CallRecord> records;
    for (auto& [key, record] : counts_) {
        record.end_text = std::to_string(record.count) + " refused" +
                          (key.first.empty() ? ", of several sources and causes" : "");
        records.push_back(std::move(record));
    }
    counts_.clear();
    return records;
}

}  // namespace vmr::store
