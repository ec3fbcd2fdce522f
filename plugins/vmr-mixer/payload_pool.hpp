// The bytes of one packet, shared by whoever sends them; used again when the last one let go.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace vmr::mixer {

class PayloadPool;

struct Payload {
    std::vector<std::uint8_t> bytes;

private:
    struct Home {
        std::mutex lock;  // leaf
        std::vector<std::unique_ptr<Payload>> idle;
    };
    std::atomic<unsigned> references = 0;
    std::shared_ptr<Home> home;  // while somebody holds this
    friend class PayloadPool;
    friend class PayloadPtr;
};

// May be copied and dropped on any thread.
class PayloadPtr {
public:
    PayloadPtr() = default;
    explicit PayloadPtr(Payload* payload) : payload_(payload) { take(); }
    PayloadPtr(const PayloadPtr& other) : payload_(other.payload_) { take(); }
    PayloadPtr(PayloadPtr&& other) noexcept : payload_(std::exchange(other.payload_, nullptr)) {}
    PayloadPtr& operator=(PayloadPtr other) noexcept {
        std::swap(payload_, other.payload_);
        return *this;
    }
    ~PayloadPtr() { drop(); }

    const std::vector<std::uint8_t>& operator*() const { return payload_->bytes; }
    const std::vector<std::uint8_t>* operator->() const { return &payload_->bytes; }
    explicit operator bool() const { return payload_ != nullptr; }
    const Payload* get() const { return payload_; }

private:
    void take() {
        if (payload_ != nullptr) {
            payload_->references.fetch_add(1, std::memory_order_relaxed);
        }
    }
    void drop() {
        if (payload_ == nullptr || payload_->references.fetch_sub(1, std::memory_order_acq_rel) > 1) {
            return;
        }
        std::unique_ptr<Payload> owned(payload_);
        const std::shared_ptr<Payload::Home> home = std::move(owned->home);
        const std::lock_guard held(home->lock);
        home->idle.push_back(std::move(owned));
    }

    Payload* payload_ = nullptr;
};

// What it gave out may outlive it.
class PayloadPool {
public:
    PayloadPool() : home_(std::make_shared<Payload::Home>()) {}

    // `fill` writes the bytes; whatever was in the vector before may still be there.
    template <typename Fill>
    PayloadPtr make(Fill&& fill) {
        std::unique_ptr<Payload> payload;
        {
            const std::lock_guard held(home_->lock);
            if (!home_->idle.empty()) {
                payload = std::move(home_->idle.back());
                home_->idle.pop_back();
            }
        }
        if (!payload) {
            payload = std::make_unique<Payload>();
        }
        fill(payload->bytes);
        payload->home = home_;
        return PayloadPtr(payload.release());
    }

private:
    std::shared_ptr<Payload::Home> home_;
};

}  // namespace vmr::mixer
