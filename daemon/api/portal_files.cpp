#include "daemon/api/portal_files.hpp"

#include <map>

#include "daemon/api/router.hpp"

namespace vmr::api {

namespace {

constexpr std::size_t kMaxPath = 1024;

std::string mime_type(std::string_view path) {
    static const std::map<std::string, std::string, std::less<>> types = {
        {"html", "text/html; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"json", "application/json"},
        {"webmanifest", "application/manifest+json"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"woff", "font/woff"},
        {"txt", "text/plain; charset=utf-8"},
        {"wasm", "application/wasm"},
        {"mp3", "audio/mpeg"},
        {"ogg", "audio/ogg"},
        {"wav", "audio/wav"},
        {"map", "application/json"}};
    const std::size_t dot = path.rfind('.');
    const auto found = dot == std::string_view::npos ? types.end() : types.find(path.substr(dot + 1));
    return found != types.end() ? found->second : "application/octet-stream";
}

std::optional<PortalFile> lookup(const std::string& path) {
    GBytes* bytes = g_resources_lookup_data(path.c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr);
    if (bytes == nullptr) {
        return std::nullopt;
    }
    return PortalFile{{bytes, g_bytes_unref}, mime_type(path), path.find("/assets/") != std::string::npos};
}

// Each segment decoded; nothing for what could climb out or hide a separator.
std::optional<std::string> clean(std::string_view path) {
    std::string result;
    std::size_t begin = 1;
    while (begin <= path.size()) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const auto segment = decode_segment(path.substr(begin, end - begin));
        if (!segment || *segment == "." || *segment == ".." ||
            segment->find_first_of("/\\") != std::string::npos) {
            return std::nullopt;
        }
        result += "/" + *segment;
        begin = end + 1;
    }
    return result;
}

}  // namespace

std::optional<PortalFile> find_portal_file(const std::string& prefix, std::string_view path) {
    if (path.size() > kMaxPath || !path.starts_with('/')) {
        return std::nullopt;
    }
    const auto cleaned = clean(path);
    if (!cleaned) {
        return std::nullopt;
    }
    if (auto file = lookup(prefix + *cleaned)) {
        return file;
    }
    // The portal's routes have no file: /, /join/ALIAS (an alias may hold a dot), /admin …
    const std::size_t slash = cleaned->rfind('/');
    const bool names_a_file = cleaned->find('.', slash == std::string::npos ? 0 : slash) != std::string::npos;
    if (names_a_file && !cleaned->starts_with("/join/")) {
        return std::nullopt;
    }
    return lookup(prefix + "/index.html");
}

}  // namespace vmr::api
