// The threads of the sockets: who is on which, timers, and datagrams in numbers.
#include "daemon/media/transport/media_io.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(MediaIoPoolTest, ATransportGetsTheThreadThatHasTheFewest) {
    MediaIoPool pool(3);
    std::vector<std::shared_ptr<MediaIo>> taken;
    std::set<MediaIo*> threads;
    for (int i = 0; i < 3; i++) {
        taken.push_back(pool.take());
        threads.insert(taken.back().get());
    }
    EXPECT_EQ(threads.size(), 3u);
    MediaIo* freed = taken[1].get();
    taken[1].reset();
    EXPECT_EQ(pool.take().get(), freed);
    EXPECT_EQ(pool.take().get(), freed);  // nobody kept it
}

TEST(MediaIoPoolTest, HasAFewThreadsByDefault) {
    EXPECT_GE(MediaIoPool().threads(), 1u);
    EXPECT_LE(MediaIoPool().threads(), 4u);
}

TEST(MediaIoPoolTest, ThreadsOutliveThePoolWhileTheyAreInUse) {
    auto pool = std::make_unique<MediaIoPool>(1);
    const auto io = pool->take();
    pool.reset();
    bool ran = false;
    io->run([&] { ran = io->on_thread(); });
    EXPECT_TRUE(ran);
}

class IoTimerTest : public testing::Test {
protected:
    void TearDown() override {
        io_.run([this] {
            for (IoTimer& timer : timers_) {
                timer.cancel();
            }
        });
    }
    MediaIo io_;
    std::array<IoTimer, 4> timers_;
    std::atomic<int> fired_ = 0;
};

TEST_F(IoTimerTest, TheyFireInOrderOnTheirThread) {
    std::vector<int> order;
    io_.run([&] {
        int delay = 30;  // ms
        for (int i = 0; i < 3; i++, delay -= 10) {
            timers_[static_cast<size_t>(i)].start(io_, milliseconds(delay), [&, i] {
                EXPECT_TRUE(io_.on_thread());
                order.push_back(i);
                fired_++;
            });
        }
    });
    ASSERT_TRUE(wait_until([&] { return fired_ == 3; }));
    EXPECT_EQ(order, (std::vector{2, 1, 0}));
}

TEST_F(IoTimerTest, OneThatIsCancelledOrStartedAnewDoesNotFireTwice) {
    io_.run([&] {
        timers_[0].start(io_, milliseconds(1), [&] { fired_ += 100; });
        timers_[0].start(io_, milliseconds(5), [&] { fired_++; });
        timers_[1].start(io_, milliseconds(1), [&] { fired_ += 100; });
        timers_[1].cancel();
        EXPECT_TRUE(timers_[0].running());
        EXPECT_FALSE(timers_[1].running());
    });
    ASSERT_TRUE(wait_until([&] { return fired_ != 0; }));
    io_.run([&] { EXPECT_FALSE(timers_[0].running()); });
    EXPECT_EQ(fired_, 1);
}

// The loop must still serve others.
TEST_F(IoTimerTest, OneThatStartsItselfAtOnceLetsOthersRun) {
    std::function<void()> again = [&] { timers_[0].start(io_, microseconds(0), [&] { fired_++, again(); }); };
    io_.run([&] { again(); });
    ASSERT_TRUE(wait_until([&] { return fired_ > 100; }));
    io_.run([&] { timers_[0].cancel(); });
}

TEST_F(IoTimerTest, AnActionMayCancelAnother) {
    io_.run([&] {
        timers_[0].start(io_, milliseconds(1), [&] {
            timers_[1].cancel();
            fired_++;
        });
        timers_[1].start(io_, milliseconds(1), [&] { fired_ += 100; });
        timers_[2].start(io_, milliseconds(5), [&] { fired_++; });
    });
    ASSERT_TRUE(wait_until([&] { return fired_ >= 2; }));
    EXPECT_EQ(fired_, 2);
}

// A socket on loopback.
class Socket {
public:
    Socket() : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
        socklen_t length = sizeof address_;
        getsockname(fd, reinterpret_cast<sockaddr*>(&address_), &length);
    }
    ~Socket() { close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void send(const Socket& to, size_t size) const {
        const std::vector<uint8_t> data(size, static_cast<uint8_t>(size));
        EXPECT_EQ(sendto(fd, data.data(), size, 0, reinterpret_cast<const sockaddr*>(&to.address_),
                         sizeof to.address_),
                  static_cast<ssize_t>(size));
    }
    in_port_t port() const { return address_.sin_port; }

    const int fd;

private:
    sockaddr_in address_{};
};

class DatagramPollTest : public testing::Test {
protected:
    struct Reader final : DatagramReader {
        void on_datagram_read(const Datagram& datagram) override {
            oversized += datagram.oversized ? 1 : 0;
            bytes += datagram.bytes.size();
            from = reinterpret_cast<const sockaddr_in*>(datagram.from)->sin_port;
            if (then) {
                then();
            }
            count++;
        }
        std::function<void()> then;
        std::atomic<unsigned> count = 0, oversized = 0;
        std::atomic<size_t> bytes = 0;
        std::atomic<in_port_t> from = 0;
    };

    void add(const Socket& socket, Reader& reader) {
        io_.run([&] { EXPECT_TRUE(io_.sockets().add(socket.fd, reader)); });
    }
    void TearDown() override {
        io_.run([this] {
            for (const int fd : {a_.fd, b_.fd}) {
                io_.sockets().remove(fd);
            }
        });
    }

    MediaIo io_;
    Socket a_, b_, peer_;
    Reader of_a_, of_b_;
};

TEST_F(DatagramPollTest, AllThatWaitsIsRead) {
    constexpr unsigned kMany = 100;  // more than one call takes
    for (unsigned i = 0; i < kMany; i++) {
        peer_.send(a_, 10);
    }
    peer_.send(b_, 20);
    add(a_, of_a_);
    add(b_, of_b_);
    ASSERT_TRUE(wait_until([&] { return of_a_.count == kMany && of_b_.count == 1; }));
    EXPECT_EQ(of_a_.bytes, kMany * 10);
    EXPECT_EQ(of_b_.from, peer_.port());
    // While datagrams gather, and after that.
    for (unsigned i = 1; i <= 20; i++) {
        peer_.send(a_, 10);
        ASSERT_TRUE(wait_until([&] { return of_a_.count == kMany + i; }));
    }
}

TEST_F(DatagramPollTest, OversizedOnesAreTold) {
    add(a_, of_a_);
    peer_.send(a_, kMaxDatagram);
    ASSERT_TRUE(wait_until([&] { return of_a_.count == 1; }));
    EXPECT_EQ(of_a_.oversized, 0u);
    peer_.send(a_, kMaxDatagram + 1);
    ASSERT_TRUE(wait_until([&] { return of_a_.count == 2; }));
    EXPECT_EQ(of_a_.oversized, 1u);
}

TEST_F(DatagramPollTest, AReaderThatRemovesAnotherIsObeyed) {
    Reader first, second;
    first.then = [&] { io_.sockets().remove(b_.fd); };
    second.then = [&] { io_.sockets().remove(a_.fd); };
    peer_.send(a_, 1);
    peer_.send(b_, 1);
    io_.run([&] {  // both are ready in the same turn
        EXPECT_TRUE(io_.sockets().add(a_.fd, first));
        EXPECT_TRUE(io_.sockets().add(b_.fd, second));
    });
    ASSERT_TRUE(wait_until([&] { return first.count + second.count > 0; }));
    io_.run([] {});
    EXPECT_TRUE(first.count == 0 || second.count == 0);
}

// An attacker's or a loud peer's socket must not keep the others from being heard.
TEST_F(DatagramPollTest, OneLoudSocketDoesNotSilenceTheOthers) {
    add(a_, of_a_);
    add(b_, of_b_);
    std::atomic<bool> stop = false;
    std::thread loud([&] {
        const Socket attacker;
        while (!stop) {
            attacker.send(a_, 1000);
        }
    });
    for (unsigned i = 1; i <= 20; i++) {
        peer_.send(b_, 1);
        EXPECT_TRUE(wait_until([&] { return of_b_.count >= i; }, 5));
    }
    stop = true;
    loud.join();
}

}  // namespace
}  // namespace vmr::media::test
