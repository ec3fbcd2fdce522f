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
    Impl(Costs costs, std::size_t max_pending) : costs_(costs), max_pending_(max_pending) {
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

    bool push(std::function<void()> job) {
        const std::scoped_lock lock(mutex_);
        if (jobs_.size() >= max_pending_) {
            return false;
        }
        jobs_.push_back(std::move(job));
        wake_.notify_one();
        return true;
    }

    Result<std::string> hash(const std::string& pin) const {
        char text[crypto_pwhash_STRBYTES];
        if (crypto_pwhash_str_alg(text, pin.data(), pin.size(), costs_.operations, costs_.memory,
                                  crypto_pwhash_ALG_ARGON2ID13) != 0) {
            return Error{"not enough memory to hash a PIN"};
        }
        return std::string(text);
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (jobs_.empty()) {
                wake_.wait(lock);
                continue;
            }
            const auto job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
    }

    const Costs costs_;
    const std::size_t max_pending_;
    std::mutex mutex_;  // guards jobs_ and stopping_
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

PinHasher::PinHasher() : PinHasher(Costs()) {}

PinHasher::PinHasher(Costs costs, std::size_t max_pending)
    : impl_(std::make_unique<Impl>(costs, max_pending)) {}

PinHasher::~PinHasher() = default;

Result<std::string> PinHasher::hash(const std::string& pin) const {
    return impl_->hash(pin);
}

bool PinHasher::hash_later(std::string pin, std::function<void(Result<std::string>)> done) {
    return impl_->push([impl = impl_.get(), pin = std::move(pin), done = std::move(done)] {
        auto result = impl->hash(pin);
        call_on_main([done, result = std::move(result)] { done(result); });
    });
}

bool PinHasher::verify_later(std::string digits, std::vector<std::string> hashes,
                             std::function<void(int)> done) {
    return impl_->push([digits = std::move(digits), hashes = std::move(hashes), done = std::move(done)] {
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
