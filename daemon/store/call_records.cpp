#include "daemon/store/call_records.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "base/guard.hpp"
#include "base/main_context.hpp"
#include "daemon/store/record_files.hpp"
#include "daemon/store/refusal_log.hpp"

namespace vmr::store {

using nlohmann::json;

class CallRecords::Impl {
public:
    explicit Impl(CallRecordsOptions options)
        : options_(std::move(options)),
          files_(options_.path, options_.rotate_bytes, options_.server_version) {}

    Status open() {
        auto recovered = files_.open();
        if (!recovered) {
            return Error{recovered.error()};
        }
        recovered_ = *recovered;
        thread_ = std::thread([this] { run(); });
        pthread_setname_np(thread_.native_handle(), "records");
        return Ok{};
    }

    ~Impl() {
        if (refusals_timer_ != 0) {
            g_source_remove(refusals_timer_);
        }
        guard(nullptr, [this] { write_refusals(); });
        if (!thread_.joinable()) {
            return;
        }
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    struct Job {
        bool is_end = false;
        std::string id;
        json record;
        std::function<void(Status)> on_stored;
    };

    void push(Job job) {
        const std::scoped_lock lock(mutex_);
        if (jobs_.size() >= options_.max_pending) {
            if (job.on_stored) {
                call_on_main(
                    [done = std::move(job.on_stored)] { done(Error{"too many records wait for the disk"}); });
            }
            return;
        }
        jobs_.push_back(std::move(job));
        wake_.notify_one();
    }

    void push_query(Query query, std::function<void(json)> done) {
        const std::scoped_lock lock(mutex_);
        queries_.emplace_back(std::move(query), std::move(done));
        wake_.notify_one();
    }

    void write_end(const CallRecord& record, std::function<void(Status)> on_stored) {
        json value = to_json(record);
        value["server_version"] = options_.server_version;
        push({true, record.id, std::move(value), std::move(on_stored)});
    }

    void refuse(CallRecord record) {
        if (const auto now = refusals_.take(std::move(record), std::chrono::steady_clock::now())) {
            write_end(*now, {});
        } else if (refusals_timer_ == 0) {
            refusals_timer_ = g_timeout_add_seconds(static_cast<guint>(RefusalLog::Limits().window.count()),
                                                    on_refusals_due, this);
        }
    }

    std::size_t recovered() const { return recovered_; }
    std::size_t pending() const {
        const std::scoped_lock lock(mutex_);
        return jobs_.size();
    }
    const CallRecordsOptions& options() const { return options_; }

private:
    static gboolean on_refusals_due(gpointer data) {
        auto* self = static_cast<Impl*>(data);
        self->refusals_timer_ = 0;
        guard(nullptr, [&] { self->write_refusals(); });
        return G_SOURCE_REMOVE;
    }

    void write_refusals() {
        for (const CallRecord& record : refusals_.counted()) {
            write_end(record, {});
        }
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            answer_queries(lock);
            if (jobs_.empty()) {
                if (stopping_) {
                    return;
                }
                wake_.wait(lock, [&] { return stopping_ || !jobs_.empty() || !queries_.empty(); });
                continue;
            }
            if (write_batch(lock)) {
                continue;
            }
            if (stopping_) {
                return;  // what could not be written stays open in the journal: the next start closes it
            }
            wake_.wait_for(lock, options_.retry_after, [&] { return stopping_ || !queries_.empty(); });
        }
    }

    void answer_queries(std::unique_lock<std::mutex>& lock) {
        while (!queries_.empty()) {
            auto [query, done] = std::move(queries_.front());
            queries_.pop_front();
            lock.unlock();
            json found = files_.latest(query);
            call_on_main([done = std::move(done), found = std::move(found)] { done(found); });
            lock.lock();
        }
    }

    // Everything that waits goes to disk with one fsync. The jobs stay queued until they are there.
    bool write_batch(std::unique_lock<std::mutex>& lock) {
        std::deque<Job> batch = jobs_;
        lock.unlock();
        std::vector<json> ended;
        Status written = Ok{};
        for (const Job& job : batch) {
            if (job.is_end) {
                ended.push_back(job.record);
            } else if (written) {
                written = files_.note_open(job.id, job.record);
            }
        }
        // Ends are written even if the journal could not be: they are what counts.
        Status stored = files_.append(ended);
        lock.lock();
        std::deque<Job> left;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            Job& job = jobs_[i];
            if (!(job.is_end ? stored : written)) {
                left.push_back(std::move(job));
            } else if (job.on_stored) {
                call_on_main([done = std::move(job.on_stored)] { done(Ok{}); });
            }
        }
        jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
        jobs_.insert(jobs_.begin(), std::make_move_iterator(left.begin()),
                     std::make_move_iterator(left.end()));
        const bool ok = written.ok() && stored.ok();
        report(ok ? "" : !stored ? stored.error() : written.error());
        return ok;
    }

    void report(const std::string& trouble) {
        if (trouble != trouble_ && options_.on_trouble) {
            call_on_main([told = options_.on_trouble, trouble] { told(trouble); });
        }
        trouble_ = trouble;
    }

    const CallRecordsOptions options_;
    RecordFiles files_;    // of the thread, once it runs
    RefusalLog refusals_;  // of the main context, as is refusals_timer_
    guint refusals_timer_ = 0;
    std::size_t recovered_ = 0;
    std::string trouble_;       // of the thread
    mutable std::mutex mutex_;  // guards jobs_, queries_, stopping_
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    std::deque<std::pair<Query, std::function<void(json)>>> queries_;
    bool stopping_ = false;
    std::thread thread_;
};

Result<std::unique_ptr<CallRecords>> CallRecords::open(CallRecordsOptions options) {
    auto impl = std::make_unique<Impl>(std::move(options));
    if (Status opened = impl->open(); !opened) {
        return Error{opened.error()};
    }
    return std::unique_ptr<CallRecords>(new CallRecords(std::move(impl)));
}

CallRecords::CallRecords(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CallRecords::~CallRecords() = default;

// RFC 9562 version 4.
std::string CallRecords::new_id() {
    std::array<unsigned char, 16> bytes{};
    if (getentropy(bytes.data(), bytes.size()) != 0) {
        std::random_device device;
        for (unsigned char& byte : bytes) {
            byte = static_cast<unsigned char>(device());
        }
    }
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
    std::string id;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        char pair[3];
        std::snprintf(pair, sizeof pair, "%02x", bytes[i]);
        id += (i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "") + std::string(pair);
    }
    return id;
}

void CallRecords::begin(const CallRecord& record) {
    json value = to_json(record);
    value["server_version"] = impl_->options().server_version;
    impl_->push({false, record.id, std::move(value), {}});
}

void CallRecords::finish(const CallRecord& record, std::function<void(Status)> on_stored) {
    impl_->write_end(record, std::move(on_stored));
}

void CallRecords::refuse(CallRecord record) {
    impl_->refuse(std::move(record));
}

void CallRecords::list(Query query, std::function<void(json)> done) {
    impl_->push_query(std::move(query), std::move(done));
}

std::size_t CallRecords::recovered() const {
    return impl_->recovered();
}

std::size_t CallRecords::pending() const {
    return impl_->pending();
}

}  // namespace vmr::store
