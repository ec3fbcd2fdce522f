// PINs: made by the system's CSPRNG, kept as argon2id hashes, checked on a worker thread
// ("pin-hash") because one check takes tens of milliseconds on purpose.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmr::ops {

class PinHasher {
public:
    struct Costs {
        unsigned long long operations = 2;
        std::size_t memory = 8 * 1024 * 1024;  // bytes
    };

    PinHasher();
    explicit PinHasher(Costs costs, std::size_t max_pending = 1000, std::size_t max_hashing = 20'000);
    // Waits for the check that runs; those that wait are dropped without an answer.
    ~PinHasher();
    PinHasher(const PinHasher&) = delete;
    PinHasher& operator=(const PinHasher&) = delete;

    // One hash for each PIN; empty for an empty PIN. Each holds its salt and costs.
    using Hashes = Result<std::vector<std::string>>;
    // Blocking: for the configuration at start.
    Hashes hash(const std::vector<std::string>& pins) const;
    // `done` is called on the main context. False: too many wait. Checks go first: a reload of many rooms
    // keeps nobody waiting at the door.
    bool hash_later(std::vector<std::string> pins, std::function<void(const Hashes&)> done);
    // Which of `hashes` the digits match: its index, or -1. All are compared, so that time does
    // not tell which one it was. Empty hashes match nothing. False: too many wait (treat it as throttled).
    bool verify_later(std::string digits, std::vector<std::string> hashes, std::function<void(int)> done);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::ops
