#include "daemon/legs/sip/dialog/dialog_requests.hpp"

#include "daemon/legs/sip/dialog/session.hpp"

namespace vmr::sip {

std::string DialogRequests::write(Dialog& dialog, Request& request, std::string& ack) {
    request.parts.branch = host_.new_branch();
    RequestParts parts = request.parts;
    const std::vector<Header>& credentials = request.credentials.headers();
    parts.headers.insert(parts.headers.end(), credentials.begin(), credentials.end());
    std::string bytes = dialog.write_request(parts);
    request.cseq = dialog.local_cseq();
    if (parts.method == "INVITE") {
        ack = dialog.write_ack(request.cseq, parts.branch, credentials);
    }
    return bytes;
}

std::uint64_t DialogRequests::send(Dialog& dialog, RequestParts parts) {
    Request request{std::move(parts), {}, 0};
    std::string ack;
    const std::string bytes = write(dialog, request, ack);
    const std::uint64_t id =
        host_.request(dialog.flow(), request.parts.method, request.parts.branch, bytes, ack);
    if (id != 0) {
        requests_[id] = std::move(request);
    }
    return id;
}

bool DialogRequests::ask_again(std::uint64_t id, const Message& response, Dialog& dialog) {
    const auto found = requests_.find(id);
    if (found == requests_.end() ||
        !found->second.credentials.answer(response, identity_, dialog.request_uri(),
                                          host_.new_branch().substr(7))) {
        return false;
    }
    Request& request = found->second;
    std::string ack;
    const std::string bytes = write(dialog, request, ack);
    host_.request_again(id, dialog.flow(), request.parts.method, request.parts.branch, bytes, ack);
    return true;
}

DialogRequests::Request DialogRequests::take(std::uint64_t id) {
    auto taken = requests_.extract(id);
    return taken ? std::move(taken.mapped()) : Request();
}

}  // namespace vmr::sip
