// How many records refused calls may leave: the first of a source and minute one each, the others together
// one that counts them. Who is turned away costs the disk next to nothing, whatever they try. Pure.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/call_records.hpp"

namespace vmr::store {

class RefusalLog {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    struct Limits {
        unsigned per_source = 10;  // records of their own
        unsigned in_all = 60;      // the same, of all sources together
        std::size_t counts = 100;  // of a source and cause; what is beyond them is counted as one
        std::chrono::seconds window{60};
    };

    RefusalLog() = default;
    explicit RefusalLog(Limits limits) : limits_(limits) {}

    // The record if it is to be written now; nothing: it is counted.
    std::optional<CallRecord> take(CallRecord record, SteadyTime now);
    // One record for each count, which begins anew. To be called once a window while take() counts.
    std::vector<CallRecord> counted();

private:
    void begin_window(SteadyTime now);

    Limits limits_;
    SteadyTime since_{};
    unsigned written_ = 0;
    std::map<std::string, unsigned> written_of_;                        // by source
    std::map<std::pair<std::string, std::string>, CallRecord> counts_;  // by source and cause
};

}  // namespace vmr::store
