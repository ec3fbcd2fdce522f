#include "daemon/media/pipelines.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace vmr::media {
namespace {

using Names = std::vector<const char*>;

// Which named elements each description must hold.
const std::map<std::string, Names>& contracts() {
    static const Names hear{"jitter"};
    static const Names receive{"tap", "depay"};
    static const Names encode{"encoder"};
    static const Names pay_sound{"pay"};
    static const Names pay{"flow", "size", "pay", "rtpcaps", "tap"};
    static const std::map<std::string, Names> contracts{
        {"room", {"mixer"}},
        {"leg", {"ivr", "gate", "audio_in", "audio_out", "content_in", "content_out"}},
        {"receive-opus", hear},
        {"receive-pcmu", hear},
        {"receive-pcma", hear},
        {"receive-g722", hear},
        {"receive-vp8", receive},
        {"receive-h264", receive},
        {"encode-opus", encode},
        {"encode-pcmu", encode},
        {"encode-pcma", encode},
        {"encode-g722", encode},
        {"encode-vp8", encode},
        {"encode-h264", {"encoder", "profile"}},
        {"pay-opus", pay_sound},
        {"pay-pcmu", pay_sound},
        {"pay-pcma", pay_sound},
        {"pay-g722", pay_sound},
        {"pay-vp8", pay},
        {"pay-h264", pay},
    };
    return contracts;
}

// gst_parse has no comments: lines that start with '#' are for readers.
Result<std::string> read_description(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) {
        return Error{path.string() + ": cannot be read"};
    }
    std::string line;
    std::string text;
    while (std::getline(file, line)) {
        if (!line.starts_with('#')) {
            text += line + "\n";
        }
    }
    return text;
}

Result<ElementPtr> parse(const std::string& name, const std::string& description) {
    // A chain gets ghost pads for its two loose ends; the pads of leg and room are led out by who uses them.
    const gboolean ghost = name != "room" && name != "leg";
    GError* problem = nullptr;
    auto bin = ElementPtr::adopt(gst_parse_bin_from_description_full(description.c_str(), ghost, nullptr,
                                                                     GST_PARSE_FLAG_FATAL_ERRORS, &problem));
    if (problem != nullptr) {
        Error error{name + ".launch: " + problem->message};
        g_error_free(problem);
        return error;
    }
    return bin;
}

}  // namespace

Result<Pipelines> Pipelines::load(const std::string& folder) {
    Pipelines pipelines;
    for (const auto& [name, elements] : contracts()) {
        auto description = read_description(std::filesystem::path(folder) / (name + ".launch"));
        if (!description) {
            return Error{description.error()};
        }
        auto bin = parse(name, *description);
        if (!bin) {
            return Error{bin.error()};
        }
        for (const char* element : elements) {
            if (!ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(bin->get()), element))) {
                return Error{name + ".launch: has no element named '" + element + "'"};
            }
        }
        pipelines.descriptions_.emplace(name, std::move(*description));
    }
    return pipelines;
}

ElementPtr Pipelines::make_bin(const std::string& name) const {
    auto bin = parse(name, descriptions_.at(name));
    if (!bin) {
        throw std::runtime_error(bin.error());
    }
    return std::move(*bin);
}

ElementPtr named(GstElement* bin, const char* name) {
    auto element = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(bin), name));
    if (!element) {
        throw std::logic_error(std::string("no element named ") + name);
    }
    return element;
}

}  // namespace vmr::media
