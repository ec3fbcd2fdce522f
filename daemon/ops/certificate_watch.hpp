// Tells before a certificate expires, and after it has.
#pragma once
#include <glib.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/ops/certificates.hpp"

namespace vmr::ops {

class CertificateWatch {
public:
    using Time = std::chrono::system_clock::time_point;
    struct Alarm {
        std::string file;
        std::string subject;
        Time expires;
        int days_left = 0;  // negative: it has expired so many days ago
    };
    using OnAlarm = std::function<void(const Alarm&)>;

    // `on_alarm` is called for each file in the last `days` days, once a day, and again for as long as an
    // expired one is there.
    explicit CertificateWatch(OnAlarm on_alarm) : on_alarm_(std::move(on_alarm)) {}
    ~CertificateWatch();
    CertificateWatch(const CertificateWatch&) = delete;
    CertificateWatch& operator=(const CertificateWatch&) = delete;

    // Looks at once, and from then on each hour, on the default main context; again: other files.
    void watch(std::vector<std::string> files, int days);
    void look(Time now);
    std::string metrics() const;  // Prometheus' text

private:
    struct Seen {
        Time expires;
        Time told;  // epoch: not yet
    };
    static gboolean on_hour_passed(gpointer self);

    OnAlarm on_alarm_;
    std::vector<std::string> files_;
    int days_ = 0;
    std::map<std::string, Seen> seen_;
    guint timer_ = 0;
};

}  // namespace vmr::ops
