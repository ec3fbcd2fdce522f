#include "daemon/ops/pins.hpp"

#include <pthread.h>
#include <sodium.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/main_context.hpp"
#include "daemon/ops/config.hpp"

namespace vmr::ops {

std::string generate_pin(int digits) {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium has no random source");
    }
    std::string pin;
    for (int i = 0; i < digits; ++i) {
        pin += static_cast<char>('0' + randombytes_uniform(10));
    }
    return pin;
}

class PinHasher::Impl {
public:
    Impl(Costs costs, std::size_t max_pending, std::size_t max_hashing)
        : costs_(costs), checks_{max_pending, {}}, hashing_{max_hashing, {}} {
        if (sodium_init() < 0) {
            throw std::runtime_error("libsodium has no random source");
        }
        thread_ = std::thread([this] { run(); });
        pthread_setname_np(thread_.native_handle(), "pin-hash");
    }

    ~Impl() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    bool push_check(std::function<void()> job) { return push(checks_, std::move(job)); }
    bool push_hashing(std::function<void()> job) { return push(hashing_, std::move(job)); }

    Hashes hash(const std::vector<std::string>& pins) const {
        std::vector<std::string> hashes;
        for (const std::string& pin : pins) {
            const auto hashed = pin.empty() ? Result<std::string>(std::string()) : hash(pin);
            if (!hashed) {
                return Error{hashed.error()};
            }
            hashes.push_back(*hashed);
        }
        return hashes;
    }

private:
    struct Queue {
        std::size_t limit;
        std::deque<std::function<void()>> jobs;
    };

    Result<std::string> hash(const std::string& pin) const {
        char text[crypto_pwhash_STRBYTES];
        if (crypto_pwhash_str_alg(text, pin.data(), pin.size(), costs_.operations, costs_.memory,
                                  crypto_pwhash_ALG_ARGON2ID13) != 0) {
            return Error{"not enough memory to hash a PIN"};
        }
        return std::string(text);
    }

    bool push(Queue& queue, std::function<void()> job) {
        const std::scoped_lock lock(mutex_);
        if (queue.jobs.size() >= queue.limit) {
            return false;
        }
        queue.jobs.push_back(std::move(job));
        wake_.notify_one();
        return true;
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            std::deque<std::function<void()>>& jobs = checks_.jobs.empty() ? hashing_.jobs : checks_.jobs;
            if (jobs.empty()) {
                wake_.wait(lock);
                continue;
            }
            const auto job = std::move(jobs.front());
            jobs.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
    }

    const Costs costs_;
    std::mutex mutex_;  // guards checks_, hashing_ and stopping_
    std::condition_variable wake_;
    Queue checks_;
    Queue hashing_;
    bool stopping_ = false;
    std::thread thread_;
};

PinHasher::PinHasher() : PinHasher(Costs()) {}

PinHasher::PinHasher(Costs costs, std::size_t max_pending, std::size_t max_hashing)
    : impl_(std::make_unique<Impl>(costs, max_pending, max_hashing)) {}

PinHasher::~PinHasher() = default;

PinHasher::Hashes PinHasher::hash(const std::vector<std::string>& pins) const {
    return impl_->hash(pins);
}

bool PinHasher::hash_later(std::vector<std::string> pins, std::function<void(const Hashes&)> done) {
    return impl_->push_hashing([impl = impl_.get(), pins = std::move(pins), done = std::move(done)] {
        auto result = impl->hash(pins);
        call_on_main([done, result = std::move(result)] { done(result); });
    });
}

bool PinHasher::verify_later(std::string digits, std::vector<std::string> hashes,
                             std::function<void(int)> done) {
    return impl_->push_check([digits = std::move(digits), hashes = std::move(hashes),
                              done = std::move(done)] {
        int match = -1;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            if (crypto_pwhash_str_verify(hashes[i].c_str(), digits.data(), digits.size()) == 0 && match < 0) {
                match = static_cast<int>(i);
            }
        }
        call_on_main([done, match] { done(match); });
    });
}

}  // namespace vmr::ops
