#include "worker.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <system_error>

#include "base/guard.hpp"

namespace vmr::rtp_io {
namespace {

int checked(int fd) {
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), "vmr-rtp-io");
    }
    return fd;
}

// Edge-triggered: the kernel would look at each reported socket once more otherwise. So sockets are read
// until they are empty.
int watch(int epoll, int fd, std::uint64_t key) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = key;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

std::int64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void set_period(int timer, long nanoseconds) {
    itimerspec when{};
    when.it_value.tv_nsec = nanoseconds;
    when.it_interval.tv_nsec = nanoseconds;
    timerfd_settime(timer, 0, &when, nullptr);
}

void drain_counter(int fd) {
    std::uint64_t count = 0;
    (void)!read(fd, &count, sizeof count);
}

}  // namespace

Worker::Worker(unsigned index) {
    epoll_ = checked(epoll_create1(EPOLL_CLOEXEC));
    wake_ = checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    patrol_ = checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    checked(watch(epoll_, wake_, kWakeKey));
    checked(watch(epoll_, patrol_, kPatrolKey));
    thread_ = std::thread([this, index] {
        pthread_setname_np(pthread_self(), ("vmr-rtp-" + std::to_string(index)).c_str());
        guard(nullptr, [this] { run(); });
    });
}

Worker::~Worker() {
    stopping_ = true;
    const std::uint64_t one = 1;
    (void)!write(wake_, &one, sizeof one);
    thread_.join();
    ::close(patrol_);
    ::close(wake_);
    ::close(epoll_);
}

void Worker::add(const std::shared_ptr<Leg>& leg) {
    const auto socket = leg->socket();
    const std::lock_guard held(legs_lock_);
    const std::uint64_t key = next_key_++;
    legs_.emplace(key, leg);
    keys_.emplace(leg.get(), key);
    checked(watch(epoll_, socket->fd(), key));
}

void Worker::remove(const std::shared_ptr<Leg>& leg) {
    const auto socket = leg->socket();
    const std::lock_guard held(legs_lock_);
    const auto key = keys_.find(leg.get());
    if (key == keys_.end()) {
        return;
    }
    if (leg->left_to_others) {
        forget_left(*leg);
    } else {
        epoll_ctl(epoll_, EPOLL_CTL_DEL, socket->fd(), nullptr);
    }
    legs_.erase(key->second);
    keys_.erase(key);
}

std::size_t Worker::legs() const {
    const std::lock_guard held(legs_lock_);
    return legs_.size();
}

void Worker::leave_to_others(const std::shared_ptr<Leg>& leg) {
    const auto socket = leg->socket();
    const std::lock_guard held(legs_lock_);
    if (!socket || leg->left_to_others || !keys_.contains(leg.get())) {
        return;
    }
    epoll_ctl(epoll_, EPOLL_CTL_DEL, socket->fd(), nullptr);
    socket->note_arrivals();
    leg->left_to_others = true;
    if (left_++ == 0) {
        set_period(patrol_, kPatrolNs);
    }
}

void Worker::forget_left(Leg& leg) {
    leg.left_to_others = false;
    if (--left_ == 0) {
        set_period(patrol_, 0);
    }
}

// Watched again, a socket that has something is reported.
void Worker::patrol() {
    const std::lock_guard held(legs_lock_);
    for (const auto& [key, leg] : legs_) {
        if (leg->left_to_others && !leg->drained.exchange(false) &&
            watch(epoll_, leg->socket()->fd(), key) == 0) {
            forget_left(*leg);
        }
    }
}

void Worker::run() {
    std::array<epoll_event, kEvents> events{};
    while (!stopping_) {
        let_datagrams_gather();
        const int count = epoll_wait(epoll_, events.data(), kEvents, serving_.empty() ? -1 : 0);
        ++counts_.wake_ups;
        readable_.clear();
        for (int i = 0; i < count; ++i) {
            const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
            if (key == kPatrolKey) {
                drain_counter(patrol_);
                patrol();
            } else if (key != kWakeKey) {
                readable_.push_back(key);
            }
        }
        serve_legs();
    }
}

// Where packets come thick and fast, a wake-up for each would cost more than the packet: the sockets are
// looked at once in kGatherNs.
void Worker::let_datagrams_gather() {
    const std::int64_t rest = last_received_ + kGatherNs - monotonic_ns();
    if (!serving_.empty() || rest <= 0) {
        return;
    }
    pollfd urgent{wake_, POLLIN, 0};
    const timespec patience{0, rest};
    ppoll(&urgent, 1, &patience, nullptr);
}

// One batch of each leg in turn; those that may have more stay for the next time.
void Worker::serve_legs() {
    if (!readable_.empty()) {
        last_received_ = monotonic_ns();
        const std::lock_guard held(legs_lock_);
        for (const std::uint64_t key : readable_) {
            if (const auto found = legs_.find(key); found != legs_.end()) {
                serving_.push_back(found->second);
            }
        }
    }
    const auto is_empty = [this](const std::shared_ptr<Leg>& leg) { return !leg->receive(*received_); };
    serving_.erase(std::remove_if(serving_.begin(), serving_.end(), is_empty), serving_.end());
}

}  // namespace vmr::rtp_io
