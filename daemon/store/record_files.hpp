// The two files of call records: finished ones, and the journal of open calls. Blocking:
// used at open and then by the "records" thread alone.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/store/call_records.hpp"

namespace vmr::store {

class RecordFiles {
public:
    RecordFiles(std::string path, std::uint64_t rotate_bytes, std::string server_version);
    ~RecordFiles();
    RecordFiles(const RecordFiles&) = delete;

    // Mends and recovers; the number of calls closed for a crashed run.
    Result<std::size_t> open();
    // In the journal; a process crash keeps it.
    Status note_open(const std::string& id, const nlohmann::json& record);
    // On disk when it returns. All or nothing: a partial write is taken back.
    Status append(const std::vector<nlohmann::json>& records);
    nlohmann::json latest(const CallRecords::Query& query) const;

private:
    Status mend_torn_line();
    Result<std::size_t> close_crashed();
    Status rewrite_journal();
    Status rotate_if_large();
    std::set<std::string> stored_lately() const;

    const std::string path_;
    const std::string journal_path_;
    const std::uint64_t rotate_bytes_;
    const std::string server_version_;
    int file_ = -1;
    int journal_ = -1;
    int lock_ = -1;
    std::uint64_t size_ = 0;                         // bytes of whole records
    std::uint64_t journal_size_ = 0;                 // bytes
    std::uint64_t dead_bytes_ = 0;                   // of the journal's: of calls that have ended
    std::map<std::string, std::string> open_calls_;  // id → journal line
};

}  // namespace vmr::store
