// The gst-launch descriptions in pipelines/ (or /usr/share/vmr/pipelines): what was prototyped is what runs.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/gst_ptr.hpp"
#include "base/result.hpp"

namespace vmr::media {

class Pipelines {
public:
    // Reads every description in `folder` and checks it against its contract: it parses, and holds the named
    // elements that the daemon sets properties on.
    static Result<Pipelines> load(const std::string& folder);

    // A bin made from a description; the loose ends of a receive-*, encode-* or pay-* chain are its ghost
    // pads `sink`, `src`. The description exists (load() checked): asking for another is a bug.
    ElementPtr make_bin(const std::string& name) const;

    bool has(const std::string& name) const { return descriptions_.contains(name); }

private:
    std::map<std::string, std::string> descriptions_;
};

// A named element inside a bin that make_bin() returned; contracts make it exist.
ElementPtr named(GstElement* bin, const char* name);

}  // namespace vmr::media
