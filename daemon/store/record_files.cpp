#include "daemon/store/record_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "schemas/time_text.hpp"

namespace vmr::store {

using nlohmann::json;

namespace {

constexpr mode_t kMode = 0640;                        // names and addresses are personal data
constexpr std::uint64_t kJournalSlack = 256 * 1024;   // bytes of closed calls before a rewrite
constexpr std::int64_t kTailBytes = 8 * 1024 * 1024;  // what is searched for the latest records

std::string line_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Error system_error(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

// Appends all of `text` at `size`, or takes back what was written.
Status append_at(int file, std::uint64_t& size, const std::string& text, bool sync, const std::string& name) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count =
            pwrite(file, text.data() + done, text.size() - done, static_cast<off_t>(size + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    if (done < text.size() || (sync && fdatasync(file) != 0)) {
        const Error problem = system_error(name);
        if (ftruncate(file, static_cast<off_t>(size)) != 0) {
            return Error{problem.message + "; and it could not be mended"};
        }
        return problem;
    }
    size += text.size();
    return Ok{};
}

std::vector<json> lines_of(std::istream& stream) {
    std::vector<json> lines;
    std::string line;
    while (std::getline(stream, line)) {
        json value = json::parse(line, nullptr, false);
        if (value.is_object()) {
            lines.push_back(std::move(value));
        }
    }
    return lines;
}

std::vector<json> tail_of(const std::string& path) {
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    const std::int64_t size = stream ? static_cast<std::int64_t>(stream.tellg()) : 0;
    stream.seekg(std::max<std::int64_t>(0, size - kTailBytes));
    if (size > kTailBytes) {
        std::string partial;
        std::getline(stream, partial);
    }
    return lines_of(stream);
}

}  // namespace

RecordFiles::RecordFiles(std::string path, std::uint64_t rotate_bytes, std::string server_version)
    : path_(std::move(path)),
      journal_path_(path_ + ".open"),
      rotate_bytes_(rotate_bytes),
      server_version_(std::move(server_version)) {}

RecordFiles::~RecordFiles() {
    for (const int file : {file_, journal_, lock_}) {
        if (file >= 0) {
            close(file);
        }
    }
}

Result<std::size_t> RecordFiles::open() {
    lock_ = ::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (lock_ < 0) {
        return system_error(path_ + ".lock");
    }
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        return Error{path_ + ": in use by another process"};
    }
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (file_ < 0) {
        return system_error(path_);
    }
    if (Status mended = mend_torn_line(); !mended) {
        return Error{mended.error()};
    }
    return close_crashed();
}

// A line without its end was being written when the machine or the process went; its call is
// still open in the journal, so it is cut away and closed again from there.
Status RecordFiles::mend_torn_line() {
    struct stat info {};
    if (fstat(file_, &info) != 0) {
        return system_error(path_);
    }
    off_t end = info.st_size;
    char buffer[4096];
    while (end > 0) {
        const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(sizeof buffer));
        const ssize_t count = pread(file_, buffer, static_cast<std::size_t>(end - begin), begin);
        if (count <= 0) {
            return system_error(path_);
        }
        const auto* newline =
            static_cast<const char*>(memrchr(buffer, '\n', static_cast<std::size_t>(count)));
        if (newline != nullptr) {
            end = begin + (newline - buffer) + 1;
            break;
        }
        end = begin;
    }
    if (end != info.st_size && (ftruncate(file_, end) != 0 || fdatasync(file_) != 0)) {
        return system_error(path_);
    }
    size_ = static_cast<std::uint64_t>(end);
    return Ok{};
}

std::set<std::string> RecordFiles::stored_lately() const {
    std::set<std::string> ids;
    for (const std::string& path : {path_, path_ + ".1"}) {
        for (const json& record : tail_of(path)) {
            ids.insert(record.value("id", ""));
        }
    }
    return ids;
}

Result<std::size_t> RecordFiles::close_crashed() {
    struct stat info {};
    const bool present = stat(journal_path_.c_str(), &info) == 0;
    std::map<std::string, json> open_calls;
    std::ifstream journal(journal_path_);
    for (const json& line : lines_of(journal)) {
        if (line.contains("closed")) {
            open_calls.erase(line["closed"].get<std::string>());
        } else {
            open_calls[line.value("id", "")] = line;
        }
    }
    std::vector<json> closed;
    const std::set<std::string> stored = open_calls.empty() ? std::set<std::string>() : stored_lately();
    for (auto& [id, record] : open_calls) {
        if (!stored.contains(id)) {
            // When it ended nobody knows: the journal's last change is the last sign of life.
            record["ended_at"] = present
                                     ? schema::rfc3339(std::chrono::system_clock::from_time_t(info.st_mtime))
                                     : record.value("started_at", "");
            record["ended_at"] =
                std::max(record["ended_at"].get<std::string>(), record.value("started_at", ""));
            record["end_cause"] = "crash";
            record["end_text"] = "the server ended without closing this call";
            closed.push_back(record);
        }
    }
    if (Status stored = append(closed); !stored) {
        return Error{stored.error()};
    }
    if (Status fresh = rewrite_journal(); !fresh) {
        return Error{fresh.error()};
    }
    return closed.size();
}

Status RecordFiles::note_open(const std::string& id, const json& record) {
    const std::string line = line_of(record);
    if (Status noted = append_at(journal_, journal_size_, line, false, journal_path_); !noted) {
        return noted;
    }
    std::string& noted_line = open_calls_[id];
    dead_bytes_ += noted_line.size();
    noted_line = line;
    return Ok{};
}

Status RecordFiles::append(const std::vector<json>& records) {
    if (records.empty()) {
        return Ok{};
    }
    std::string text;
    for (const json& record : records) {
        text += line_of(record);
    }
    if (Status stored = append_at(file_, size_, text, true, path_); !stored) {
        return stored;
    }
    std::string closed;
    for (const json& record : records) {
        const auto open = open_calls_.find(record.value("id", ""));
        if (open != open_calls_.end()) {
            dead_bytes_ += open->second.size();
            open_calls_.erase(open);
            closed += line_of({{"closed", record["id"]}});
        }
    }
    dead_bytes_ += closed.size();
    // The records are safe already; a call that stays open in the journal by accident is
    // found in the records file at the next start.
    if (journal_ >= 0 &&
        (!append_at(journal_, journal_size_, closed, false, journal_path_) || dead_bytes_ > kJournalSlack)) {
        (void)rewrite_journal();
    }
    (void)rotate_if_large();
    return Ok{};
}

Status RecordFiles::rewrite_journal() {
    const std::string temporary = journal_path_ + ".new";
    const int fresh = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
    if (fresh < 0) {
        return system_error(temporary);
    }
    std::string text;
    for (const auto& [id, line] : open_calls_) {
        text += line;
    }
    std::uint64_t size = 0;
    Status written = append_at(fresh, size, text, true, temporary);
    if (!written || rename(temporary.c_str(), journal_path_.c_str()) != 0) {
        const Error problem = written ? system_error(journal_path_) : Error{written.error()};
        close(fresh);
        return problem;
    }
    if (journal_ >= 0) {
        close(journal_);
    }
    journal_ = fresh;
    journal_size_ = size;
    dead_bytes_ = 0;
    return Ok{};
}

Status RecordFiles::rotate_if_large() {
    if (rotate_bytes_ == 0 || size_ < rotate_bytes_) {
        return Ok{};
    }
    if (rename(path_.c_str(), (path_ + ".1").c_str()) != 0) {
        return system_error(path_);
    }
    const int fresh = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (fresh < 0) {
        return system_error(path_);  // the old file, now path.1, stays in use
    }
    close(file_);
    file_ = fresh;
    size_ = 0;
    return Ok{};
}

json RecordFiles::latest(const CallRecords::Query& query) const {
    json found = json::array();
    for (const std::string& path : {path_, path_ + ".1"}) {
        const std::vector<json> records = tail_of(path);
        for (auto record = records.rbegin(); record != records.rend() && found.size() < query.limit;
             ++record) {
            if (query.room.empty() || record->value("room", "") == query.room) {
                found.push_back(*record);
            }
        }
    }
    return found;
}

}  // namespace vmr::store
