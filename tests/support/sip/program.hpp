// Programs of others, as Debian has them.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace vmr::sip::test {

inline bool installed(const char* program) {
    return std::filesystem::exists(std::string("/usr/bin/") + program);
}

// Runs a program to its end, at most 60 s; its exit code, or -1.
class Program {
public:
    Program(std::vector<std::string> words, const std::string& folder) {
        std::vector<char*> arguments;
        for (std::string& word : words) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&files, 1, (folder + "/log").c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                         0600);
        posix_spawn_file_actions_adddup2(&files, 1, 2);
        posix_spawn_file_actions_addchdir_np(&files, folder.c_str());
        if (posix_spawnp(&process_, arguments[0], &files, nullptr, arguments.data(), environ) != 0) {
            process_ = -1;
        }
        posix_spawn_file_actions_destroy(&files);
    }
    ~Program() {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
        }
    }
    int wait() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        int status = 0;
        while (process_ > 0 && std::chrono::steady_clock::now() < deadline) {
            if (::waitpid(process_, &status, WNOHANG) == process_) {
                process_ = -1;
                return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            }
            ::usleep(20000);
        }
        return -1;
    }

private:
    pid_t process_ = -1;
};

}  // namespace vmr::sip::test
