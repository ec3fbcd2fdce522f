#include <libsoup/soup.h>

#include "daemon/api/control.hpp"

namespace vmr::api {

// libsoup does not know all of them (RFC 6585, RFC 9110).
const char* phrase_of(int status) {
    return status == 422   ? "Unprocessable Content"
           : status == 426 ? "Upgrade Required"
           : status == 429 ? "Too Many Requests"
                           : soup_status_get_phrase(static_cast<guint>(status));
}

Response problem(int status, std::string_view detail) {
    Response response{status, {{"type", "about:blank"}, {"title", phrase_of(status)}, {"status", status}}};
    if (!detail.empty()) {
        response.body["detail"] = detail;
    }
    return response;
}

}  // namespace vmr::api
