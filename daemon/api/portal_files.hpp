// The portal's files, out of the GResource that it was built into.
#pragma once
#include <gio/gio.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vmr::api {

struct PortalFile {
    std::unique_ptr<GBytes, void (*)(GBytes*)> content;
    std::string type;  // MIME
    bool immutable;    // its name holds a hash of its content
};

// The file for a request path (percent-encoded), or index.html for a path of the portal's own routes.
std::optional<PortalFile> find_portal_file(const std::string& prefix, std::string_view path);

}  // namespace vmr::api
