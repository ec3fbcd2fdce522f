#include <libsoup/soup.h>

#include "daemon/api/control.hpp"

namespace vmr::api {

Response problem(int status, std::string_view detail) {
    Response response{
        status, {{"type", "about:blank"}, {"title", soup_status_get_phrase(status)}, {"status", status}}};
    if (!detail.empty()) {
        response.body["detail"] = detail;
    }
    return response;
}

}  // namespace vmr::api
