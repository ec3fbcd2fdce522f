#include "plugins/duplex/synthesizer.hpp"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

namespace vmr::duplex {

namespace {

using SpeechClock = std::chrono::steady_clock;

constexpr std::size_t kMaxSpeechBytes = std::size_t{22050} * 2 * 60;  // a minute as espeak-ng writes it

class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_;
};

// The child's end is certain: it is killed and waited for when this goes.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid), exit_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))) {}
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    int exit_fd() const { return exit_.get(); }
    bool succeeded() {
        const int status = wait();
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

    pid_t pid_;
    Fd exit_;
};

Error failed(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

int left_until(SpeechClock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SpeechClock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

bool wait_readable(int fd, SpeechClock::time_point deadline) {
    pollfd wanted{fd, POLLIN, 0};
    for (;;) {
        const int ready = ::poll(&wanted, 1, left_until(deadline));
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

// A file without a name: no pipe that a child which reads nothing could block, and nothing in a command line.
bool fill(int file, const std::string& text) {
    return file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
           ::lseek(file, 0, SEEK_SET) == 0;
}

// No shell; no file of ours but the three; no environment of ours.
int spawn(const Synthesizer& synthesizer, const std::string& language, int in, int out, pid_t* pid) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const char* const arguments[] = {synthesizer.program.c_str(),
                                     "--stdin",
                                     "--stdout",
                                     "-b",
                                     "1",  // UTF-8
                                     "-s",
                                     "155",  // words a minute
                                     "-z",   // no pause at the end
                                     "-v",
                                     language.c_str(),
                                     nullptr};
    const char* const environment[] = {"LC_ALL=C.UTF-8", nullptr};
    const int problem =
        posix_spawnp(pid, synthesizer.program.c_str(), &files, &attributes,
                     const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return problem;
}

// To the end, the limit or the deadline; nothing: not in time.
std::optional<std::vector<std::uint8_t>> read_all(int fd, SpeechClock::time_point deadline) {
    std::vector<std::uint8_t> bytes;
    std::uint8_t part[16384];
    while (bytes.size() < kMaxSpeechBytes && wait_readable(fd, deadline)) {
        const ssize_t count = ::read(fd, part, sizeof part);
        if (count == 0) {
            return bytes;
        }
        if (count > 0) {
            bytes.insert(bytes.end(), part, part + count);
        } else if (errno != EINTR) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

bool is_language(const std::string& language) {
    return (language.size() == 2 || language.size() == 3) &&
           std::all_of(language.begin(), language.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

std::string clean_speech(std::string_view text) {
    std::string clean;
    std::size_t letters = 0;
    bool blank = true;  // no two, none at the beginning
    const char* end = text.data() + text.size();
    for (const char* at = text.data(); at < end && letters < kMaxSpeechLetters;) {
        const gunichar c = g_utf8_get_char_validated(at, end - at);
        const bool valid = (c & 0x80000000U) == 0;
        at = valid ? g_utf8_next_char(at) : at + 1;
        const bool spoken = valid && c != 0 &&
                            (g_unichar_isalnum(c) || g_unichar_ismark(c) ||
                             (c < 0x80 && std::strchr(".,:;?!'-", static_cast<int>(c)) != nullptr));
        if (!spoken && blank) {
            continue;
        }
        blank = !spoken;
        char bytes[6];
        clean.append(bytes, static_cast<std::size_t>(g_unichar_to_utf8(spoken ? c : ' ', bytes)));
        ++letters;
    }
    if (blank && !clean.empty()) {
        clean.pop_back();
    }
    return clean;
}

Result<std::vector<std::uint8_t>> Synthesizer::speak(const std::string& language,
                                                     const std::string& text) const {
    if (!is_language(language)) {
        return Error{"no such language: " + language};
    }
    const auto deadline = SpeechClock::now() + patience;
    const Fd written(::memfd_create("vmr-speech", MFD_CLOEXEC));
    int ends[2];
    if (!fill(written.get(), text) || ::pipe2(ends, O_CLOEXEC) != 0) {
        return failed("no file for what is to be said");
    }
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    pid_t pid = 0;
    if (const int problem = spawn(*this, language, written.get(), theirs.get(), &pid); problem != 0) {
        return Error{program + ": " + std::strerror(problem)};
    }
    Child child(pid);
    theirs.reset();
    auto bytes = read_all(ours.get(), deadline);
    if (!bytes || !wait_readable(child.exit_fd(), deadline)) {
        return Error{program + ": spoke too long, or not in time"};
    }
    if (!child.succeeded()) {
        return Error{program + ": failed"};
    }
    return std::move(*bytes);
}

}  // namespace vmr::duplex
