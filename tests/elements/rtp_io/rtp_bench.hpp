// Legs of vmr-rtp-io on a bench: packets to push, keys, statistics, and a stranger with a socket.
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/elements/bench.hpp"

namespace vmr::test {

using Octets = std::vector<std::uint8_t>;

constexpr const char* kPcmuCaps =
    "application/x-rtp,media=(string)audio,payload=(int)0,clock-rate=(int)8000,encoding-name=(string)PCMU";

inline Octets rtp_octets(unsigned sequence, std::size_t payload = 160, std::uint8_t type = 0,
                         std::uint32_t ssrc = 42) {
    Octets octets{0x80,
                  type,
                  static_cast<std::uint8_t>(sequence >> 8),
                  static_cast<std::uint8_t>(sequence),
                  0,
                  0,
                  0,
                  0,
                  static_cast<std::uint8_t>(ssrc >> 24),
                  static_cast<std::uint8_t>(ssrc >> 16),
                  static_cast<std::uint8_t>(ssrc >> 8),
                  static_cast<std::uint8_t>(ssrc)};
    for (std::size_t i = 0; i < payload; ++i) {
        octets.push_back(static_cast<std::uint8_t>(sequence + i));
    }
    return octets;
}

inline Octets rtcp_octets() {
    Octets octets{0x80, 200, 0, 6, 0, 0, 0, 42};
    octets.resize(28, 0x33);
    return octets;
}

inline BufferPtr buffer_with(const Octets& octets) {
    return BufferPtr::adopt(gst_buffer_new_memdup(octets.data(), octets.size()));
}

inline Octets octets_of(GstBuffer* buffer) {
    Octets octets(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, octets.data(), octets.size());
    return octets;
}

// Deadline 60 s.
template <typename Condition>
bool eventually(Condition&& condition) {
    const gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (!condition()) {
        if (g_get_monotonic_time() > deadline) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

class RtpBench : public Bench {
public:
    RtpBench() : Bench("vmr-rtp-io") { g_object_set(element(), "local-address", "127.0.0.1", nullptr); }
    ~RtpBench() { gst_element_set_state(element(), GST_STATE_NULL); }

    PadPtr pad(const std::string& name) {
        PadPtr found = PadPtr::adopt(gst_element_get_static_pad(element(), name.c_str()));
        // The element keeps a requested pad until it is released.
        return found ? found : PadPtr::adopt(gst_element_request_pad_simple(element(), name.c_str()));
    }
    void release(const std::string& name) { gst_element_release_request_pad(element(), pad(name).get()); }
    unsigned port(const std::string& name) {
        guint port = 0;
        g_object_get(pad(name).get(), "local-port", &port, nullptr);
        return port;
    }
    void aim(const std::string& name, unsigned port, const char* address = "127.0.0.1") {
        g_object_set(pad(name).get(), "remote-address", address, "remote-port", port, nullptr);
    }
    void secure(const std::string& name, const char* suite, const std::string& send,
                const std::string& receive) {
        gst_util_set_object_arg(G_OBJECT(pad(name).get()), "srtp-suite", suite);
        g_object_set(pad(name).get(), "srtp-send-key", send.c_str(), "srtp-receive-key", receive.c_str(),
                     nullptr);
    }
    std::int64_t stat(const std::string& name, const char* field) {
        GstStructure* stats = nullptr;
        g_object_get(pad(name).get(), "stats", &stats, nullptr);
        const GValue* value = gst_structure_get_value(stats, field);
        const std::int64_t number = value == nullptr ? -1000
                                    : G_VALUE_HOLDS_UINT64(value)
                                        ? static_cast<std::int64_t>(g_value_get_uint64(value))
                                    : G_VALUE_HOLDS_UINT(value) ? g_value_get_uint(value)
                                                                : g_value_get_int64(value);
        gst_structure_free(stats);
        return number;
    }
    Outlet& hear(const std::string& name) {
        pad(name);
        return outlet(name.c_str());
    }
    void say(const std::string& name, const Octets& octets, const char* caps = "application/x-rtp") {
        pad(name);
        inlet(name.c_str(), caps);
        EXPECT_EQ(push(name.c_str(), buffer_with(octets)), GST_FLOW_OK);
    }
};

// A socket of its own on loopback.
class Stranger {
public:
    Stranger() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in local = address(0);
        EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&local), sizeof local), 0);
        const timeval patience{10, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~Stranger() { close(fd_); }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

    unsigned port() const {
        sockaddr_in local{};
        socklen_t length = sizeof local;
        getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length);
        return ntohs(local.sin_port);
    }
    void send(unsigned port, const Octets& octets) const {
        const sockaddr_in to = address(port);
        EXPECT_EQ(
            sendto(fd_, octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(octets.size()));
    }
    Octets receive() const {  // empty after 10 s
        Octets octets(4096);
        const ssize_t size = recv(fd_, octets.data(), octets.size(), 0);
        octets.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return octets;
    }
    void forget() const {  // what has come
        char octet = 0;
        while (recv(fd_, &octet, 1, MSG_DONTWAIT) >= 0) {
        }
    }

private:
    static sockaddr_in address(unsigned port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    int fd_;
};

struct Suite {
    const char* name;
    const char* cipher;  // of srtpenc
    const char* rtp_auth;
    const char* rtcp_auth;
    std::size_t key_bytes;  // with salt
};

inline constexpr Suite kSuites[] = {
    {"aes-128-cm-80", "aes-128-icm", "hmac-sha1-80", "hmac-sha1-80", 30},
    {"aes-128-cm-32", "aes-128-icm", "hmac-sha1-32", "hmac-sha1-80", 30},
    {"aes-256-cm-80", "aes-256-icm", "hmac-sha1-80", "hmac-sha1-80", 46},
    {"aes-256-cm-32", "aes-256-icm", "hmac-sha1-32", "hmac-sha1-80", 46},
    {"aead-aes-128-gcm", "aes-128-gcm", "null", "null", 28},
    {"aead-aes-256-gcm", "aes-256-gcm", "null", "null", 44},
};

inline Octets key_for(const Suite& suite, std::uint8_t seed) {
    Octets key(suite.key_bytes);
    for (std::uint8_t& octet : key) {
        octet = seed = static_cast<std::uint8_t>(seed * 29 + 11);
    }
    return key;
}

inline std::string base64(const Octets& octets) {
    const GCharPtr text(g_base64_encode(octets.data(), octets.size()));
    return text.get();
}

}  // namespace vmr::test
