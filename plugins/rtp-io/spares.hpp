// Large things that are used for a moment, on any thread, over and over.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

namespace vmr::rtp_io {

template <typename Thing>
class Spares {
public:
    class Loan {
    public:
        Loan(Spares& owner, std::unique_ptr<Thing> thing) : owner_(owner), thing_(std::move(thing)) {}
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan() { owner_.give_back(std::move(thing_)); }
        Thing& operator*() const { return *thing_; }

    private:
        Spares& owner_;
        std::unique_ptr<Thing> thing_;
    };

    // The process's, while anybody has them.
    static std::shared_ptr<Spares> shared() {
        static std::mutex lock;
        static std::weak_ptr<Spares> known;
        const std::lock_guard held(lock);
        std::shared_ptr<Spares> spares = known.lock();
        if (!spares) {
            spares = std::make_shared<Spares>();
            known = spares;
        }
        return spares;
    }

    Loan borrow() {
        {
            const std::lock_guard held(lock_);
            if (!idle_.empty()) {
                std::unique_ptr<Thing> thing = std::move(idle_.back());
                idle_.pop_back();
                return Loan(*this, std::move(thing));
            }
        }
        return Loan(*this, std::make_unique<Thing>());
    }

private:
    void give_back(std::unique_ptr<Thing> thing) {
        const std::lock_guard held(lock_);
        idle_.push_back(std::move(thing));
    }

    std::mutex lock_;  // a leaf
    std::vector<std::unique_ptr<Thing>> idle_;
};

}  // namespace vmr::rtp_io
