#include "daemon/ops/certificate_watch.hpp"

#include <algorithm>
#include <cmath>

#include "base/guard.hpp"
#include "base/text.hpp"

namespace vmr::ops {
namespace {

constexpr guint kLookSeconds = 3600;
using Days = std::chrono::duration<double, std::ratio<86400>>;

}  // namespace

CertificateWatch::~CertificateWatch() {
    if (timer_ != 0) {
        g_source_remove(timer_);
    }
}

void CertificateWatch::watch(std::vector<std::string> files, int days) {
    std::erase(files, std::string());
    std::ranges::sort(files);
    files.erase(std::unique(files.begin(), files.end()), files.end());
    files_ = std::move(files);
    days_ = days;
    std::erase_if(seen_, [this](const auto& one) { return !std::ranges::binary_search(files_, one.first); });
    if (timer_ == 0) {
        timer_ = g_timeout_add_seconds(kLookSeconds, on_hour_passed, this);
    }
    look(std::chrono::system_clock::now());
}

gboolean CertificateWatch::on_hour_passed(gpointer self) {
    guard(nullptr, [&] { static_cast<CertificateWatch*>(self)->look(std::chrono::system_clock::now()); });
    return G_SOURCE_CONTINUE;
}

void CertificateWatch::look(Time now) {
    for (const std::string& file : files_) {
        const auto info = read_certificate(file);
        if (!info) {
            g_warning("the certificate %s cannot be read", file.c_str());
            continue;
        }
        Seen& seen = seen_[file];
        if (seen.expires != info->expires) {
            seen = {info->expires, Time()};
        }
        const double left = Days(info->expires - now).count();
        if (left > days_ || Days(now - seen.told).count() < 1) {
            continue;
        }
        seen.told = now;
        on_alarm_({file, info->subject, info->expires, static_cast<int>(std::floor(left))});
    }
}

std::string CertificateWatch::metrics() const {
    std::string text;
    if (!seen_.empty()) {
        text = "# TYPE vmr_certificate_expiry_timestamp_seconds gauge\n";
    }
    for (const auto& [file, seen] : seen_) {
        text += "vmr_certificate_expiry_timestamp_seconds{file=\"" + label_value(file) + "\"} " +
                std::to_string(std::chrono::system_clock::to_time_t(seen.expires)) + "\n";
    }
    return text;
}

}  // namespace vmr::ops
