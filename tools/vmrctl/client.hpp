// vmrctl's side of the API: one request at a time, and the events WebSocket.
#pragma once
#include <libsoup/soup.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/gst_ptr.hpp"

namespace vmr::ctl {

struct ClientOptions {
    std::string url = "http://127.0.0.1:8080";
    std::string token;
    std::string ca_file;
    bool insecure = false;  // any certificate
};

// Exit codes, as documented in --help.
enum ExitCode { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3, kUnauthorized = 4, kNotFound = 5 };

struct Answer {
    int status = 0;  // 0: unreachable, see `problem`
    nlohmann::json body;
    std::string problem;
    ExitCode exit_code() const;
};

class Client {
public:
    explicit Client(ClientOptions options);

    Answer request(const std::string& method, const std::string& path, const nlohmann::json& body = nullptr);
    // Calls `on_event` for each until it returns false. That the server closes before, or is gone, is a
    // problem.
    Answer events(const std::string& room, const std::string& since,
                  const std::function<bool(const nlohmann::json&)>& on_event);

private:
    GPtr<SoupMessage> message(const std::string& method, const std::string& path);
    bool accepts(GTlsCertificateFlags errors) const { return options_.insecure || errors == 0; }
    friend gboolean on_certificate_met(SoupMessage*, GTlsCertificate*, GTlsCertificateFlags, gpointer);

    ClientOptions options_;
    GPtr<SoupSession> session_;
};

// One path segment.
std::string escape(const std::string& segment);

}  // namespace vmr::ctl
