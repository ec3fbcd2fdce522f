// Call records: one JSON line per leg (schemas/cdr.json), on disk before the end of the
// call is acknowledged. A journal of open calls lets the next start close a crashed run's.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr::store {

using Time = std::chrono::system_clock::time_point;

struct StreamRecord {
    std::string kind;       // audio, video, content
    std::string direction;  // in (from the participant), out
    std::string codec;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::int64_t lost = 0;
    std::uint64_t reordered = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t ssrc_changes = 0;
    double jitter_ms = 0;
    double bitrate_bps = 0;
    std::optional<double> round_trip_ms;
    std::optional<std::int64_t> remote_lost;  // what the peer's RTCP says of our packets
    std::optional<double> remote_jitter_ms;
};

struct CryptoRecord {
    std::string signalling = "none";  // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string media = "none";       // "DTLS-SRTP AEAD_AES_256_GCM"
    int key_bits = 0;
    bool encrypted = false;
};

struct CallRecord {
    std::string id;  // CallRecords::new_id()
    std::string room;
    std::string room_title;
    std::string participant;
    std::string name;
    std::string role = "none";     // host, guest, none (never got one)
    std::string leg;               // webrtc, sip, phone, h323
    std::string direction = "in";  // in, out
    std::string from;
    std::string to;
    std::string remote_address;
    std::string local_address;
    std::string trunk;
    std::string verification;  // of the caller's number by the network: passed, failed, none; empty: not said
    std::string identity;      // its token (RFC 8224), not verified here
    std::string user_agent;
    std::string server_version;
    Time started_at{};
    std::optional<Time> admitted_at;
    Time ended_at{};
    double lobby_seconds = 0;
    bool admitted = false;
    int pin_attempts = 0;
    std::string end_cause;  // left, removed, refused, wrong_pin, timeout, no_media, crash, …
    std::string end_text;
    std::int64_t cost = 0;    // of a call of ours with a price; millionths of the currency
    std::uint64_t count = 1;  // calls that the record stands for: see CallRecords::refuse
    CryptoRecord crypto;
    std::vector<StreamRecord> streams;
};

nlohmann::json to_json(const CallRecord& record);
Result<CallRecord> call_record_from_json(const nlohmann::json& value);

struct CallRecordsOptions {
    std::string path;                             // the journal is `path` + ".open"
    std::size_t max_pending = 10000;              // records that wait for the disk
    std::uint64_t rotate_bytes = 0;               // 0: never; else path → path.1 at this size
    std::chrono::milliseconds retry_after{1000};  // after a failed write
    std::string server_version;
    // Called on the main context when writing starts to fail (message) and when it works again ("").
    std::function<void(const std::string&)> on_trouble;
};

// All functions are for the main context; a worker thread named "records" does the I/O.
class CallRecords {
public:
    // Opens or makes the file, mends a torn last line, and closes what a crashed run left open.
    static Result<std::unique_ptr<CallRecords>> open(CallRecordsOptions options);
    // Waits for what is pending; what cannot be written (full disk) stays in the journal.
    ~CallRecords();
    CallRecords(const CallRecords&) = delete;
    CallRecords& operator=(const CallRecords&) = delete;

    static std::string new_id();

    // The call is known from here on: if we crash, the next start closes it with cause "crash".
    // Call again with the same id when something worth keeping changed (role, name, crypto).
    void begin(const CallRecord& record);
    // `on_stored` is called on the main context when the record is on disk (fsync), or with an
    // error when it never will be (too many pending). A failed write is retried meanwhile.
    void finish(const CallRecord& record, std::function<void(Status)> on_stored);
    // A whole record of a call that was never answered. Many of one source leave one record that counts them
    // (RefusalLog), up to a minute later.
    void refuse(CallRecord record);

    struct Query {
        std::string room;  // empty: all
        std::size_t limit = 100;
    };
    // The latest records as JSON, newest first; `done` is called on the main context.
    void list(Query query, std::function<void(nlohmann::json)> done);

    std::size_t recovered() const;  // records closed for a crashed run at open()
    std::size_t pending() const;

private:
    class Impl;
    explicit CallRecords(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::store
