// Devices that register, of registrar-cost: what they send, and a process of them, each on a connection of
// its own.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace vmr::bench {

constexpr const char* kDomain = "meet.example";
constexpr const char* kSecret = "correct horse battery";

std::string name_of(unsigned device);

// As a room system writes it. `transport`: of its Via.
std::string request(unsigned device, unsigned cseq, const std::string& transport,
                    const std::string& authorization);
std::string credentials(unsigned device, const std::string& nonce, unsigned count);

// Both throw if the answer is another.
std::string nonce_of(const std::string& answer);
void expect_ok(const std::string& answer);

// Their process: they connect, register and refresh, each step of which they wait for.
class Registering {
public:
    struct Load {
        bool tls = false;
        unsigned devices = 1000, refreshes = 20;
    };

    explicit Registering(const Load& load);
    Registering(const Registering&) = delete;
    Registering& operator=(const Registering&) = delete;

    void connect(std::uint16_t port);
    void go_on();
    // Readable once the step is done.
    int descriptor() const { return from_; }
    // After the last step, or once they are gone; throws if they failed.
    void join();

private:
    int to_ = -1, from_ = -1;
    pid_t pid_ = -1;
};

// Takes what made the descriptor readable. False: they are gone.
bool told(int descriptor);

}  // namespace vmr::bench
